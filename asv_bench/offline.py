"""Put copies of the scripts that asv's pages load from elsewhere beside these pages, so that they need no network.

    cd asv_bench && asv publish && python offline.py

``npm pack`` fetches each package in the version of `PACKAGES`. The SHA-512 of a package must be the one that stands
there, and where asv's page has a digest of a file, the copy must have it, too. Flot and Stupid Table are not in npm as
asv loads them: their copies are Flot's readable files of the same version, and version 1.1.3 of Stupid Table. All have
the MIT licence; their texts are copied beside them. ``--packages`` names a folder that has the packages already, as
``npm pack`` names them. The pages are changed after everything was checked and copied.
"""

import argparse
import base64
import hashlib
import html
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import reading

FOLDER = Path(__file__).parent
COPIES = "vendor"  # folder beside the pages
LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE-MIT", "package.json")  # package.json names it where there is no text


class CopyError(Exception):
    """The pages cannot be made independent of the network."""


@dataclass(frozen=True)
class Package:
    """A package of npm.

    Attributes
    ----------
    name, version : str
        Name and version.
    sha512 : str
        Digest of the file that ``npm pack`` makes, base64, as npm's lock files have it.
    files : dict
        For the end of an address in asv's page: the path in the package.
    beside : tuple of str
        Folders of the package that these files refer to.
    """

    name: str
    version: str
    sha512: str
    files: Mapping[str, str]
    beside: tuple[str, ...] = ()

    @property
    def tarball(self) -> str:
        """The file that ``npm pack`` makes."""
        return f"{self.name}-{self.version}.tgz"


PACKAGES = (
    Package(
        "jquery",
        "3.3.1",
        "Ubldcmxp5np52/ENotGxlLe6aGMvmF4R8S6tZjsP6Knsaxd/xp3Zrh50cG93lR6nPXyUFwzN3ZSOQI0wRJNdGg==",
        {"jquery-3.3.1.min.js": "dist/jquery.min.js"},
    ),
    Package(
        "flot",
        "0.8.3",
        "xg2otcTJDvS+ERK+my4wxG/ASq90QURXtoM4LhacCq0jQW2jbyjdttbRNqU2cPykrpMvJ6b2uSp6SAgYAzj9tQ==",
        {f"0.8.3/jquery.flot{part}.min.js": f"jquery.flot{part}.js"
         for part in ("", ".time", ".selection", ".categories")},
    ),
    Package(
        "flot-orderbars",
        "1.0.0",
        "Jv51fvzevUjNXEeozpwEKfPjhiZhfiJddv0WHjduUTCmSF+7T5K7C9c9Y1wIVmUhDBv5fLMjgbwKecT0GIKPZA==",
        {"@1.0.0/js/jquery.flot.orderBars.js": "js/jquery.flot.orderBars.js"},
    ),
    Package(
        "stupid-table-plugin",
        "1.1.3",
        "2Vk7XouQPxUQPRe9w0Fu7ZZ8kHLK7rDoLMsCgtKxRNJ7f4dSOGvW9CkHsq5wD6QsaEnWoyLBYH3xOEsrK3yWBg==",
        {"1.0.1/stupidtable.min.js": "stupidtable.min.js"},
    ),
    Package(
        "blueimp-md5",
        "2.19.0",
        "DRQrD6gJyy8FbiE4s+bDoXS9hiW3Vbx5uCdwvcCf3zLHL+Iv7LtGHLpr+GZV8rHG8tK766FGYBwRbu8pELTt+w==",
        {"2.19.0/js/md5.min.js": "js/md5.min.js"},
    ),
    Package(
        "bootstrap",
        "3.1.1",
        "TAzqS8E/ISpVHP29gYhy+1NSV+FJwApDVQhDfgLYsIuUDJiqJzH2DfORN5tiu+Ie2iBLrzEG34t4Rf465cigqg==",
        {f"@3.1.1/{file}": file for file in ("dist/js/bootstrap.min.js", "dist/css/bootstrap.min.css")},
        beside=("dist/fonts",),
    ),
)  # fmt: skip
# files that differ from asv's on purpose: see above
OTHER_BYTES = ("flot", "stupid-table-plugin")
# an element that a browser would load from elsewhere: its address, and what stands before and behind it
LOADED = re.compile(r"""(<(?:script|link|img)\b[^>]*?\b(?:src|href)=")(https?://[^"]+|//[^"]+)("[^>]*>)""")
GUARD = re.compile(r"""\s(?:integrity|crossorigin|referrerpolicy)="([^"]*)\"""")


def rewrite(page: str, packages: Sequence[Package], contents: Mapping[tuple[str, str], bytes]) -> str:
    """Return a page that loads the copies, in whose folder the files of each package lie."""

    def local(found: re.Match[str]) -> str:
        before, address, after = found.groups()
        package, file = _copy_of(address, packages)
        if package.name not in OTHER_BYTES:
            _check(address, after, contents[package.name, file])
        # a browser refuses to check digests of files that it opens without a server
        return f"{before}{COPIES}/{package.name}/{file}{GUARD.sub('', after)}"

    return LOADED.sub(local, page)


def _copy_of(address: str, packages: Sequence[Package]) -> tuple[Package, str]:
    for package in packages:
        for end, file in package.files.items():
            if html.unescape(address).endswith(end):
                return package, file
    raise CopyError(f"asv's page loads {address}, of which offline.py knows no copy: it is made for asv 0.6.6")


def _check(address: str, attributes: str, content: bytes) -> None:
    for name, digest in re.findall(r"integrity=\"(sha\d+)-([^\"]+)\"", attributes):
        if base64.b64encode(hashlib.new(name, content).digest()).decode() != digest:
            raise CopyError(f"the copy of {address} has not the digest that stands in asv's page")


def fetch(packages: Sequence[Package], folder: Path) -> None:
    """Fetch the packages into a folder."""
    npm = shutil.which("npm")
    if npm is None:
        raise CopyError("npm is not installed; --packages DIR takes packages that were fetched elsewhere")
    wanted = [f"{package.name}@{package.version}" for package in packages]
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), *wanted]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise CopyError(f"npm pack ended with {run.returncode}: {run.stderr.strip()}")


def unpack(package: Package, folder: Path) -> dict[str, bytes]:
    """Return the files of a package that are copied, by their paths, after a check of its digest."""
    path = folder / package.tarball
    if not path.exists():
        raise CopyError(f"expected {package.tarball} in {folder}")
    found = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if found != package.sha512:
        raise CopyError(f"{package.tarball}: expected the SHA-512 {package.sha512}, got {found}")
    with tarfile.open(path) as archive:
        files = {member.name.partition("/")[2]: member for member in archive if member.isfile()}
        wanted = [file for file in files if _wanted(package, file)]
        if missing := set(package.files.values()) - set(wanted):
            raise CopyError(f"{package.tarball} has no {', '.join(sorted(missing))}")
        return {file: _read(archive, files[file]) for file in wanted}


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None  # of a regular file
    return file.read()


def _wanted(package: Package, file: str) -> bool:
    return file in package.files.values() or file in LICENCES or file.startswith(tuple(f"{b}/" for b in package.beside))


def make_offline(pages: Path, packages_folder: Path | None, packages: Sequence[Package] = PACKAGES) -> int:
    """Copy and change the pages; return the number of files copied."""
    index = pages / "index.html"
    if not index.exists():
        raise CopyError(f"expected asv's pages in {pages}: asv publish makes them")
    with tempfile.TemporaryDirectory() as temporary:
        folder = packages_folder or Path(temporary)
        if packages_folder is None:
            fetch(packages, folder)
        contents = {(p.name, file): content for p in packages for file, content in unpack(p, folder).items()}
    text = rewrite(index.read_text(encoding="utf-8"), packages, contents)
    for (name, file), content in contents.items():
        path = pages / COPIES / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    index.write_text(text, encoding="utf-8")
    return len(contents)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pages independent of the network; return 2 if this cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--html", type=Path, default=FOLDER / "html", metavar="DIR", help="asv's pages")
    parser.add_argument("--packages", type=Path, metavar="DIR", help="npm's packages; default: they are fetched")
    args = parser.parse_args(arguments)
    try:
        copied = make_offline(args.html, args.packages)
    except CopyError as error:
        return reading.fail("offline.py", error)
    sys.stdout.write(f"{args.html / COPIES}: {copied} files\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

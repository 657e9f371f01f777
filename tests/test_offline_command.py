"""asv's pages load copies of all scripts, or stay as they are."""

import base64
import hashlib
import io
import os
import re
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import asv
import pytest
from asv_files import load

offline = load("offline")


def digest(content, name="sha512"):
    return base64.b64encode(hashlib.new(name, content).digest()).decode()


def pack(folder, package, contents):
    """Make the file of a package as npm does; return the package with its digest."""
    with tarfile.open(folder / package.tarball, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return replace(package, sha512=digest((folder / package.tarball).read_bytes()))


@pytest.fixture
def packages(tmp_path):
    """A folder with two packages: `plain`, whose file is asv's, and `flot`, whose file is not."""
    folder = tmp_path / "packages"
    folder.mkdir()
    plain = offline.Package("plain", "1.0", "", {"plain/1.0/plain.css": "dist/plain.css"}, beside=("dist/fonts",))
    flot = offline.Package("flot", "2.0", "", {"flot.min.js": "flot.js"})
    made = (
        pack(
            folder,
            plain,
            {
                "dist/plain.css": b"a {}",
                "dist/fonts/f.woff": b"font",
                "LICENSE": b"MIT",
                "test/t.js": b"",
                "../x": b"x",
            },
        ),
        pack(folder, flot, {"flot.js": b"flot()", "package.json": b"{}"}),
    )
    return folder, made


@pytest.fixture
def pages(tmp_path):
    folder = tmp_path / "html"
    folder.mkdir()
    (folder / "index.html").write_text(
        '<script src="https://a.example/flot.min.js" integrity="sha256-other" crossorigin="anonymous" onerror="f()">'
        f'</script>\n<link rel="stylesheet" href="//b.example/plain/1.0/plain.css" integrity="sha256-'
        f'{digest(b"a {}", "sha256")}" referrerpolicy="no-referrer">\n<script src="asv.js"></script>\n'
        '<a href="https://c.example/">elsewhere</a>',
        encoding="utf-8",
    )
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pages_load_the_copies(packages, pages):
    folder, made = packages
    assert offline.make_offline(pages, folder, made) == 5
    found = files(pages)
    assert found.pop("index.html").decode() == (
        '<script src="vendor/flot/flot.js" onerror="f()"></script>\n'
        '<link rel="stylesheet" href="vendor/plain/dist/plain.css">\n<script src="asv.js"></script>\n'
        '<a href="https://c.example/">elsewhere</a>'
    )
    assert found == {
        "vendor/flot/flot.js": b"flot()",
        "vendor/flot/package.json": b"{}",
        "vendor/plain/LICENSE": b"MIT",
        "vendor/plain/dist/fonts/f.woff": b"font",
        "vendor/plain/dist/plain.css": b"a {}",
    }
    offline.make_offline(pages, folder, made)
    assert "vendor/flot/flot.js" in (pages / "index.html").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="a script with #! stands for npm")
def test_packages_are_fetched_by_npm(packages, pages, tmp_path, monkeypatch):
    folder, made = packages
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(
        f"#!{sys.executable}\nimport pathlib, shutil, sys\n"
        "assert sys.argv[1:5] == ['pack', '--silent', '--ignore-scripts', '--pack-destination']\n"
        "for wanted in sys.argv[6:]:\n"
        f"    shutil.copy(pathlib.Path({str(folder)!r}) / (wanted.replace('@', '-') + '.tgz'), sys.argv[5])\n",
        encoding="utf-8",
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent), prepend=os.pathsep)
    assert offline.make_offline(pages, None, made) == 5
    made[0].files["more"] = "dist/more.js"
    with pytest.raises(offline.CopyError, match=re.escape("plain-1.0.tgz has no dist/more.js")):
        offline.make_offline(pages, None, made)


def change(pages, old, new):
    path = pages / "index.html"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_what_is_not_known_leaves_the_pages_as_they_are(packages, pages):
    folder, made = packages
    change(pages, "asv.js", "https://d.example/new.js")
    before = files(pages)
    with pytest.raises(offline.CopyError, match=r"loads https://d\.example/new\.js, of which offline.py knows no copy"):
        offline.make_offline(pages, folder, made)
    assert files(pages) == before


def test_other_bytes_than_those_of_the_page_are_refused(packages, pages):
    folder, made = packages
    change(pages, digest(b"a {}", "sha256"), digest(b"b {}", "sha256"))
    before = files(pages)
    with pytest.raises(offline.CopyError, match="has not the digest that stands in asv's page"):
        offline.make_offline(pages, folder, made)
    assert files(pages) == before


def test_other_packages_than_the_pinned_ones_are_refused(packages, pages):
    folder, made = packages
    before = files(pages)
    with pytest.raises(offline.CopyError, match="expected the SHA-512"):
        offline.make_offline(pages, folder, [replace(made[0], sha512="x"), made[1]])
    (folder / made[1].tarball).unlink()
    with pytest.raises(offline.CopyError, match=r"expected flot-2\.0\.tgz in"):
        offline.make_offline(pages, folder, made)
    assert files(pages) == before


def test_command_without_pages_or_npm_names_what_is_missing(pages, tmp_path, monkeypatch, capsys):
    assert offline.main(["--html", str(tmp_path / "nowhere")]) == 2
    assert "asv publish makes them" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert offline.main(["--html", str(pages)]) == 2
    assert "npm is not installed" in capsys.readouterr().err


def test_every_address_in_asvs_page_has_a_copy():
    text = (Path(asv.__file__).parent / "www" / "index.html").read_text(encoding="utf-8")
    loaded = [address for _, address, _ in offline.LOADED.findall(text)]
    assert len(loaded) == 10
    ends = [end for package in offline.PACKAGES for end in package.files]
    assert sorted(ends) == sorted(end for address in loaded for end in ends if address.endswith(end))

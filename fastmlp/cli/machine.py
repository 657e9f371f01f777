"""The processor as Numba sees it, the cores that this process may use, and the installed extras."""

import platform
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

# the bits of the widest vector register of each of LLVM's features, widest first
VECTOR_BITS = (("avx512f", 512), ("avx", 256), ("sse2", 128), ("neon", 128))

# the features that decide how fast a kernel can be; LLVM's whole list has about eighty names
FEATURES_SHOWN = ("sse2", "sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bf16", "amx-tile", "neon", "sve")


def target() -> tuple[str, list[str]]:
    """Return the LLVM name and features of the processor that Numba compiles for, which ``NUMBA_CPU_NAME`` can set."""
    import llvmlite.binding as llvm

    from fastmlp.compilation.settings import setting

    name, chosen = setting("CPU_NAME") or llvm.get_host_cpu_name(), setting("CPU_FEATURES")
    if chosen is not None:
        features = [entry[1:] for entry in chosen.split(",") if entry.startswith("+")]
    else:
        features = [feature for feature, present in llvm.get_host_cpu_features().items() if present]
    if not int(setting("ENABLE_AVX", 1)):
        features = [feature for feature in features if not feature.startswith("avx")]
    return name, features


def vector_bits(features: Iterable[str]) -> int:
    """Return the bits of the widest vector register; 128 if no feature tells it."""
    present = set(features)
    return next((bits for feature, bits in VECTOR_BITS if feature in present), 128)


def processor() -> str:
    """Return the product name of the processor, if the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def cgroup_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the number of cores whose time the container may use, or None without a limit."""
    for quota, period in (("cpu.max", None), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            text = (root / quota).read_text(encoding="ascii")
            if period is not None:
                text += " " + (root / period).read_text(encoding="ascii")
            granted, per = text.split()
            return float(granted) / float(per) if float(granted) > 0 else None
        except (OSError, ValueError):  # there is no such file, or it holds the word "max"
            continue
    return None


def extras() -> dict[str, dict[str, str | None]]:
    """Return the libraries of each extra of fastmlp with their versions; None for one that is not installed."""
    wanted: dict[str, list[str]] = {}
    for requirement in metadata.requires("fastmlp") or []:
        extra = re.search(r"""extra\s*==\s*["']([\w-]+)["']""", requirement)
        if extra:
            wanted.setdefault(extra.group(1), []).append(requirement.partition(";")[0])
    wanted.pop("all", None)
    return {extra: {name: _version(name) for name in _libraries(extra, wanted)} for extra in wanted}


def _libraries(extra: str, wanted: dict[str, list[str]]) -> list[str]:
    """Return the libraries of an extra, and those of the extras that it includes, such as ``fastmlp[plot]``."""
    names: list[str] = []
    for requirement in wanted.get(extra, []):
        included = re.match(r"fastmlp\[([\w,-]+)\]", requirement)
        if included:
            for other in included.group(1).split(","):
                names += _libraries(other, wanted)
        else:
            names += re.findall(r"^[\w.-]+", requirement)
    return names


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None

"""What this process may compute with: the processor as Numba sees it, cores, installed extras."""

import platform
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

# the widest register that each feature of LLVM's list brings, widest first
VECTOR_BITS = (("avx512f", 512), ("avx", 256), ("sse2", 128), ("neon", 128))

# what decides how fast a kernel can be; LLVM's whole list holds some eighty names
FEATURES_SHOWN = ("sse2", "sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bf16", "amx-tile", "neon", "sve")


def target() -> tuple[str, list[str]]:
    """Return the LLVM name and features of the processor that Numba compiles for (``NUMBA_CPU_NAME`` counts)."""
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
    """Return the width of the widest vector register; 128 where no feature says so."""
    present = set(features)
    return next((bits for feature, bits in VECTOR_BITS if feature in present), 128)


def processor() -> str:
    """Return the name under which the processor was sold, where the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def cgroup_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the cores' worth of time that the container grants, or None without a limit."""
    for quota, period in (("cpu.max", None), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            text = (root / quota).read_text(encoding="ascii")
            if period is not None:
                text += " " + (root / period).read_text(encoding="ascii")
            granted, per = text.split()
            return float(granted) / float(per) if float(granted) > 0 else None
        except (OSError, ValueError):  # no such file here, or the word "max"
            continue
    return None


def extras() -> dict[str, dict[str, str | None]]:
    """Return for each extra of fastmlp the libraries behind it, with their versions (None where missing)."""
    wanted: dict[str, list[str]] = {}
    for requirement in metadata.requires("fastmlp") or []:
        extra = re.search(r"""extra\s*==\s*["']([\w-]+)["']""", requirement)
        if extra:
            wanted.setdefault(extra.group(1), []).append(requirement.partition(";")[0])
    wanted.pop("all", None)
    return {extra: {name: _version(name) for name in _libraries(extra, wanted)} for extra in wanted}


def _libraries(extra: str, wanted: dict[str, list[str]]) -> list[str]:
    """Return the names of the libraries of an extra, with those of the extras that it includes (``fastmlp[plot]``)."""
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

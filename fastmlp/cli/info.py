"""``fastmlp info``: the processor, threads and versions that fastmlp uses, its cache; or what a model's file holds."""

import argparse
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from fastmlp.cli import machine, output
from fastmlp.system.version import VERSION


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "info",
        help="processor, vector width, threads, cache folders, versions; or what a model holds",
        description="Show the processor for which Numba compiles on this machine, its cores and threads, the cache "
        "folders and the versions. With MODEL show what that file holds.",
        epilog="examples:\n  fastmlp info\n  fastmlp info --threading-layer\n  fastmlp info model.safetensors",
    )
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="a file that fastmlp train wrote")
    parser.add_argument("--columns", action="store_true", help="of a model of tables: every column")
    parser.add_argument("--threading-layer", action="store_true",
                        help="also find the threading layer of the public kernels, by running one")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what `collect` finds, of this machine or of a model."""
    if args.model is not None:
        return describe(args)
    found = collect(with_layer=args.threading_layer)
    if args.json:
        output.say_json(found)
    else:
        output.say("\n".join(lines(found)))
    return 0


def describe(args: argparse.Namespace) -> int:
    """Print what the file of a model holds."""
    from fastmlp.cli import contents

    found = contents.collect(args.model)
    if args.json:
        output.say_json(found)
    else:
        output.say("\n".join(contents.lines(found, every=args.columns)))
    return 0


def threading_layer() -> str:
    """Return which of Numba's threading layers the public kernels use. Numba knows it only after a kernel has run."""
    import numba
    import numpy as np

    from fastmlp import kernels

    kernels.relu_forward(np.zeros((1, 1), np.float32), np.empty((1, 1), np.float32))
    return str(numba.threading_layer())


def collect(*, with_layer: bool) -> dict[str, Any]:
    """Return everything that the command shows, as plain values; the threading layer only if `with_layer`."""
    from fastmlp.compilation import cache as kernel_cache
    from fastmlp.compilation.prebuilt import CHOICE
    from fastmlp.system import files
    from fastmlp.system.cores import usable_cores

    name, features = machine.target()
    return {
        "processor": {
            "name": machine.processor(),
            "compiled_for": name,
            "vector_bits": machine.vector_bits(features),
            "features": [feature for feature in machine.FEATURES_SHOWN if feature in features],
        },
        "bfloat16_products": bfloat16_products(),
        "threads": {
            "cores_usable": usable_cores(),
            "container_quota": machine.cgroup_quota(),
            "default": usable_cores(),
            "threading_layer": threading_layer() if with_layer else None,
        },
        "folders": {
            "compiled_kernels": None if kernel_cache.FOLDER is None else str(kernel_cache.FOLDER),
            "prebuilt_kernels": CHOICE.reason,
            "user_cache": str(files.user_cache_folder()),
        },
        "versions": {
            "fastmlp": VERSION,
            **{library: metadata.version(library) for library in ("numpy", "numba", "llvmlite")},
            "python": platform.python_version(),
        },
        "extras": machine.extras(),
    }


def bfloat16_products() -> str:
    """Return how matrix products in bfloat16 are computed, and why."""
    from fastmlp.engine.timing import kept_timing
    from fastmlp.simd.target import HAS_BFLOAT16

    if not HAS_BFLOAT16:
        return "by multiply-adds of float32, as the CPU has no AVX512-BF16"
    timing = kept_timing()
    if timing is None:
        return "by AVX512-BF16 or by multiply-adds of float32: the first training in bfloat16 measures which is quicker"
    if timing.packed_is_quicker:
        return (
            f"by AVX512-BF16, which was {timing.rounded / timing.packed:.2f} times as fast as multiply-adds of float32"
        )
    return f"by multiply-adds of float32, which were {timing.packed / timing.rounded:.2f} times as fast as AVX512-BF16"


def lines(found: dict[str, Any]) -> list[str]:
    """Return the values from `collect` as lines of text."""
    processor, threads, folders = found["processor"], found["threads"], found["folders"]
    quota = "" if threads["container_quota"] is None else f" (the container grants {threads['container_quota']:g})"
    layer = "" if threads["threading_layer"] is None else f", threading layer {threads['threading_layer']}"
    rows = [
        ("processor", processor["name"]),
        ("compiled for", f"{processor['compiled_for']} ({', '.join(processor['features']) or 'baseline'})"),
        ("vector width", f"{processor['vector_bits']} bits: {processor['vector_bits'] // 32} float32 at a time"),
        ("bfloat16 products", found["bfloat16_products"]),
        ("cores usable", f"{threads['cores_usable']}{quota}"),
        ("threads", f"{threads['default']}{layer}"),
        ("compiled kernels", folders["compiled_kernels"] or "no writable folder: compiled anew in every process"),
        ("prebuilt kernels", folders["prebuilt_kernels"]),
        ("user cache", folders["user_cache"]),
        ("versions", ", ".join(f"{name} {version}" for name, version in found["versions"].items())),
    ]
    for number, (extra, libraries) in enumerate(found["extras"].items()):
        missing = [library for library, version in libraries.items() if version is None]
        state = f"pip install 'fastmlp[{extra}]' (missing: {', '.join(missing)})" if missing else "installed"
        rows.append(("" if number else "extras", f"{extra}: {state}"))
    return [f"{label:<18}{text}" for label, text in rows]

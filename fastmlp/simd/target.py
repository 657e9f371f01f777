"""The shapes that depend on the CPU that Numba compiles for. They change speed, never bits."""

from dataclasses import dataclass

from llvmlite import binding

from fastmlp.compilation.prebuilt import CHOICE
from fastmlp.compilation.settings import setting

VECTOR_BYTES = 64  # the logical vector on every CPU: 16 float32 or 8 float64 lanes; LLVM splits it into registers


@dataclass(frozen=True)
class Tiles:
    """Register tiles of the matrix product, in rows × vectors.

    All row counts are multiples of 4, and so is every count of rows that a product is asked for: tall tiles cover
    multiples of `group`, short ones the rest.

    Attributes
    ----------
    tall : int
        Rows of the tile that keeps the FMA units busy: as many accumulators as registers allow.
    group : int
        Rows that a run of tall tiles covers: the least common multiple of `tall` and 4.
    short : int
        Rows of the tile for the rest, 4 or a divisor of it.
    vectors : int
        Vectors side by side in a wide tile.
    half_tall : int or None
        Rows of the tall tile on half a vector, where a register holds half of it; None where that saves nothing.
    half_square : int or None
        The same for dW, whose 16 rows it must divide: 12 + 4 rows leave the FMA units waiting, 8 + 8 gave 1.15×.
    register : int
        Bytes of a register.
    depth : int or None
        Terms of a sum done for all rows and columns before the next ones, a multiple of all lane counts: a panel of so
        many weights takes a quarter of a 32 KB cache. None for all at once.
    listed : tuple of int
        Rows, 2 or 4, and vectors, 1 or 2, of the tile whose terms are listed. The fewer rows, the more terms are zero
        in all of them. With AVX2, 2×2 takes 0.39 of the time of all terms of MNIST, 2×3 and 6×1 0.5; with AVX-512, a
        step with 4×2 takes 1.07 to 1.27 times as long as with 2×2 (Zen 4, four fifths zeros).
    """

    tall: int
    group: int
    short: int
    vectors: int
    half_tall: int | None
    half_square: int | None
    register: int
    depth: int | None
    listed: tuple[int, int]


def features() -> str:
    """Return the CPU features that Numba compiles for, as LLVM writes them; those of the kernels that came compiled."""
    if CHOICE.found is not None:
        return CHOICE.found.level.flags
    if setting("CPU_FEATURES") is not None:
        return str(setting("CPU_FEATURES"))
    return binding.get_host_cpu_features().flatten()


def tiles(cpu_features: str, triple: str) -> Tiles:
    """Choose the tile shapes for a CPU."""
    if "+avx512f" in cpu_features:  # 32 registers of 16 lanes
        return Tiles(
            tall=8,
            group=8,
            short=4,
            vectors=2,
            half_tall=None,
            half_square=None,
            register=64,
            depth=None,
            listed=(2, 2),
        )
    if "+avx2" in cpu_features:  # 16 registers of 8 lanes; 4×2 and 6×2 spill and halve the speed
        return Tiles(
            tall=6, group=12, short=4, vectors=1, half_tall=12, half_square=8, register=32, depth=128, listed=(2, 2)
        )
    if triple.startswith(("aarch64", "arm64")):  # 32 registers of 4 lanes
        return Tiles(
            tall=6, group=12, short=4, vectors=1, half_tall=12, half_square=8, register=16, depth=None, listed=(2, 2)
        )
    # 16 registers of 4 lanes
    return Tiles(
        tall=2, group=4, short=2, vectors=1, half_tall=4, half_square=4, register=16, depth=None, listed=(2, 1)
    )


TILES = tiles(features(), binding.get_process_triple())
HAS_BFLOAT16 = "+avx512bf16" in features()  # the instruction VDPBF16PS

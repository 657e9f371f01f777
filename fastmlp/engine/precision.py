"""What the matrix products read: the numbers themselves, or bfloat16, by the quicker of two ways with the same bits."""

from fastmlp.kernels.bfloat16 import PACKED, PLAIN, ROUNDED
from fastmlp.simd.bfloat16 import HAS_INSTRUCTION


def operands_of(matmul_precision: str) -> int:
    """Return the kind of operands for a precision."""
    if matmul_precision == "float32":
        return PLAIN
    return PACKED if HAS_INSTRUCTION else ROUNDED

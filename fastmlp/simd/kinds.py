"""Names for what compiled code handles. Numba infers the types; to the type checker each of these is Any."""

from typing import Any, TypeAlias

Pointer: TypeAlias = Any  # to an element of an array (`fastmlp.simd.pointer`)
Vector: TypeAlias = Any  # 64 bytes of numbers (`fastmlp.simd.vector`)
Number: TypeAlias = Any  # a scalar of the network's dtype
Array: TypeAlias = Any  # a NumPy array
Record: TypeAlias = Any  # an element of a structured array

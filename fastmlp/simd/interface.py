"""Compiled functions that are called by their address: what they take is written down once, and checked.

A choice that is made by address is compiled on its own, and not into every training that could make it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir as llvm
from numba import from_dtype, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

from fastmlp.compilation.jit import address

DTYPES = tuple(map(np.dtype, ("float32", "float64")))


class Interface:
    """The arguments of functions that return nothing and are called by their address.

    Parameters
    ----------
    arguments : callable
        From the Numba type of a network's numbers to the types of the arguments.

    Attributes
    ----------
    call : intrinsic
        ``call(address, (argument, ...))``; does not compile where the arguments are not those of the interface.
    """

    def __init__(self, arguments: Callable[[Any], tuple[Any, ...]]) -> None:
        self.arguments = {dtype: arguments(from_dtype(dtype)) for dtype in DTYPES}
        expected = tuple(self.arguments.values())

        @intrinsic
        def call(context: Any, address: Any, arguments: Any) -> Any:
            if tuple(arguments) not in expected:
                raise TypingError(f"the function takes {' or '.join(map(str, expected))}, got {tuple(arguments)}")

            def emit(target: Any, builder: Any, signature: Any, values: Any) -> Any:
                passed = cgutils.unpack_tuple(builder, values[1])
                kind = llvm.FunctionType(llvm.VoidType(), [value.type for value in passed])
                builder.call(builder.inttoptr(values[0], kind.as_pointer()), passed)
                return target.get_dummy_value()

            return types.void(types.intp, arguments), emit

        self.call = call

    def address(self, function: Callable[..., None], dtype: np.dtype, data: Any = None) -> int:
        """Compile a function of this interface for a network's dtype; return its address.

        Parameters
        ----------
        function : callable
            Not compiled yet.
        dtype : numpy.dtype
            float32 or float64.
        data : numba type, optional
            What the first argument, a pointer to bytes, really points to; only the function knows.
        """
        first, *rest = self.arguments[dtype]
        return address(function, types.void(first if data is None else types.CPointer(data), *rest))

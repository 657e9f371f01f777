"""exp and log of our own: the C library picks its versions by CPU, and their bits differ."""

import math
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.extending import intrinsic

from fastmlp.jit import body
from fastmlp.simd import ir


def _exp_settings(bits: int) -> tuple[float, float, float, list[float], int, int]:
    """Lowest argument, ln 2 in two parts (the first exact in a product), polynomial, exponent bias and position."""
    if bits == 32:  # minimax polynomial of Cephes' expf (Moshier), relative error 7e-8
        terms = [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]
        return -87.0, 0.693359375, -2.12194440e-4, [*terms, 1.0, 1.0], 127, 23
    taylor = [1 / math.factorial(n) for n in range(13, -1, -1)]  # |r| <= ln 2 / 2: the next term is below 5e-18
    return -708.0, 6.93145751953125e-1, 1.42860682030941723212e-6, taylor, 1023, 52


@intrinsic
def exp(context: Any, x: Any) -> Any:
    """Return e to the power of each lane, for lanes up to 0; 0 below the smallest normal number, NaN for NaN."""

    def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = arguments[0]
        kind = value.type
        lowest, high, low, polynomial, bias, position = _exp_settings(x.dtype.bitwidth)
        integers = llvm.VectorType(llvm.IntType(x.dtype.bitwidth), kind.count)
        floor = ir.constant(kind, lowest)
        inside = builder.select(builder.fcmp_ordered(">", value, floor), value, floor)
        scaled = builder.fmul(inside, ir.constant(kind, math.log2(math.e)))
        power = ir.call(builder, f"llvm.rint.{ir.suffix(kind)}", kind, [scaled])
        rest = ir.fma(builder, power, ir.constant(kind, -high), inside)
        rest = ir.fma(builder, power, ir.constant(kind, -low), rest)
        result = ir.constant(kind, polynomial[0])
        for term in polynomial[1:]:
            result = ir.fma(builder, result, rest, ir.constant(kind, term))
        exponent = builder.add(builder.fptosi(power, integers), ir.constant(integers, bias))
        two_to_power = builder.bitcast(builder.shl(exponent, ir.constant(integers, position)), kind)
        result = builder.fmul(result, two_to_power)
        result = builder.select(builder.fcmp_ordered("<", value, floor), ir.constant(kind, 0.0), result)
        return builder.select(builder.fcmp_unordered("uno", value, value), value, result)

    return x(x), emit


@intrinsic
def _bits(context: Any, x: Any) -> Any:
    return types.int64(types.float64), lambda _, builder, signature, arguments: builder.bitcast(
        arguments[0], llvm.IntType(64)
    )


@intrinsic
def _from_bits(context: Any, x: Any) -> Any:
    return types.float64(types.int64), lambda _, builder, signature, arguments: builder.bitcast(
        arguments[0], llvm.DoubleType()
    )


_MANTISSA = (1 << 52) - 1
_LN_2 = math.log(2)


@body
def log(x: float) -> float:
    """Return the natural logarithm of a normal float64 above 0; other values give NaN.

    ``log(m · 2^e) = e · ln 2 + 2 · artanh((m - 1) / (m + 1))`` with m between √½ and √2, by the series of artanh:
    its 12th term is below 1e-18.
    """
    if not (x >= 2.2250738585072014e-308 and x < math.inf):
        return math.nan
    bits = _bits(x)
    exponent = (bits >> 52) - 1023
    mantissa = _from_bits((bits & _MANTISSA) | (1023 << 52))
    if mantissa > 1.4142135623730951:
        mantissa *= 0.5
        exponent += 1
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    total = 0.0
    for n in range(23, 0, -2):
        total = total * square + 1.0 / n
    return exponent * _LN_2 + 2.0 * s * total

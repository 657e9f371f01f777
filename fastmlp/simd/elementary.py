"""Elementary functions of our own: the C library picks its versions by CPU, and their bits differ."""

import math
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.extending import intrinsic

from fastmlp.compilation.jit import body
from fastmlp.simd import ir
from fastmlp.simd import vector as v


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


def _polynomial(single: list[float], double: list[float]) -> Any:
    """Make an intrinsic of a polynomial, highest power first, with terms for float32 and for float64."""

    @intrinsic
    def evaluate(context: Any, x: Any) -> Any:
        def emit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = arguments[0]
            terms = single if x.dtype.bitwidth == 32 else double
            result = ir.constant(value.type, terms[0])
            for term in terms[1:]:
                result = ir.fma(builder, result, value, ir.constant(value.type, term))
            return result

        return x(x), emit

    return evaluate


@intrinsic
def constant(context: Any, x: Any, value: Any) -> Any:
    """Return a number in every lane of a vector like `x`."""

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar = target.cast(builder, arguments[1], types.float64, x.dtype)
        return ir.splat(builder, scalar, arguments[0].type)

    return x(x, types.float64), emit


@body
def absolute(x: Any) -> Any:
    return v.maximum(x, v.subtract(constant(x, 0.0), x))


@body
def exp_any(x: Any) -> Any:
    """E to the power of each lane, above 0 too; infinity where it is too large."""
    decayed = exp(v.subtract(constant(x, 0.0), absolute(x)))
    return v.where(x, v.divide(constant(x, 1.0), decayed), decayed)


# log(1 + e) / e in 2e - 1, for e from 0 to 1, by interpolation in Chebyshev points: relative error 8e-10 and 9e-18
_log1p_terms = _polynomial(
    [1.9899321232507327e-06, -6.360114217798262e-06, 1.554648921083797e-05, -5.267940086108e-05,
     0.00018522948781473874, -0.0006428624500103231, 0.00228816294401838, -0.008460951031670515, 0.03315244520549289,
     -0.14426355609452665, 0.8109302161214926],
    [2.395057859505466e-11, -7.322346091971019e-11, 1.0465314634051575e-10, -3.4176230784897164e-10,
     1.3699443339018535e-09, -4.337050885124707e-09, 1.3492448394847583e-08, -4.3312499401911384e-08,
     1.3990916113072695e-07, -4.535440217196349e-07, 1.479865767822323e-06, -4.866877194170491e-06,
     1.615694976729667e-05, -5.426089827415906e-05, 0.00018490300170223613, -0.0006421503724685249,
     0.0022882409076982507, -0.008461080413870763, 0.033152438438550695, -0.14426354954966195, 0.8109302162163288],
)  # fmt: skip


@body
def log1p(x: Any) -> Any:
    """The natural logarithm of 1 plus each lane, for lanes from 0 to 1."""
    return v.multiply(x, _log1p_terms(v.subtract(v.add(x, x), constant(x, 1.0))))


@body
def logistic(x: Any) -> Any:
    """``1 / (1 + exp(-x))`` of each lane."""
    decayed = exp(v.subtract(constant(x, 0.0), absolute(x)))
    upper = v.divide(constant(x, 1.0), v.add(constant(x, 1.0), decayed))
    return v.where(x, upper, v.multiply(decayed, upper))


# (tanh(x) / x - 1) / x² in x², for |x| up to 0.625, by interpolation in Chebyshev points: relative error of tanh 2e-8
# and 2e-18
_tanh_terms = _polynomial(
    [-0.006104948011443728, 0.021003641220915213, -0.05385249746856692, 0.13332782263995477, -0.3333332909961713],
    [6.493921966644326e-06, -3.121994989253582e-05, 9.258867998788127e-05, -0.00023759985285443604,
     0.000589663660532036, -0.0014557760415549023, 0.003592121835933438, -0.00886323511036136, 0.02186948851935735,
     -0.05396825396790577, 0.1333333333333305, -0.3333333333333333],
)  # fmt: skip


@body
def tanh(x: Any) -> Any:
    """The hyperbolic tangent of each lane: a polynomial near 0, where ``1 - exp(-2|x|)`` would cancel."""
    zero, one = constant(x, 0.0), constant(x, 1.0)
    size = absolute(x)
    decayed = exp(v.multiply(constant(x, -2.0), size))
    large = v.divide(v.subtract(one, decayed), v.add(one, decayed))
    square = v.multiply(x, x)
    small = v.fma(v.multiply(x, square), _tanh_terms(square), x)
    signed = v.where(x, large, v.subtract(zero, large))
    return v.where(v.subtract(size, constant(x, 0.625)), signed, small)


# exp(z²) · erfc(z) / t in 2t - 1, where t = 2 / (2 + z), by interpolation in Chebyshev points: relative error 1.2e-8
# and 6e-15
_erfcx_terms = _polynomial(
    [4.2161197196387805e-05, -3.6601876943794854e-05, -0.0002993827120715645, 0.00043067048843585943,
     0.001529157160763692, -0.0032434519180997083, -0.010751626186584588, 0.018221669428387856, 0.13973573352192914,
     0.34358031871096484, 0.5107913569159452],
    [-4.946607757245824e-09, -1.3521432351900775e-08, 6.610183151765426e-08, 5.4877197623039765e-08,
     -3.7163646958410467e-07, 1.5086348591214197e-07, 1.0739744686311663e-06, -1.955995913496622e-06,
     -6.050557593208622e-07, 8.137641345236003e-06, -1.0831436166846611e-05, -1.7103607461026778e-05,
     7.223098558594817e-05, -1.7178632240152004e-05, -0.00033153601371393716, 0.00041864697777651254,
     0.0015453059557186107, -0.003239592446753025, -0.010755330940908886, 0.0182211157501113, 0.13973604627794914,
     0.3435803422069429, 0.5107913526210117],
)  # fmt: skip


@body
def normal_cdf(x: Any, density: Any) -> Any:
    """The standard normal distribution function of each lane; `density` is ``exp(-x²/2)``."""
    one, two = constant(x, 1.0), constant(x, 2.0)
    t = v.divide(two, v.fma(absolute(x), constant(x, math.sqrt(0.5)), two))
    tail = v.multiply(v.multiply(_erfcx_terms(v.subtract(v.add(t, t), one)), t), v.multiply(density, constant(x, 0.5)))
    return v.where(x, v.subtract(one, tail), tail)

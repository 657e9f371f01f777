"""Random numbers that are functions of a counter: whoever draws them, and in whatever order, gets the same.

Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (2011).
"""

from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.extending import intrinsic

from fastmlp.simd import ir
from fastmlp.simd.vector import Vector

ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_INCREMENTS = 0x9E3779B9, 0xBB67AE85  # of the key from round to round
WORDS = 4  # of a counter
_WORD = llvm.IntType(32)


def _round(builder: Any, words: list[Any], key: tuple[Any, Any]) -> list[Any]:
    wide = llvm.VectorType(llvm.IntType(64), words[0].type.count)
    high, low = [], []
    for word, multiplier in zip(words[::2], _MULTIPLIERS, strict=True):
        product = builder.mul(builder.zext(word, wide), llvm.Constant(wide, [multiplier] * wide.count))
        high.append(builder.trunc(builder.lshr(product, llvm.Constant(wide, [32] * wide.count)), word.type))
        low.append(builder.trunc(product, word.type))
    first = builder.xor(builder.xor(high[1], words[1]), key[0])
    second = builder.xor(builder.xor(high[0], words[3]), key[1])
    return [first, low[1], second, low[0]]


def _halves(builder: Any, number: Any) -> tuple[Any, Any]:
    """The low and the high 32 bits of a 64-bit number."""
    return builder.trunc(number, _WORD), builder.trunc(builder.lshr(number, ir.index(32)), _WORD)


@intrinsic
def keep_mask(context: Any, like: Any, key: Any, column: Any, row: Any, step: Any, threshold: Any, factor: Any) -> Any:
    """Four vectors, of four rows: `factor` in each lane whose random 32-bit word is at least `threshold`, else 0.

    Parameters
    ----------
    like : Vector
        Tells the type.
    key, step : int
        64 bits of the key, and of the counter's upper half.
    column, row : int
        The counter's lower half: number of the first lane's column, below 2**32, and of the group of four rows.
    threshold : int
        From 0 to 2**32 - 1.
    factor : number of the vector's type
        In lanes that are kept.
    """

    def emit(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        words = llvm.VectorType(_WORD, kind.count)
        numbers = llvm.Constant(words, list(range(kind.count)))
        columns = builder.add(ir.splat(builder, builder.trunc(arguments[2], _WORD), words), numbers)
        rest = [builder.trunc(arguments[3], _WORD), *_halves(builder, arguments[4])]
        state = [columns, *(ir.splat(builder, word, words) for word in rest)]
        key_words = _halves(builder, arguments[1])
        for turn in range(ROUNDS):
            bumped = [
                builder.add(word, llvm.Constant(_WORD, turn * increment & 0xFFFFFFFF))
                for word, increment in zip(key_words, _INCREMENTS, strict=True)
            ]
            state = _round(builder, state, (ir.splat(builder, bumped[0], words), ir.splat(builder, bumped[1], words)))
        least = ir.splat(builder, builder.trunc(arguments[5], _WORD), words)
        kept, dropped = ir.splat(builder, arguments[6], kind), ir.constant(kind, 0.0)
        masks = [builder.select(builder.icmp_unsigned(">=", word, least), kept, dropped) for word in state]
        return target.make_tuple(builder, signature.return_type, masks)

    result = types.UniTuple(Vector(like.dtype), WORDS)
    integer = types.int64
    return result(like, integer, integer, integer, integer, integer, like.dtype), emit

"""The three products of a linear layer with operands in bfloat16, by multiply-adds and by the instruction VDPBF16PS."""

from ._data import BATCHES, LAYERS, Array, use_threads

try:
    from . import _bfloat16
except ImportError:  # an earlier commit
    _bfloat16 = None  # type: ignore[assignment, unused-ignore]


class Products:
    """The products alone: the operands are rounded and copied before."""

    params = (["rounded", "packed"], LAYERS, BATCHES)
    param_names = ("operands", "layer (inputs x outputs)", "batch (rows)")

    def setup(self, operands: str, layer: str, batch: int) -> None:
        if _bfloat16 is None:
            raise NotImplementedError("there are no products in bfloat16")
        use_threads(1)
        n_in, n_out = map(int, layer.split("x"))
        self.layer = _bfloat16.Layer(operands, batch, n_in, n_out)
        self.time_forward()
        self.time_backward()
        self.time_update()

    def time_forward(self, *_: object) -> tuple[Array, ...]:
        return (self.layer.forward(),)

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        return (self.layer.backward(),)

    def time_update(self, *_: object) -> tuple[Array, ...]:
        return (self.layer.update(),)

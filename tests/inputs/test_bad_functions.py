"""Wrong activations, outputs, dropout rates, losses, targets, weights, states: one clear error, no changed network."""

import numpy as np
import pytest
from networks import digest
from refusals import refused

from fastmlp import MLP, SGD, Adam, AdamW, EarlyStopping, History, losses, train
from fastmlp.optimizers import State

N_IN, N_OUT, ROWS = 4, 3, 12
X = np.random.default_rng(0).standard_normal((ROWS, N_IN))
Y = np.arange(ROWS) % N_OUT
NAN = float("nan")

# (class, its arguments, exception, words of the message besides the last argument's name)
SETTINGS = [
    (MLP, {"activation": "swish"}, ValueError, ["'relu'", "'gelu'", "'swish'"]),
    (MLP, {"activation": "ReLU"}, ValueError, ["'ReLU'"]),
    (MLP, {"activation": None}, ValueError, ["None"]),
    (MLP, {"activation": ["relu"]}, ValueError, ["['relu']"]),
    (MLP, {"activation": np.array(["relu", "tanh"])}, ValueError, ["array"]),
    (MLP, {"activation": "exp"}, ValueError, ["'exp'"]),
    (MLP, {"output": "sigmoid"}, ValueError, ["'softmax'", "'logistic'", "'sigmoid'"]),
    (MLP, {"output": "relu"}, ValueError, ["'relu'"]),
    (MLP, {"output": 1}, ValueError, ["1"]),
    (MLP, {"dropout": 1.0}, ValueError, ["at least 0 and below 1", "1.0"]),
    (MLP, {"dropout": -0.1}, ValueError, ["at least 0 and below 1", "-0.1"]),
    (MLP, {"dropout": NAN}, ValueError, ["at least 0 and below 1", "nan"]),
    (MLP, {"dropout": "0.5"}, TypeError, ["number", "'0.5'"]),
    (MLP, {"dropout": None}, TypeError, ["number", "None"]),
    (MLP, {"dropout": True}, TypeError, ["number", "True"]),
    (MLP, {"dropout": {0: 0.5}}, TypeError, ["number", "{0: 0.5}"]),
    (MLP, {"dropout": [0.5]}, ValueError, ["2 hidden layers", "1"]),
    (MLP, {"dropout": [0.5, 0.5, 0.5]}, ValueError, ["2 hidden layers", "3"]),
    (MLP, {"dropout": []}, ValueError, ["2 hidden layers", "0"]),
    (MLP, {"dropout": (0.5, 1.0)}, ValueError, ["below 1", "1.0"]),
    (MLP, {"dropout": [0.5, "0.5"]}, TypeError, ["number", "'0.5'"]),
    (MLP, {"dropout": np.full((2, 1), 0.5)}, TypeError, ["number", "array([0.5])"]),
    (MLP, {"widths": [4, 3], "dropout": 1.5}, ValueError, ["below 1", "1.5"]),
    (SGD, {"clip_norm": 0.0}, ValueError, ["above 0", "0.0"]),
    (SGD, {"momentum": 0.9, "clip_norm": -1}, ValueError, ["above 0", "-1"]),
    (Adam, {"clip_norm": NAN}, ValueError, ["above 0", "nan"]),
    (Adam, {"clip_norm": float("inf")}, ValueError, ["finite", "inf"]),
    (AdamW, {"clip_norm": "1"}, TypeError, ["number", "'1'"]),
    (EarlyStopping, {"metric": None}, ValueError, ["'accuracy'", "'cost'", "None"]),
    (EarlyStopping, {"metric": "f1"}, ValueError, ["'accuracy'", "'f1'"]),
    (losses.CrossEntropy, {"label_smoothing": 1.0}, ValueError, ["below 1", "1.0"]),
    (losses.CrossEntropy, {"label_smoothing": True}, TypeError, ["number", "True"]),
    (losses.BinaryCrossEntropy, {"label_smoothing": -0.1}, ValueError, ["at least 0", "-0.1"]),
    (losses.BinaryCrossEntropy, {"label_smoothing": NAN}, ValueError, ["at least 0", "nan"]),
    (losses.Huber, {"delta": 0.0}, ValueError, ["above 0", "0.0"]),
    (losses.Huber, {"delta": float("inf")}, ValueError, ["finite", "inf"]),
]


@pytest.mark.parametrize(("kind", "arguments", "error", "words"), SETTINGS)
def test_settings(kind, arguments, error, words):
    whole = {"widths": [4, 5, 6, 3]} | arguments if kind is MLP else arguments
    refused(lambda: kind(**whole), error, [list(arguments)[-1], *words])


def refuse(call, error, words, output="softmax", n_outputs=N_OUT):
    """Check that a call with a network is refused and leaves the network as it was."""
    net = MLP([N_IN, 5, n_outputs], output=output, seed=1)
    before = digest(net)
    refused(lambda: call(net), error, words)
    assert digest(net) == before


def _train(net, y=Y, **arguments):
    return train(net, X, y, **{"validation": None, "batch_size": 4, "epochs": 2, "progress": False} | arguments)


OWN = [losses.CrossEntropy(), losses.BinaryCrossEntropy(), losses.Huber(), losses.Poisson()]
OUTPUTS = ["softmax", "logistic", "identity", "exp"]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("loss", OWN, ids=repr)
def test_a_loss_belongs_to_its_output(loss, output):
    if loss.output == output:
        assert MLP([4, 3], output=output).loss_of(loss) is loss
        return
    words = [repr(loss), f"output={loss.output!r}", f"got output={output!r}"]
    refuse(lambda net: _train(net, loss=loss), ValueError, words, output)
    refuse(lambda net: net.cost(X, Y, loss=loss), ValueError, words, output)


@pytest.mark.parametrize("loss", ["huber", losses.Huber, 1.0])
def test_a_loss_is_an_object(loss):
    for call in (lambda net: _train(net, loss=loss), lambda net: net.cost(X, Y, loss=loss)):
        refuse(call, TypeError, ["loss", "Loss"])


FLAGS = np.eye(N_OUT)[Y]
BAD_NAN, BAD_INF = FLAGS.copy(), FLAGS.copy()
BAD_NAN[7, 2], BAD_INF[3, 0] = np.nan, np.inf
# wrong targets for the outputs logistic, identity and exp
TARGETS = [
    ("too short", FLAGS[:-1], ValueError, ["(12, 3)", "(11, 3)"]),
    ("too narrow", FLAGS[:, :2], ValueError, ["(12, 3)", "(12, 2)"]),
    ("transposed", FLAGS.T, ValueError, ["(12, 3)", "(3, 12)"]),
    ("one dimension", Y.astype(float), ValueError, ["(12, 3)", "(12,)"]),
    ("three dimensions", FLAGS[None], ValueError, ["(12, 3)", "(1, 12, 3)"]),
    ("a number", 1.0, ValueError, ["(12, 3)", "()"]),
    ("empty", np.zeros((0, 3)), ValueError, ["(12, 3)", "(0, 3)"]),
    ("rows of unequal length", [[1, 0, 0], [1]], ValueError, ["(12, 3)", "unequal"]),
    ("NaN", BAD_NAN, ValueError, ["finite", "nan", "row 7", "column 2"]),
    ("infinity", BAD_INF, ValueError, ["finite", "inf", "row 3", "column 0"]),
    ("beyond float32", FLAGS * 1e300, ValueError, ["finite in float32", "1e+300"]),
    ("text", FLAGS.astype(str), TypeError, ["integers or floats", "<U"]),
    ("objects", FLAGS.astype(object), TypeError, ["integers or floats", "object"]),
    ("complex numbers", FLAGS.astype(complex), TypeError, ["integers or floats", "complex128"]),
    ("nothing", None, TypeError, ["integers or floats", "object"]),
]


@pytest.mark.parametrize("output", OUTPUTS[1:])
@pytest.mark.parametrize(("y", "error", "words"), [pytest.param(*case[1:], id=case[0]) for case in TARGETS])
def test_targets(y, error, words, output):
    for call in (lambda net: _train(net, y), lambda net: net.cost(X, y), lambda net: net.accuracy(X, y)):
        refuse(call, error, ["y", *words], output)
    refuse(lambda net: _train(net, FLAGS, validation=(X, y)), error, ["y_val", *words], output)


@pytest.mark.parametrize(
    ("output", "y", "words"),
    [
        ("logistic", 2 * FLAGS, ["between 0 and 1", "0.0 to 2.0"]),
        ("logistic", -FLAGS, ["between 0 and 1", "-1.0 to"]),
        ("exp", FLAGS - 0.5, ["at least 0", "-0.5 to 0.5"]),
        ("exp", -FLAGS.astype(int), ["at least 0", "-1 to 0"]),
    ],
)
def test_targets_are_in_the_range_of_their_loss(output, y, words):
    refuse(lambda net: _train(net, y), ValueError, ["y", *words], output)
    refuse(lambda net: net.cost(X, y), ValueError, ["y", *words], output)


def test_one_output_takes_no_row():
    words = ["y", "(12, 1) or (12,)", "(1, 12)"]
    refuse(lambda net: _train(net, Y[None] * 1.0), ValueError, words, "identity", n_outputs=1)


WEIGHTS = [
    ("too short", np.ones(11), ValueError, ["(12,)", "(11,)"]),
    ("a column", np.ones((12, 1)), ValueError, ["(12,)", "(12, 1)"]),
    ("a number", 2.0, ValueError, ["(12,)", "()"]),
    ("rows of unequal length", [[1], [1, 2]], ValueError, ["(12,)", "unequal"]),
    ("negative", -np.ones(12), ValueError, ["at least 0", "-1.0"]),
    ("NaN", np.full(12, np.nan), ValueError, ["finite", "nan"]),
    ("infinity", np.full(12, np.inf), ValueError, ["finite", "inf"]),
    ("zeros", np.zeros(12), ValueError, ["above 0", "zeros"]),
    ("an infinite sum", np.full(12, 1e308), ValueError, ["finite sum", "1e+308"]),
    ("text", np.ones(12).astype(str), TypeError, ["numbers", "<U"]),
    ("objects", np.ones(12).astype(object), TypeError, ["numbers", "object"]),
]


@pytest.mark.parametrize(("weights", "error", "words"), [pytest.param(*case[1:], id=case[0]) for case in WEIGHTS])
def test_weights_of_rows(weights, error, words):
    refuse(lambda net: _train(net, sample_weight=weights), error, ["sample_weight", *words])
    refuse(lambda net: net.cost(X, Y, sample_weight=weights), error, ["sample_weight", *words])
    refuse(lambda net: _train(net, validation=(X, Y, weights)), error, ["sample_weight_val", *words])


@pytest.mark.parametrize(("seed", "name"), [(3, "train"), (4, "validate")])
def test_a_row_with_a_weight_on_either_side(seed, name):
    rows = np.random.default_rng(seed).permutation(ROWS)
    weights = np.zeros(ROWS)
    weights[rows[:3] if name == "train" else rows[3:]] = 1
    arguments = {"validation": 0.25, "seed": seed, "sample_weight": weights}
    refuse(lambda net: _train(net, **arguments), ValueError, ["sample_weight", name, "above 0"])


CLASS_WEIGHTS = [
    ({3: 1.0}, ValueError, ["0 … 2", "3"]),
    ({-1: 1.0}, ValueError, ["0 … 2", "-1"]),
    ({"a": 1.0}, ValueError, ["0 … 2", "'a'"]),
    ({True: 1.0}, ValueError, ["0 … 2", "True"]),
    ({0: -1.0}, ValueError, ["class_weight[0]", "at least 0", "-1.0"]),
    ({0: NAN}, ValueError, ["class_weight[0]", "at least 0", "nan"]),
    ({0: "1"}, TypeError, ["class_weight[0]", "number", "'1'"]),
    ({0: 0, 1: 0, 2: 0}, ValueError, ["above 0"]),
    ("Balanced", ValueError, ["dict", "'balanced'", "'Balanced'"]),
    ([1.0, 2.0, 3.0], ValueError, ["dict", "[1.0, 2.0, 3.0]"]),
    (np.ones(3), ValueError, ["dict", "array"]),
]


@pytest.mark.parametrize(("class_weight", "error", "words"), CLASS_WEIGHTS, ids=str)
def test_weights_of_classes(class_weight, error, words):
    for validation in (None, 0.25, (X, Y)):
        refuse(
            lambda net, validation=validation: _train(net, class_weight=class_weight, validation=validation),
            error,
            ["class_weight", *words],
        )


@pytest.mark.parametrize("output", OUTPUTS[1:])
def test_weights_of_classes_need_classes(output):
    words = ["class_weight", "one class for each row", "3 outputs"]
    refuse(lambda net: _train(net, FLAGS, class_weight="balanced"), ValueError, words, output)


@pytest.mark.parametrize("state", [History(), "state", 3, [np.zeros(3)]], ids=repr)
def test_a_state_is_a_state(state):
    refuse(lambda net: _train(net, state=state), TypeError, ["state", "State"])


def test_a_state_fits():
    size = MLP([N_IN, 5, N_OUT]).snapshot().shape
    for moments in ([], [np.zeros(size)], 2 * [np.zeros(7)], 3 * [np.zeros(size)]):
        refuse(lambda net, moments=moments: _train(net, optimizer=Adam(), state=State(3, moments)), ValueError,
               ["state", f"2 moments of shape {size}", str([moment.shape for moment in moments])])  # fmt: skip


@pytest.mark.parametrize("output", ["identity", "exp"])
def test_numbers_have_no_accuracy_to_stop_by(output):
    call = {"validation": 0.25, "stop": EarlyStopping()}
    words = ["metric='accuracy'", f"output={output!r}", "metric='cost'"]
    refuse(lambda net: _train(net, FLAGS, **call), ValueError, words, output)


def test_a_metric_needs_rows():
    stop = EarlyStopping(lambda net, X_val, y_val: 1.0)
    refuse(lambda net: _train(net, stop=stop), ValueError, ["stop", "validation", "None"])


def test_what_is_accepted():
    for dropout in (0, 0.5, np.float32(0.5), [0.5, 0], (0.25, 0.5), np.array([0.25, 0.5])):
        net = MLP([4, 5, 6, 3], dropout=dropout)
        assert [type(rate) for rate in net.dropout] == [float, float]
    assert MLP([4, 3], dropout=0.5).dropout == MLP([4, 3], dropout=()).dropout == ()
    net = MLP([4, 5, 3], output="logistic")
    for y in (FLAGS, FLAGS.tolist(), FLAGS > 0, FLAGS.astype(np.int8), FLAGS.astype(">f4"), np.asfortranarray(FLAGS)):
        assert net.cost(X, y) == net.cost(X, FLAGS)
    for weights in (np.ones(12, bool), [1] * 12, np.ones(12, np.uint8), np.ones(24)[::2]):
        assert net.cost(X, FLAGS, sample_weight=weights) == pytest.approx(net.cost(X, FLAGS))
    _train(MLP([4, 5, 3]), class_weight={np.int64(1): 2, 0: 3.5})

"""Do one task that neither trains nor predicts, in a new process; end with an error if Numba was imported."""

import sys


def build():
    import fastmlp

    fastmlp.MLP([4, 3, 2], batch_norm=fastmlp.BatchNorm())


def save_and_load(path):
    import fastmlp

    fastmlp.MLP([4, 3, 2]).save(path)
    fastmlp.load(path)


def history(path):
    import fastmlp

    fastmlp.History().to_csv(path)


def estimator():
    from fastmlp.sklearn import MLPClassifier

    MLPClassifier(solver="sgd").get_params()


def command(*arguments):
    from fastmlp.cli import main

    assert main(arguments) == 0


def modules_of(name, *arguments):
    globals()[name](*arguments)
    print("", *sys.modules, sep="\n")


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    globals()[name](*arguments)
    if "numba" in sys.modules:
        sys.exit(f"{name} imported Numba")

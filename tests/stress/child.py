"""Trains repeatedly in its own process, which `python tests/stress` disturbs.

    python tests/stress/child.py KIND SEED FITS CASES

The program prints a line for each event: ``fit NUMBER THREADS DIGEST``, or another word. The last line is ``end``.
SIGUSR1 writes the stacks of all threads to stderr.
"""

import faulthandler
import os
import random
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

TESTS = Path(__file__).parent.parent
MOST_THREADS = 8
FORKED_FITS = 3  # fits of a forked process
SECONDS_UNTIL_EXIT = 0.1  # longest time from the begin of a training to the exit
FOR_EVER = 10**9  # epochs
PATIENCE = 10  # seconds until Ctrl-C is pressed again, which it is so often:
AGAIN = 3

if __name__ == "__main__":
    sys.path[0] = str(TESTS)

from fastmlp.engine import plan  # noqa: E402
from stress.fits import fit, fit_many, train_for_ever  # noqa: E402 - found by the path above


def say(*words):
    """Write a whole line with one call, without a buffer."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Child:
    """The fits of a seed, in one of several kinds of disturbance."""

    def __init__(self, seed, fits, cases):
        self.draw, self.fits, self.cases = random.Random(seed), fits, cases

    def tasks(self, count):
        """Draw numbers of fits, each with a number of threads."""
        return [(self.draw.randrange(self.cases), self.draw.randint(1, MOST_THREADS)) for _ in range(count)]

    def plain(self):
        """Do all fits one after the other."""
        fit_all(self.tasks(self.fits))

    def at_once(self):
        """Do fits at the same time, in several threads of Python."""
        for _ in range(0, self.fits, 12):
            size = self.draw.randint(2, 4)
            members = [threading.Thread(target=fit_all, args=(self.tasks(12 // size),)) for _ in range(size)]
            for member in members:
                member.start()
            for member in members:
                member.join()

    def forked(self):
        """Fork while another thread trains. The forked process trains, too, and ends."""
        left = self.fits
        while left > 0:
            beside = threading.Thread(target=fit_all, args=(self.tasks(3),))
            here, left = self.tasks(FORKED_FITS), left - 3 - FORKED_FITS
            moment = self.draw.uniform(0, 0.03)
            beside.start()
            time.sleep(moment)
            process = os.fork()
            if process == 0:
                fit_all(here)
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            say("forked" if status == 0 else f"failed forked process ended by {status}")
            beside.join()

    def interrupted(self):
        """Send Ctrl-C at a random moment of every second fit. A fit that it did not stop must be right."""
        for i, task in enumerate(self.tasks(self.fits)):
            if i % 2 == 0:
                fit_all([task])
                continue
            say(self._interrupted_fit(*task, self.draw.uniform(0, 0.015)))

    @staticmethod
    def _interrupted_fit(number, threads, moment):
        timer = threading.Timer(moment, os.kill, (os.getpid(), signal.SIGINT))
        stopped = None
        try:
            timer.start()
            found = fit(number, threads)
            stopped = found.stopped_because
            if stopped == "epochs":
                say("fit", number, threads, found.digest)
            timer.join()
            time.sleep(0.005)
        except KeyboardInterrupt:
            pass
        timer.join()
        return "interrupted" if stopped != "epochs" else "interrupted behind the fit"

    def many(self):
        """Train networks at once and press Ctrl-C up to three times. Half of the trainings end by Ctrl-C alone."""
        left = self.fits
        while left > 0:
            ((number, threads),) = self.tasks(1)
            copies, epochs = self.draw.randint(2, 5), self.draw.choice([None, FOR_EVER])
            presses = self.draw.randint(0 if epochs is None else 1, 3)
            pauses = [self.draw.choice([0, self.draw.uniform(0, 0.03)]) for _ in range(presses)]
            through(Many(number, copies, threads, epochs, pauses))
            left -= copies

    def exits(self):
        """Let the interpreter exit during a training: first in forked processes, and at the end in this one."""
        left = self.fits
        while left > 0:
            left -= 2
            fit_all(self.tasks(2))
            threads, moment = self.draw.randint(1, MOST_THREADS), self.draw.uniform(0, SECONDS_UNTIL_EXIT)
            process = os.fork()
            if process == 0:
                _train_beside(threads, moment)
                sys.exit()
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            say("exited" if status == 0 else f"failed exit in the middle ended by {status}")
        _train_beside(self.draw.randint(1, MOST_THREADS), self.draw.uniform(0, SECONDS_UNTIL_EXIT))
        say("exited")


class Many:
    """Networks that are trained at once, while another thread presses Ctrl-C; it is called until nothing is left to do.

    Parameters
    ----------
    number, copies, threads, epochs : as for `fit_many`
        What is trained.
    pauses : list of float
        The seconds before each Ctrl-C.
    """

    def __init__(self, number, copies, threads, epochs, pauses):
        self.number, self.copies, self.threads, self.epochs, self.pauses = number, copies, threads, epochs, pauses
        self.ended, self.begun = threading.Event(), False
        self.keys = threading.Thread(target=self._press)

    def _press(self):
        for pause in self.pauses:
            time.sleep(pause)
            if self.ended.is_set():
                return
            os.kill(os.getpid(), signal.SIGINT)
        for _ in range(AGAIN):
            if self.epochs is None or self.ended.wait(PATIENCE):
                return
            say("pressed again")
            os.kill(os.getpid(), signal.SIGINT)

    def __call__(self):
        if not self.begun:
            self.begun = True
            self.keys.start()
            self._train()
        self.ended.set()
        self.keys.join()
        time.sleep(0.005)

    def _train(self):
        found = fit_many(self.number, self.copies, self.threads, self.epochs)
        for one in found:
            if one.stopped_because == "epochs":
                say("fit", self.number, self.threads, one.digest)
        if any(one.stopped_because == "interrupted" for one in found):
            say("many interrupted")


def through(call, depth=3):
    """Call until the call ends without a Ctrl-C. One may also come just behind it, hence the levels."""
    while True:
        try:
            return call() if depth == 0 else through(call, depth - 1)
        except KeyboardInterrupt:
            continue


def fit_all(tasks):
    """Do the fits and print their digests."""
    for number, threads in tasks:
        say("fit", number, threads, fit(number, threads).digest)


def _train_beside(threads, moment):
    threading.Thread(target=train_for_ever, args=(threads,), daemon=True).start()
    time.sleep(moment)


KINDS = {
    "one after the other": Child.plain,
    "from several threads": Child.at_once,
    "forked": Child.forked,
    "interrupted": Child.interrupted,
    "many at once, interrupted": Child.many,
    "exits": Child.exits,
}


def _unraisable(what, original=sys.unraisablehook):
    # Python drops a KeyboardInterrupt inside a callback of a weak reference, and Thread objects have such callbacks. If
    # a KeyboardInterrupt comes while a file is opened, the garbage collector closes the file, with a ResourceWarning.
    if what.exc_type not in (KeyboardInterrupt, ResourceWarning):
        original(what)


def main():
    """Run from the command line."""
    kind, seed, fits, cases = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    plan.PARALLEL_FLOP = plan.PACKED_PARALLEL_FLOP = plan.EPOCH_FLOP = 0  # threads for networks and data of any size
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    sys.unraisablehook = _unraisable
    # a shell starts a background job with SIGINT ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    if kind == "quiet":
        fit_all([(number, 1) for number in range(cases)])
    else:
        KINDS[kind](Child(seed, fits, cases))
    say("end")


if __name__ == "__main__":
    main()

"""Benchmarks for the gate. Environment variables set the size of their work and the failure of one of them."""

import os
import subprocess
import sys

FACTOR = int(os.environ.get("FACTOR", "1"))


class Loop:
    params = ([1000, 2000], [1, 2])
    param_names = ("n", "threads")

    def setup(self, n, threads):
        self.n = n * FACTOR

    def time_loop(self, n, threads):
        print("benchmarks may print")
        for _ in range(self.n):
            pass

    def track_n(self, n, threads):
        return n


class Odd:
    def setup(self):
        what = os.environ.get("ODD")
        if what == "skip":
            raise NotImplementedError("no such thing here")
        if what == "fail":
            raise AttributeError("no such kernel")
        if what == "crash":
            os.write(2, b"out of luck\n")
            os._exit(3)

    def time_nothing(self):
        pass


class Child:
    def time_process(self):
        subprocess.run([sys.executable, "-S", "-c", f"for _ in range({FACTOR} * 2_000_000): pass"], check=True)


class Memory:
    def peakmem_bytes(self):
        return bytearray(FACTOR * 50_000_000)

"""The steps of a training as atomic operations: the accesses of `fastmlp/engine/step.py` to the shared cells.

Every method is named after the function that it transcribes. Loops over steps, passes, layers and threads are unrolled.
A piece of work is one operation that takes time: during it the thread reads and writes memory. The length of a piece
depends only on how much of a share is taken, so the cell of a share counts pieces in this model.
"""

from dataclasses import dataclass

from protocol.program import ARRIVE, CHOOSE, END, EXCHANGE, LOAD, STORE, TEST, WAIT, WORK, Access, Label, Program


@dataclass(frozen=True)
class Size:
    """The size of a training, and the events that may happen during it.

    Attributes
    ----------
    threads, steps, passes, layers : int
        Numbers of the training. There is one pass without batch norm, and 3, 5, … passes with it.
    rows, tiles : int
        Number of pieces in a thread's share of the rows, and in its share of a layer's tiles. The owner does a single
        piece itself.
    clips : bool
        Whether the gradient is clipped, so that the update waits for its norm.
    factors : bool
        Whether inputs have factors, so that the steps of the first layer wait for all gradients.
    stops : bool
        Whether the stop cell may be set from outside at any moment.
    fails : bool
        Whether thread 0 may find a cost that is not finite.
    leaves : bool
        Whether any thread may raise an error before any step.
    """

    threads: int = 2
    steps: int = 2
    passes: int = 1
    layers: int = 1
    rows: int = 2
    tiles: int = 2
    clips: bool = False
    factors: bool = False
    stops: bool = True
    fails: bool = False
    leaves: bool = False

    @property
    def pieces(self) -> list[tuple[int, int]]:
        """The pieces of rows of a pass: owner and number."""
        return [(owner, piece) for owner in range(self.threads) for piece in range(self.rows)]

    @property
    def all_tiles(self) -> list[tuple[int, int, int]]:
        """The pieces of tiles of a step: owner, layer and number."""
        numbers = range(self.tiles)
        return [(t, i, piece) for t in range(self.threads) for i in range(self.layers) for piece in numbers]


class Names:
    """Numbers for names: of bits of work and of memory, or of cells."""

    def __init__(self, first: int = 0) -> None:
        self.first, self.numbers = first, dict[tuple, int]()

    def number(self, *name) -> int:
        """The number of a name; a new name gets a new number."""
        return self.numbers.setdefault(name, self.first + len(self.numbers))

    def bit(self, *name) -> int:
        """The number of a name, as a bit."""
        return 1 << self.number(*name)

    def text_of(self, number: int) -> str:
        """The name that has a number."""
        return " ".join(map(str, next(name for name, known in self.numbers.items() if known == number)))


@dataclass(frozen=True)
class Shared:
    """The names that all threads use for the same things."""

    cells: Names
    done: Names
    memory: Names


class Member(Program):
    """One thread of a team, up to its end."""

    def __init__(self, size: Size, thread: int, shared: Shared) -> None:
        super().__init__()
        self.size, self.thread, self.shared = size, thread, shared
        self.arrivals = 0
        self.end_abandoned = Label()

    # ---- what `fastmlp/simd/atomics.py` and `fastmlp/engine/shares.py` offer

    def cell(self, *name) -> int:
        return self.shared.cells.number(*name)

    def store(self, name, value, where, **arguments):
        self.add(
            STORE, f"{where}: {' '.join(map(str, name))} = {value}", cell=self.cell(*name), value=value, **arguments
        )

    def barrier(self, where):
        """atomics.py: barrier, step.py: wait."""
        self.arrivals += self.size.threads
        self.add(ARRIVE, f"{where}: arrive at the barrier of {self.arrivals}", cell=self.cell("arrived"))
        self.wait(where)

    def wait(self, where):
        text = f"{where}: the barrier of {self.arrivals} opens"
        self.add(WAIT, text, cell=self.cell("arrived"), value=self.arrivals, otherwise=self.end_abandoned)

    def take(self, name, total, nothing_left, where):
        """shares.py: take."""
        again = len(self.operations)
        cell, text = self.cell(*name), f"{where}: take from {' '.join(map(str, name))}"
        self.add(LOAD, f"{text}: load", cell=cell, value=total, otherwise=nothing_left)
        self.exchange(cell, again, text)

    def exchange(self, cell, again, text):
        self.add(EXCHANGE, f"{text}: compare and exchange", cell=cell, otherwise=again)

    def row_cell(self, owner, number):
        """shares.py: row_cell."""
        return "rows", owner, number % 2

    def tile_cell(self, owner, layer):
        """shares.py: tile_cell."""
        return "tiles", owner, layer

    # ---- memory

    def bits(self, *names):
        return sum(self.shared.memory.bit(*name) for name in names)

    def parameters(self):
        return self.bits(("norms",), *(("parameters", *tile) for tile in self.size.all_tiles))

    def tiles_of(self, kind):
        return self.bits(*((kind, *tile) for tile in self.size.all_tiles))

    def sums(self, number):
        """What a pass sums up; rows.py: _block_sums."""
        return [("sums", number % 2, *piece) for piece in self.size.pieces]

    def rows_done(self, step, number):
        return sum(self.shared.done.bit("rows", step, number, *piece) for piece in self.size.pieces)

    def tiles_done(self, step):
        return sum(self.shared.done.bit("tiles", step, *tile) for tile in self.size.all_tiles)

    def updated(self, step):
        """All that makes the update of a step."""
        waiting = range(self.size.threads) if self.size.clips or self.size.factors else ()
        return self.tiles_done(step) + sum(self.shared.done.bit("stepped", step, thread) for thread in waiting)

    def waits(self, i):
        """rules.py: waits."""
        return self.size.clips or (self.size.factors and i == 0)

    # ---- step.py

    def train_steps(self):
        """_train_steps, and what becomes of an error in team.py: _Team.work."""
        for step in range(self.size.steps):
            if self.size.leaves:
                here = len(self.operations)
                self.add(CHOOSE, "the thread raises an error, or not", otherwise=here + 3)
                self.store(("abandoned",), 1, "team.py: _Team.work")
                self.add(END, "abandoned")
            self.begin(step)
            self.pass_all(step)
            self.finish_step(step)
            self.look_at_halt(step)
        self.add(END, f"all {self.size.steps} steps")
        self.place(self.end_abandoned)
        self.add(END, "abandoned")
        self.finish()
        return self

    def begin(self, step):
        """_begin."""
        for i in range(self.size.layers):
            self.store(self.tile_cell(self.thread, i), 0, "_begin", resets=True)

    def stopping(self, skip):
        """_stopping: go to `skip` with a word to the team when the stop cell is set."""
        here = len(self.operations)
        self.add(TEST, "_stopping: load stop", cell=self.cell("stop"), otherwise=here + 2)
        self.store(("skipped",), 1, "_stopping", then=skip)

    def pass_all(self, step):
        """_pass_all."""
        for number in range(self.size.passes):
            if number > 0:
                self.barrier_between_passes()
                self.merge(step, number)
            self.rows(step, number)
        go_on = Label()
        self.stopping(go_on)
        self.place(go_on)
        self.barrier_before_update()
        self.look_at_skipped(step)

    def barrier_between_passes(self):
        self.barrier("_pass_all")

    def barrier_before_update(self):
        self.barrier("_pass_all")

    def look_at_skipped(self, step):
        here = len(self.operations)
        self.add(TEST, "_pass_all: load skipped", cell=self.cell("skipped"), otherwise=here + 2)
        self.add(END, f"rows of step {step} skipped")

    def merge(self, step, number):
        """rows.py: merge. Every thread has statistics of its own."""
        reads = self.bits(*self.sums(number - 1))
        needs = self.rows_done(step, number - 1)
        self.add(WORK, f"merge for pass {number}", work=(Access(reads),), needs=needs, excused=True)

    def rows(self, step, number):
        """_rows."""
        self.reset_row_cell(number)
        for turn in range(self.size.threads):
            owner = (self.thread + turn) % self.size.threads
            if turn > 0 and self.size.rows == 1:
                continue
            again, nothing_left = len(self.operations), Label()
            self.stopping(nothing_left)
            self.take(self.row_cell(owner, number), self.size.rows, nothing_left, "_rows")
            self.pass_over(step, number, owner, again)
            self.place(nothing_left)

    def reset_row_cell(self, number):
        self.store(self.row_cell(self.thread, number + 1), 0, "_rows", resets=True)

    def pass_over(self, step, number, owner, then):
        """rows.py: pass_over. The middle pass has the loss in it; all but the last write sums."""
        work, costs, sums = [], number == self.size.passes // 2, number < self.size.passes - 1
        for piece in range(self.size.rows):
            written = [("rows", owner, piece)]
            if costs:
                written.append(("costs", owner, piece))
            if sums:
                written += [name for name in self.sums(number) if name[2:] == (owner, piece)]
            bit = self.shared.done.bit("rows", step, number, owner, piece)
            work.append(Access(self.parameters(), self.bits(*written), bit))
        needs = self.rows_done(step, number - 1) if number > 0 else self.updated(step - 1) if step > 0 else 0
        text = f"step {step}, pass {number}, rows of thread {owner}"
        self.add(WORK, text, work=tuple(work), needs=needs, excused=number > 0, then=then)

    def finish_step(self, step):
        """_finish."""
        if self.thread == 0:
            self.mean_cost(step)
            self.decide()
        self.update_tiles(step)
        if self.size.clips or self.size.factors:
            self.step_waiting(step)
        if self.thread == 0 and self.size.passes > 1:
            self.add(WORK, "update_norms", work=(Access(writes=self.bits(("norms",))),))
        self.barrier_after_update()
        if self.thread == 0:
            self.add(WORK, "_finish: the sum of all squares of weights", work=(Access(self.tiles_of("squares")),))
            self.count_step(step)

    def count_step(self, step):
        self.store(("steps done",), step + 1, "_finish", needs=self.updated(step))

    def mean_cost(self, step):
        """_mean_cost."""
        reads = self.bits(*(("costs", *piece) for piece in self.size.pieces))
        needs = self.rows_done(step, self.size.passes - 1)
        self.add(WORK, "_mean_cost", work=(Access(reads),), needs=needs)

    def decide(self):
        """Thread 0 decides for all whether this step is the last one."""
        here = len(self.operations)
        if self.size.fails:
            self.add(CHOOSE, "_finish: the cost is finite, or not", otherwise=here + 2)
            here += 1
        self.add(TEST, "_finish: load stop", cell=self.cell("stop"), otherwise=here + 2)
        self.store(("halt",), 1, "_finish")

    def barrier_after_update(self):
        self.barrier("_finish")

    def look_at_halt(self, step):
        """The end of a step in _train_steps."""
        here = len(self.operations)
        self.add(TEST, "_train_steps: load halt", cell=self.cell("halt"), otherwise=here + 2)
        self.add(END, f"halted after step {step}")

    def update_tiles(self, step):
        """_update_tiles."""
        self.reset_first_row_cell()
        for turn in range(self.size.threads):
            owner = (self.thread + turn) % self.size.threads
            for i in reversed(range(self.size.layers)):
                if turn > 0 and self.size.tiles == 1:
                    continue
                again, nothing_left = len(self.operations), Label()
                self.take(self.tile_cell(owner, i), self.size.tiles, nothing_left, "_update_tiles")
                self.tiles(step, owner, i, again)
                self.place(nothing_left)

    def reset_first_row_cell(self):
        self.store(self.row_cell(self.thread, 0), 0, "_update_tiles", resets=True)

    def tiles(self, step, owner, i, then):
        """_tiles: a tile sums over all rows; where its step waits, its gradient is all that is written."""
        rows, work = self.bits(*(("rows", *piece) for piece in self.size.pieces)), []
        kinds = ("gradients",) if self.waits(i) else ("gradients", "parameters", "squares")
        for piece in range(self.size.tiles):
            writes = self.bits(*((kind, owner, i, piece) for kind in kinds))
            work.append(Access(rows, writes, self.shared.done.bit("tiles", step, owner, i, piece)))
        needs = self.rows_done(step, self.size.passes - 1)
        self.add(WORK, f"step {step}, layer {i}, tiles of thread {owner}", work=tuple(work), needs=needs, then=then)

    def step_waiting(self, step):
        """_step_waiting.

        With factors, every thread turns the gradients of its own inputs into those of their factors and weights; with
        clipping, every thread reads all gradients' squares; then each steps what is its own. A thread's inputs are not
        those of its tiles: here they are those of the next thread's.
        """
        needs, own = self.tiles_done(step), (self.thread + 1) % self.size.threads
        inputs = [tile for tile in self.size.all_tiles if tile[:2] == (own, 0)] if self.size.factors else []
        if self.size.factors:
            self.barrier_before_factors()
            gradients = self.bits(*(("gradients", *tile) for tile in inputs))
            self.add(WORK, "factor_gradients", work=(Access(writes=gradients),), needs=needs)
        if self.size.clips:
            self.barrier_before_clipping()
            self.add(WORK, "clip_factor", work=(Access(self.tiles_of("gradients")),), needs=needs)
        tiles = [tile for tile in self.size.all_tiles if tile[0] == self.thread and self.waits(tile[1])]
        mine = [tile for tile in tiles if tile[1] > 0 or not self.size.factors] + inputs
        reads = self.bits(*(("gradients", *tile) for tile in mine))
        writes = self.bits(*((kind, *tile) for tile in mine for kind in ("parameters", "squares")))
        bit = self.shared.done.bit("stepped", step, self.thread)
        self.add(WORK, "step_factors, step_own", work=(Access(reads, writes, bit),))

    def barrier_before_factors(self):
        self.barrier("_step_waiting")

    def barrier_before_clipping(self):
        self.barrier("_step_waiting")

"""The search through all states that the threads of a training can reach, in any order of their operations."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from protocol.program import ARRIVE, CHOOSE, END, EXCHANGE, LOAD, OVERWRITE, STORE, TEST, WAIT, WORK
from protocol.steps import Member, Names, Shared, Size

State = tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """The number of states; and if a state is wrong, the error and the shortest sequence of operations to it."""

    states: int
    wrong: str | None = None
    way: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.wrong is None:
            return f"{self.states:,} states, all good"
        return "\n".join([*self.way, f"{self.wrong}, in state {self.states:,}"])


class Team:
    """The threads of one training, and the conditions that must hold in all of their states.

    Parameters
    ----------
    size : Size
        The size of the training.
    member : type
        `Member`, or a subclass with a deliberate error.
    """

    def __init__(self, size: Size, member: type[Member] = Member) -> None:
        self.size, n = size, size.threads
        self.shared = Shared(Names(2 * n), Names(), Names())
        for name in ("arrived", "stop", "abandoned", "skipped", "halt", "steps done"):
            self.shared.cells.number(name)
        self.stop, self.abandoned, self.skipped = (2 * n + i for i in (1, 2, 3))
        self.members = [member(size, thread, self.shared).train_steps().operations for thread in range(n)]
        self.start: State = (0,) * (2 * n + len(self.shared.cells.numbers) + 1)
        self.updates = [Member(size, 0, self.shared).updated(step) for step in range(size.steps)]

    # ---- what can happen

    def moves(self, state: State) -> Iterator[tuple[int, State]]:
        """Yield every state that one operation of one thread leads to, with the thread."""
        for thread, operations in enumerate(self.members):
            operation = operations[state[thread]]
            kind, register = operation.kind, self.size.threads + thread
            if kind == END:
                continue
            after = list(state)
            after[thread] = operation.then
            if kind == STORE:
                after[operation.cell] = operation.value
            elif kind == ARRIVE:
                after[operation.cell] += 1
            elif kind == WAIT:
                # The count is loaded first, and the abandoned cell if it is too small. Others may arrive in between:
                # so a thread can leave though all have come.
                if state[self.abandoned] and operation.otherwise >= 0:
                    left = list(after)
                    left[thread] = operation.otherwise
                    yield thread, tuple(left)
                if state[operation.cell] < operation.value:
                    continue
            elif kind == TEST:
                after[thread] = operation.then if state[operation.cell] else operation.otherwise
            elif kind == LOAD:
                if state[operation.cell] >= operation.value:
                    after[thread] = operation.otherwise
                else:
                    after[register] = state[operation.cell]
            elif kind == EXCHANGE:
                if state[operation.cell] == state[register]:
                    after[operation.cell] += 1
                else:
                    after[thread], after[register] = operation.otherwise, 0
            elif kind == OVERWRITE:
                after[operation.cell] = state[register] + 1
            elif kind == WORK:
                after[-1] |= operation.work[state[register]].bit
                after[register] = 0
            elif kind == CHOOSE:
                yield thread, (*after[:thread], operation.otherwise, *after[thread + 1 :])
            yield thread, tuple(after)

    def all_following(self, state: State, following: list[State]) -> list[State]:
        """Return the states that follow a state: `following`, and the state after a stop from outside."""
        if not self.size.stops or state[self.stop]:
            return following
        return [*following, (*state[: self.stop], 1, *state[self.stop + 1 :])]

    # ---- what must hold

    def wrong(self, state: State) -> str | None:
        """Return what is wrong in a state, or None."""
        done, at_work = state[-1], []
        for thread, operations in enumerate(self.members):
            operation = operations[state[thread]]
            if operation.needs & ~done and not (operation.excused and state[self.skipped]):
                missing = self._first(self.shared.done, operation.needs & ~done)
                return f"thread {thread} is at «{operation.text}», but not done: {missing}"
            if operation.kind == WORK:
                access = operation.work[state[self.size.threads + thread]]
                if access.bit & done:
                    return f"thread {thread} does again: {self._first(self.shared.done, access.bit)}"
                at_work.append((thread, access))
            elif operation.resets:
                for other, theirs in enumerate(self.members):
                    if other != thread and operation.cell in theirs[state[other]].may_take:
                        cell = self.shared.cells.text_of(operation.cell)
                        return f"thread {thread} resets a cell from which thread {other} may take: {cell}"
        for thread, access in at_work:
            for other, theirs in at_work:
                both = access.writes & (theirs.reads | theirs.writes)
                if both and other != thread:
                    where = self._first(self.shared.memory, both)
                    return f"thread {thread} writes while thread {other} is there: {where}"
        return None

    def wrong_end(self, state: State) -> str | None:
        """Return what is wrong in a state in which no thread can continue, or None."""
        ends = [operations[place] for operations, place in zip(self.members, state[: self.size.threads], strict=True)]
        if any(end.kind != END for end in ends):
            return f"no thread can move: {'; '.join(end.text for end in ends)}"
        if state[self.abandoned]:  # the caller gets the error, and the network keeps its parameters
            return None
        if len({end.text for end in ends}) > 1:
            return f"threads end differently: {'; '.join(end.text for end in ends)}"
        steps = state[self.shared.cells.number("steps done")]
        for step, update in enumerate(self.updates):
            if state[-1] & update != (update if step < steps else 0):
                return f"{steps} steps count as done, but of step {step} not all tiles, or some"
        return None

    @staticmethod
    def _first(names: Names, bits: int) -> str:
        return names.text_of((bits & -bits).bit_length() - 1)


def search(team: Team, most: int | None = None) -> Found:
    """Check every state, those with the fewest operations first. Raise MemoryError after `most` states."""
    before: dict[State, State | None] = {team.start: None}
    ways_into: dict[State, int] = {team.start: 0}
    ahead = deque([team.start])
    while ahead:
        state = ahead.popleft()
        following = [after for _, after in team.moves(state)]
        wrong = team.wrong(state) or (None if following else team.wrong_end(state))
        if wrong:
            return Found(len(before), wrong, tuple(_way(team, before, state)))
        if most is not None and len(before) > most:
            raise MemoryError(f"more than {most:,} states")
        for after in team.all_following(state, following):
            ways_into[after] = ways_into.get(after, 0) + 1
            if after not in before:
                before[after] = state
                ahead.append(after)
    round_about = _in_a_circle(team, ways_into)
    if round_about is not None:
        return Found(len(before), "threads go round for ever", tuple(_way(team, before, round_about)))
    return Found(len(before))


def _in_a_circle(team: Team, ways_into: dict[State, int]) -> State | None:
    """Return a state on a circle, or None. States to which no other state leads are removed until none is left."""
    ahead = [team.start]
    while ahead:
        state = ahead.pop()
        del ways_into[state]
        for after in team.all_following(state, [after for _, after in team.moves(state)]):
            ways_into[after] -= 1
            if ways_into[after] == 0:
                ahead.append(after)
    return next(iter(ways_into), None)


def _way(team: Team, before: dict[State, State | None], state: State) -> list[str]:
    """Return the operations from the start to a state."""
    lines, after, earlier = [], state, before[state]
    while earlier is not None:
        thread = next((thread for thread, found in team.moves(earlier) if found == after), None)
        text = "stop from outside" if thread is None else team.members[thread][earlier[thread]].text
        lines.append(text if thread is None else f"thread {thread}: {text}")
        after, earlier = earlier, before[earlier]
    return lines[::-1]

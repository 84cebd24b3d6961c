"""How far a long command has come: a bar on a terminal, a line now and then elsewhere. Written to standard error."""
import os
import time

from . import screen

DRAW_S, LINE_S = 0.2, 10
WIDTH = 20


def thousands(number: int) -> str:
    """Formats a number with commas."""
    return f'{number:,}'


def rough(seconds: float) -> str:
    """Formats a time to come, rounded up."""
    for size, unit in ((3600, 'h'), (60, 'm')):
        if seconds > 2 * size:
            return f'{int(-(-seconds // size))}{unit}'
    return f'{int(-(-seconds // 1))}s'


class Progress:
    """Counts what is done. Not thread-safe."""

    def __init__(self, total: int, what: str):
        """`what` is done to `total` things, such as "moved"."""
        self._total, self._what, self._done = total, what, 0
        self._began = self._last = time.monotonic()
        self._terminal = os.isatty(2)
        self._shown = -1  # how much was done when it was shown last

    def add(self, more: int = 1, found: int = 0) -> None:
        """Counts `more` things as done, and `found` as things to do that were not known before."""
        self._done += more
        self._total = max(self._total + found, self._done)
        now = time.monotonic()
        if now - self._last >= (DRAW_S if self._terminal else LINE_S):
            self._last = now
            self._show(now)

    def _show(self, now: float) -> None:
        self._shown = self._done
        if self._terminal:
            screen.redraw(f'{self.bar()} {self.words(now)}')
        else:
            screen.say(self.words(now))

    def bar(self) -> str:
        """Returns the share of what is done as a bar, such as [##--------]."""
        marks = self._done * WIDTH // self._total if self._total else WIDTH
        return f'[{"#" * marks}{"-" * (WIDTH - marks)}]'

    def words(self, now: float) -> str:
        """Returns how far it is, and how long the rest will take at the same speed."""
        took, left = now - self._began, self._total - self._done
        words = f'{thousands(self._done)} of {thousands(self._total)} {self._what}'
        if took >= 1 and self._done:
            words += f', {thousands(int(self._done / took))} a second'
            if left:
                words += f', {rough(left * took / self._done)} left'
        return words

    def end(self) -> None:
        """Shows the last state, unless there was nothing to do: the bar stays as it is then."""
        if self._total and (self._terminal or self._shown != self._done):
            self._show(time.monotonic())
        screen.end_redraw()

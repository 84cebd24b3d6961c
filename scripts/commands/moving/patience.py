"""Repeats a request while the server is away or overloaded, within bounds, until it is to stop."""
import threading
import time
from collections.abc import Callable

FIRST_S, LONGEST_S = 0.1, 5  # pauses, where the server does not say how long to wait
BOUND_S = 120                # for which one request is repeated


class Away(Exception):
    """A request got no answer, or one that asks for another try, after `wait_s` seconds if the server says so."""

    def __init__(self, words: str, wait_s: float | None = None):
        super().__init__(words)
        self.words, self.wait_s = words, wait_s


class Stopped(Exception):
    """No more requests are to be sent."""


def patiently(act: Callable, stop: threading.Event, bound_s: float = BOUND_S):
    """Returns what `act` returns, which raises Away to be called again. Raises Stopped, or the last Away when the time is over."""
    end, pause = None, FIRST_S
    while True:
        try:
            return act()
        except Away as away:
            now = time.monotonic()
            end = now + bound_s if end is None else end
            wait = pause if away.wait_s is None else away.wait_s
            pause = min(2 * pause, LONGEST_S)
            if now + wait > end:
                raise
        if stop.wait(wait):
            raise Stopped

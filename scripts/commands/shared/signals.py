"""Signals that end a command at once, but not before it has cleaned up."""
import signal

from .failure import Ended


def clean_up_first() -> None:
    """Makes SIGHUP and SIGTERM raise Ended(128 + their number) wherever the command is, so that `finally` runs. A signal that whoever started
    the command ignores stays ignored. SIGINT does so always, as KeyboardInterrupt."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _end)


def ignore_more() -> None:
    """From now on such signals change nothing; for what must not be interrupted any more."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _end(number: int, _frame) -> None:
    raise Ended(128 + number)

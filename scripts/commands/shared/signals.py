"""Signals that end a command at once, but not before it has cleaned up."""
import signal

from .failure import Ended


def clean_up_first() -> None:
    """Makes SIGHUP and SIGTERM raise Ended(128 + their number), so that `finally` runs. A signal that the parent process made the command
    ignore stays ignored. SIGINT always does so, as KeyboardInterrupt."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _end)


def ignore_more() -> None:
    """Makes such signals have no effect from now on; for steps that must not be interrupted."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _end(number: int, _frame) -> None:
    raise Ended(128 + number)

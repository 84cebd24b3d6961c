"""Signals that end a command in order: what is under way is completed."""
import os
import signal
import threading

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """From now on such a signal sets `stop`, and the next one ends the process at once. `number` is the first one, 0 until then.

    A signal that the parent process made the command ignore stays ignored. Must be made by the main thread before it starts others.
    """

    def __init__(self, stop: threading.Event):
        self._stop, self.number = stop, 0
        self._wanted = {number for number in _NUMBERS if signal.getsignal(number) != signal.SIG_IGN}
        signal.pthread_sigmask(signal.SIG_BLOCK, self._wanted)  # a handler might run where the main thread holds the event's lock
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        if not self._wanted:
            return
        self.number = signal.sigwait(self._wanted)
        self._stop.set()
        os._exit(128 + signal.sigwait(self._wanted))

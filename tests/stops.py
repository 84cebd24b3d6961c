"""stops.py — stops a program and lets it go on, at random moments, as a busy or a suspended machine would.

Wanted if TEST_STOPS is set: it is the seed. Each program that a test starts has its own sequence, of at most STOPS_MAX stops. What a test
measures of a program must not count the time that it was kept from running: see Kept.
"""
import itertools
import os
import random
import signal
import threading
import time

SEED = os.environ.get('TEST_STOPS', '')
STOPS_MAX = 300
NUMBERS = itertools.count()


class Stops:
    """Stops `child`, a Popen, until it ends; `seconds` is how long it has been stopped so far."""

    def __init__(self, child):
        self.child, self.seconds = child, 0.0
        if SEED:
            self.rng = random.Random(f'{SEED}/{next(NUMBERS)}')
            threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        for _ in range(STOPS_MAX):
            time.sleep(self.rng.expovariate(8))
            began = time.monotonic()
            self.child.send_signal(signal.SIGSTOP)  # none, if it has ended
            try:
                time.sleep(self.rng.choice((0.01, 0.05, 0.1, 0.2, 1)) * self.rng.random())
            finally:
                self.child.send_signal(signal.SIGCONT)
            self.seconds += time.monotonic() - began
            if self.child.returncode is not None:
                return


class Kept:
    """How long a program was kept from running since this was made: stopped, or ready to run while the processors did other work."""

    def __init__(self, child, stops):
        self.child, self.stops, self.stopped_before = child, stops, stops.seconds
        self.before, self.waited = {}, {}
        self.look(self.before)

    def look(self, into=None):
        """To be called often, as what a thread waited is gone with it."""
        folder = f'/proc/{self.child.pid}/task'
        try:
            for thread in os.listdir(folder):
                with open(f'{folder}/{thread}/schedstat', encoding='ascii') as file:
                    (self.waited if into is None else into)[thread] = int(file.read().split()[1]) / 1e9
        except OSError:
            pass  # it has ended

    def seconds(self):
        waited = sum(now - self.before.get(thread, 0) for thread, now in self.waited.items())
        return waited + self.stops.seconds - self.stopped_before

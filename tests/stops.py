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
LOOK_S = 0.01
NUMBERS = itertools.count()
GROUP = {'process_group': 0} if SEED else {}  # for Popen: the kernel hangs up a group that is left by its parent with a stopped member in it


class Stops:
    """Stops `child`, a Popen, until it ends; `seconds` is how long it has been stopped so far. None while `held` is set."""

    def __init__(self, child):
        self.child, self.seconds, self.held, self.lock = child, 0.0, False, threading.Lock()
        if SEED:
            self.rng = random.Random(f'{SEED}/{next(NUMBERS)}')
            threading.Thread(target=self._run, daemon=True).start()

    def hold(self):
        """No more stops: for what cannot be measured otherwise."""
        with self.lock:
            self.held = True

    def _run(self):
        for _ in range(STOPS_MAX):
            time.sleep(self.rng.expovariate(8))  # it runs
            with self.lock:
                if self.held or self.child.returncode is not None:
                    return
                began = time.monotonic()
                self.child.send_signal(signal.SIGSTOP)  # nothing, if it has ended
                try:
                    time.sleep(self.rng.choice((0.01, 0.05, 0.1, 0.2, 1)) * self.rng.random())  # it is stopped
                finally:
                    self.child.send_signal(signal.SIGCONT)
                self.seconds += time.monotonic() - began


class Kept:
    """How long a program was kept from running in the block of a `with`: stopped, or ready to run while the processors did other work, as the
    kernel counts it for each thread. With `ours`, this process counts too."""

    def __init__(self, child, stops, ours=False):
        self.stops, self.stopped_before, self.over = stops, stops.seconds, threading.Event()
        self.folders = [f'/proc/{pid}/task' for pid in [child.pid] + [os.getpid()] * ours]
        self.before = dict(self._look())
        self.now = dict(self.before)
        self.watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self.watcher.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.watcher.join()

    def _look(self):
        for folder in self.folders:
            try:
                for thread in os.listdir(folder):
                    with open(f'{folder}/{thread}/schedstat', encoding='ascii') as file:
                        yield thread, int(file.read().split()[1]) / 1e9
            except OSError:
                pass  # it has ended

    def _watch(self):
        """Again and again, as what a thread waited is gone with it."""
        while not self.over.wait(LOOK_S):
            self.now.update(self._look())

    def seconds(self):
        waited = sum(now - self.before.get(thread, 0) for thread, now in self.now.items())
        return waited + self.stops.seconds - self.stopped_before

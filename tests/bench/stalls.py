"""Notices when the whole machine stands still, as a virtual one does while it is moved or copied: what was measured then is no server's."""
import threading
import time

EVERY_S, STALL_S = 0.05, 1.0


class Watch:
    """A thread that sleeps and looks whether it slept much longer; by the wall clock too, which may jump when the other one stands."""

    def __init__(self):
        self.stalls, self.ended = [], threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        self.thread.join()

    def watch(self):
        before = time.monotonic(), time.time()
        while not self.ended.wait(EVERY_S):
            now = time.monotonic(), time.time()
            gap = max(now[0] - before[0], now[1] - before[1])
            if gap > STALL_S:
                self.stalls.append(gap)
            before = now

    def since(self, count):
        """The stalls, in seconds, behind the first `count` ones."""
        time.sleep(2 * EVERY_S)  # until the thread has looked
        return self.stalls[count:]

"""syncs.py — kills holdfastd in the write phase of a sync of 10,000 services; the sync must be there whole or not at all.

A sync is written by the committer's thread, which sleeps otherwise. Which thread that is, and for how long it writes, is measured by
syncs that nobody disturbs: it is the one that begins to work last. Then each kill waits until that thread works, and for a random part
of the time.
"""
import os
import random
import signal
import threading
import time

from checker import Checker
from client import check
from zone_client import BigClient

AWAKE_NS = 3000000  # more than a look at the clock once a second takes
UPKEEP_SECONDS = 1.5  # then the committer has cut the feed to its length, which is work too


def work_of(pid):
    """The processor time of each thread of the server, in nanoseconds, in the order in which they were started."""
    times = []
    for task in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
            times.append(int(stat.read().split()[0]))
    return times


class Watch:
    """One sync as its server's threads show it."""

    def __init__(self, server, client):
        self.pid, self.client = server.process.pid, client
        self.before = work_of(self.pid)

    def working(self):
        return [now - before > AWAKE_NS for now, before in zip(work_of(self.pid), self.before)]


def measure(server, client, rng):
    """Lets one sync pass. Returns the committer's place among the threads and how long it wrote, in seconds."""
    watch, begun = Watch(server, client), {}
    thread = threading.Thread(target=client.sync_once, args=(server.address, rng))
    thread.start()
    while thread.is_alive():
        for place, works in enumerate(watch.working()):
            if works:
                begun.setdefault(place, time.monotonic())
        if client.answered:
            break
        time.sleep(0.001)
    thread.join()
    check(not client.failure, client.failure)
    place = max(begun, key=begun.get)
    return place, client.answered - begun[place]


def measure_twice(server, client, rng):
    """Measures until two agree on the thread."""
    measured = {}
    for _ in range(6):
        time.sleep(UPKEEP_SECONDS)
        place, seconds = measure(server, client, rng)
        if place in measured:
            return place, min(seconds, measured[place])
        measured[place] = seconds
    check(False, f"which thread writes is not clear: {measured}")


def kill_in_one(server, client, rng, place, seconds):
    """Kills the server in the write phase of a sync, unless it is over by then. Returns whether it was not."""
    share = rng.random()
    client.busy.clear()
    thread = threading.Thread(target=client.sync_once, args=(server.address, rng))
    thread.start()
    check(client.busy.wait(60), "no sync begins")
    watch = Watch(server, client)
    while not watch.working()[place] and thread.is_alive():
        time.sleep(0.001)
    time.sleep(share * seconds)
    server.end(signal.SIGKILL, -signal.SIGKILL)
    thread.join()
    check(not client.failure, client.failure)
    return client.flight is not None


def kill_in_syncs(server, args):
    rng = random.Random(f"{args.seed}/syncs")
    client = BigClient(0)
    server.start()
    revision = server.get("/v1/status")["revision"]
    measure(server, client, rng)  # the first has every service to create
    place, seconds = measure_twice(server, client, rng)
    inside = carried_out = 0
    for _ in range(args.syncs):
        hit = kill_in_one(server, client, rng, place, seconds)
        server.start()
        checker = Checker(server, [client], rng)
        leases, done = checker.check(revision)
        revision = checker.revision
        inside, carried_out = inside + hit, carried_out + (hit and done > 0)
    server.end(signal.SIGTERM, 0)
    check(inside > 0 or args.syncs < 5, "no kill fell inside a sync")
    return (f"{args.syncs} kills at syncs of {BigClient.NAMES} services, which are written in {1000 * seconds:.0f} ms: {inside} inside, "
            f"{carried_out} of these were carried out; {leases} leases")

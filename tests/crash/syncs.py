"""syncs.py — kills holdfastd in the write phase of a sync of 10,000 services; the sync must be there whole or not at all.

A sync is written by the committer's thread, which sleeps otherwise. How much work that is, in processor time, is measured by syncs that
nobody disturbs; each kill waits until that thread has done a random part of it. However slow the machine is, it is the same part.
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
KILLS_MAX = 10  # times as many as wanted, until one falls inside a sync


def written_ns(pid):
    """The processor time of the committer's thread so far, in nanoseconds."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as name:
            if name.read() == "committer\n":
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
                    return int(stat.read().split()[0])
    check(False, "no thread is called committer")


def measure(server, client, rng):
    """Lets one sync pass. Returns the processor time that it took to write it, in nanoseconds."""
    time.sleep(UPKEEP_SECONDS)  # if it has not by then, its work is counted too
    before = now = written_ns(server.process.pid)
    thread = threading.Thread(target=client.sync_once, args=(server.address, rng))
    thread.start()
    while thread.is_alive() and not client.answered:
        now = written_ns(server.process.pid)
        time.sleep(0.001)  # between two looks
    thread.join()
    check(not client.failure, client.failure)
    return now - before


def kill_in_one(server, client, rng, work_ns):
    """Kills the server in the write phase of a sync, unless it is over by then. Returns whether it was not."""
    share = rng.random()
    client.busy.clear()
    thread = threading.Thread(target=client.sync_once, args=(server.address, rng))
    thread.start()
    check(client.busy.wait(600), "no sync begins")
    before = written_ns(server.process.pid)
    while thread.is_alive() and written_ns(server.process.pid) - before < AWAKE_NS + share * work_ns:
        time.sleep(0.001)  # between two looks
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
    work_ns = min(measure(server, client, rng) for _ in range(2))
    inside = carried_out = kills = 0
    while kills < args.syncs or (not inside and kills < KILLS_MAX * args.syncs):
        hit = kill_in_one(server, client, rng, work_ns)
        kills += 1
        server.start()
        checker = Checker(server, [client], rng)
        leases, done = checker.check(revision)
        revision = checker.revision
        inside, carried_out = inside + hit, carried_out + (hit and done > 0)
    server.end(signal.SIGTERM, 0)
    check(inside > 0 or not args.syncs, "no kill fell inside a sync")
    return (f"{kills} kills at syncs of {BigClient.NAMES} services, whose writing takes {work_ns // 1000000} ms: {inside} inside, "
            f"{carried_out} of these were carried out; {leases} leases")

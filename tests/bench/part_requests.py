"""Single requests: UNCHANGED, GET, NEW, UPDATED, mixed, and reading beside a full write load. Candidates take turns in each round."""
import json
import os
import subprocess
import time
from contextlib import ExitStack

from load import Wrk, prefill, run
from servers import BenchError
from workload import PREFILLED

READERS, WRITERS = 16, 64


def check_created(who, created, result, connections):
    """What was answered is there; wrk leaves at most one request of each connection unanswered at its end."""
    if not result["n"] <= created <= result["n"] + connections:
        raise BenchError(f"{who} has {created} new leases after {result['n']} answers")


def measure(bench, part, who, server, mode, connections, files):
    result = run(server, mode, connections, bench.seconds, files)
    bench.figures.add_load(part, who, connections, result)
    bench.say(f"{part} {who} {connections}: {result['rps']:,.0f} req/s, {result['cpu_us']:.1f} CPU µs, p50 {result['p50_ms']:.3f} ms, "
              f"p99 {result['p99_ms']:.3f} ms")
    return result


def measure_peer(bench, part, peer, connections):
    """A peer makes the leases that are to be there by itself, before it measures unchanged for the first time."""
    before = peer.count()
    result = peer.new(connections, bench.seconds) if part == "new" else peer.unchanged(connections, bench.seconds)
    more = peer.count() - before
    if result["created"] if part == "unchanged" else abs(more - result["created"]) > connections:
        raise BenchError(f"{part}: {peer.name} says that it created {result['created']} leases, and has {more} more")
    bench.figures.add_load(part, peer.name, connections, result)
    bench.say(f"{part} {peer.name} {connections}: {result['rps']:,.0f} req/s, {result['created']:,} created")


def measure_peers(bench, part, connections):
    for peer in bench.peers:
        bench.steadily(measure_peer, part, peer, connections)


def unchanged(bench):
    """The same 10,000 leases: as they were sent before, with members in another order, and what libmicrohttpd alone does."""
    with ExitStack() as stack:
        holdfast, ceiling = stack.enter_context(bench.holdfast()), stack.enter_context(bench.limit(store=True))
        bare = stack.enter_context(bench.limit())
        for server in (holdfast, ceiling):
            prefill(server, bench.build)
        revision, answered = holdfast.status()["revision"], 0
        candidates = [("holdfast", holdfast, bench.files), ("holdfast, shuffled", holdfast, bench.shuffled), ("bare", bare, bench.files)]
        candidates += [] if bench.quick else [("ceiling", ceiling, bench.files)]
        for _ in bench.each_round():
            for connections in bench.connections(64, 256):
                for who, server, files in candidates:
                    result = bench.steadily(measure, "unchanged", who, server, "put", connections, files)
                    answered += result["n"] if server is ceiling else 0
                measure_peers(bench, "unchanged", connections)
        if holdfast.status()["revision"] != revision:
            raise BenchError("unchanged requests have changed the store")
    if ceiling.counters["created"] != PREFILLED or ceiling.counters["updated"] or ceiling.counters["unchanged"] < answered:
        raise BenchError(f"the ceiling's counters are {ceiling.counters}")


def get(bench):
    with bench.holdfast() as holdfast, bench.limit() as bare:
        prefill(holdfast, bench.build)
        for _ in bench.each_round():
            for connections in bench.connections(64):
                for who, server in (("holdfast", holdfast), ("bare", bare)):
                    bench.steadily(measure, "get", who, server, "get", connections, bench.files)


def new_on_holdfast(bench, connections):
    with bench.holdfast() as server:
        result = measure(bench, "new", "holdfast", server, "new", connections, bench.files)
        created = server.active()
    check_created("holdfast", created, result, connections)
    bench.figures.add("new", "holdfast", connections, "leases created", created)


def new_on_ceiling(bench, connections):
    with bench.limit(store=True) as server:
        result = measure(bench, "new", "ceiling", server, "new", connections, bench.files)
    check_created("the ceiling", server.counters["created"], result, connections)
    bench.figures.add("new", "ceiling", connections, "leases created", server.counters["created"])


def new_on_lmdb(bench, connections, *how):
    """In process. There is no connection; the point says which row it is to be compared with."""
    who = "LMDB, 1 a transaction" if connections == 1 else f"LMDB, {connections} a transaction"
    with bench.directory("lmdb") as directory:
        said = subprocess.run([os.path.join(bench.build, "tests", "bench_limit_lmdb"), directory, *how, str(bench.seconds)], check=True,
                              stdout=subprocess.PIPE).stdout
    result = json.loads(said)
    result["rps"] = result["created"] / result["seconds"]
    bench.figures.add_load("new", who, connections, result)
    bench.say(f"new {who}: {result['rps']:,.0f} leases/s")


def new(bench):
    """Durable new leases, each time on an empty store."""
    for _ in bench.each_round():
        for connections in bench.connections(1, 64, 256):
            bench.steadily(new_on_holdfast, connections)
            bench.steadily(new_on_ceiling, connections)
            if connections == 1:
                bench.steadily(new_on_lmdb, 1, "each")
            elif connections == 64 and not bench.quick:
                bench.steadily(new_on_lmdb, 64, "batch", "64")
            measure_peers(bench, "new", connections)


def measure_changes(bench, part, server, mode, connections, share):
    before = server.settled_revision()
    result = measure(bench, part, "holdfast", server, mode, connections, bench.files)
    changes = server.settled_revision() - before
    if not share * result["n"] - connections <= changes <= share * result["n"] + connections:
        raise BenchError(f"{part}: {changes} changes by {result['n']} requests")


def changing(bench, part, mode, share):
    with bench.holdfast() as server:
        prefill(server, bench.build)
        for _ in bench.each_round():
            for connections in bench.connections(64):
                bench.steadily(measure_changes, part, server, mode, connections, share)


def updated(bench):
    """Each request another configuration of a lease that is there."""
    changing(bench, "updated", "update", 1)


def mixed(bench):
    """Of 40 requests 38 are unchanged, one is updated and one is new."""
    changing(bench, "mixed 95/5", "mixed", 0.05)


def tail_of(bench, who, reader, writer):
    """UNCHANGED alone or beside NEW. The writers begin first and end last."""
    files = bench.files
    writers = Wrk(writer, "new", WRITERS, bench.seconds + 1, files) if writer else None
    try:
        if writers:
            time.sleep(0.4)
        result = run(reader, "put", READERS, bench.seconds, files)
    finally:
        written = writers.finish() if writers else None
    bench.figures.add_load("tail", who, READERS, result)
    if written:
        bench.figures.add("tail", who, READERS, "new leases/s beside", written["rps"])
    bench.say(f"tail {who}: {result['rps']:,.0f} req/s, p99 {result['p99_ms']:.3f} ms")


def tail(bench):
    """Who reads while others write. All of it shares the machine's processors, so the same writers on the ceiling, a process of its own,
    are the control: what the processors and the disk alone cost the readers. The last two rows are the ceiling's own readers."""
    with bench.holdfast() as holdfast, bench.limit(store=True) as ceiling:
        for server in (holdfast, ceiling):
            prefill(server, bench.build)
        rows = [("holdfast alone", holdfast, None), ("holdfast beside its own writers", holdfast, holdfast),
                ("holdfast beside the ceiling's writers", holdfast, ceiling)]
        if not bench.quick:
            rows += [("ceiling alone", ceiling, None), ("ceiling beside its own writers", ceiling, ceiling)]
        for _ in bench.each_round():
            for row in rows:
                bench.steadily(tail_of, *row)

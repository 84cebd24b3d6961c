"""Syncs of a whole zone: what they cost beside LMDB alone, who waits meanwhile, and many zones at once."""
import json
import os
import subprocess
import threading
import time

from load import finish_requests, put_once, start_requests
from servers import GIVE_UP_S, BenchError, PeakMemory
from workload import JSON, NDJSON, get_request, list_of, path_of, put_request, shuffled

SIZES = (10_000, 100_000)
EVERY_MS, ALONE_S = 5, 3
ZONES, SERVICES_A_ZONE = 50, 2000
SYNCS = ("new", "unchanged, the same bytes", "unchanged, members shuffled", "1 % changed", "manifest only")


def compare_manifest(server, count):
    """Seconds of a manifest that says what the store has."""
    leases = map(json.loads, server.get("/v1/leases?zone=east", NDJSON).splitlines())
    items = [{name: lease[name] for name in ("kind", "mesh", "service", "fingerprint")} for lease in leases]
    manifest = json.dumps({"items": items}, separators=(",", ":")).encode()
    status, _, data, seconds = server.ask("POST", "/v1/zones/east/manifest?mesh=*", manifest, {"Content-Type": JSON})
    answer = json.loads(data)
    if status != 200 or answer["needed"] or answer["unlisted"] or answer["unchanged"] != count:
        raise BenchError(f"the manifest is answered with {status}: {data[:300]}")
    return seconds


def sync_one_size(bench, count, bodies):
    """All of one size, one after the other on one store."""
    changed = (count + 99) // 100
    with bench.holdfast() as server, PeakMemory(server) as memory:
        seconds = [server.sync("east", bodies["same"], created=count)]
        bench.figures.add("sync", "new", count, "MiB RssAnon", memory.mib)
        if server.active() != count:
            raise BenchError(f"{server.active()} leases after a sync of {count}")
        seconds.append(server.sync("east", bodies["same"], unchanged=count))
        seconds.append(server.sync("east", bodies["shuffled"], unchanged=count))
        seconds.append(server.sync("east", bodies["changed"], updated=changed, unchanged=count - changed))
        seconds.append(compare_manifest(server, count))
        bench.figures.add("sync", "all", count, "MiB RssAnon", memory.mib)
    for what, value in zip(SYNCS, seconds):
        bench.figures.add("sync", what, count, "s", value)
    bench.say(f"sync {count}: " + ", ".join(f"{what} {value:.3f} s" for what, value in zip(SYNCS, seconds)))


def lmdb_one_size(bench, count):
    with bench.directory("lmdb") as directory:
        said = subprocess.run([os.path.join(bench.build, "tests", "bench_limit_lmdb"), directory, "bulk", str(count)], check=True,
                              stdout=subprocess.PIPE).stdout
    result = json.loads(said)
    bench.figures.add("sync", "LMDB, puts in one transaction", count, "s", result["new_s"])
    bench.figures.add("sync", "LMDB, look-ups", count, "s", result["lookup_s"])
    bench.say(f"sync {count}: LMDB {result['new_s']:.3f} s new, {result['lookup_s']:.4f} s look-ups")


def peer_one_size(bench, peer, count):
    before = peer.count()
    new_s = peer.bulk_new(count)
    if peer.count() != before + count:
        raise BenchError(f"{peer.name} has {peer.count() - before} more leases after a bulk of {count}")
    unchanged_s = peer.bulk_unchanged(count)
    bench.figures.add("sync", f"{peer.name}, new", count, "s", new_s)
    bench.figures.add("sync", f"{peer.name}, unchanged", count, "s", unchanged_s)
    bench.say(f"sync {count}: {peer.name} {new_s:.3f} s new, {unchanged_s:.3f} s unchanged")


def puts_one_size(bench, count):
    """The same services by single requests."""
    with bench.holdfast() as server:
        result = put_once(server, bench.build, map(path_of, range(count)), 201)
    bench.figures.add("sync", "a PUT each, 64 connections", count, "s", result["seconds"])


def sync(bench):
    sizes = SIZES[:1] if bench.quick else SIZES
    bodies = {count: {"same": list_of(count, "east"), "shuffled": list_of(count, "east", shuffled),
                      "changed": list_of(count, "east", changed_every=100)} for count in sizes}
    for _ in bench.each_round():
        for count in sizes:
            bench.steadily(sync_one_size, count, bodies[count])
            bench.steadily(lmdb_one_size, count)
        for peer in bench.peers:
            bench.steadily(peer_one_size, peer, sizes[0])
        bench.steadily(puts_one_size, sizes[0])


class Probes:
    """Single acquires of new leases, and GETs of one lease, while something else happens. A wait begins when the request was due."""

    def __init__(self, bench, server):
        path = "/v1/meshes/default/zones/probe/services/there"
        status = server.ask("PUT", path, "{}", {"Content-Type": JSON})[0]
        if status != 201:
            raise BenchError(f"PUT {path}: {status}")
        puts = (put_request(path_of(i, "probe")) for i in range(40_000))
        self.puts = start_requests(server, bench.build, puts, "every", str(EVERY_MS))
        self.gets = start_requests(server, bench.build, [get_request(path)], "every", str(EVERY_MS))
        time.sleep(0.3)  # until they have read their files; as calm as what is measured alone

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if error:
            for load in (self.puts, self.gets):
                load.kill()
                load.wait()

    def end(self, bench, when):
        singles = 1
        for who, load, status in (("acquire", self.puts, 201), ("get", self.gets, 200)):
            result = finish_requests(load, status)
            singles += result["n"] if who == "acquire" else 0
            for name in ("p50", "p99", "max"):
                bench.figures.add("waits", f"{who} {when}", EVERY_MS, f"{name} ms", result[name])
        return singles


def wait_alone(bench):
    with bench.holdfast() as server, Probes(bench, server) as probes:
        time.sleep(ALONE_S)
        probes.end(bench, "alone")


def wait_for_sync(bench, count, body):
    with bench.holdfast() as server, Probes(bench, server) as probes:
        bench.figures.add("waits", "the sync", count, "s", server.sync("east", body, created=count))
        probes.end(bench, "during a sync")


def waits(bench):
    count = SIZES[0] if bench.quick else SIZES[1]
    body = list_of(count, "east")
    for _ in bench.each_round():
        bench.steadily(wait_alone)
        bench.steadily(wait_for_sync, count, body)


def sync_until_done(server, zone, body, count, told):
    """Syncs one zone; 503 is answered by waiting as long as Retry-After says. Appends (attempts refused, error) to `told`."""
    refused, error, end = 0, None, time.monotonic() + GIVE_UP_S
    try:
        while True:
            path = f"/v1/zones/{zone}/sync?mode=full&mesh=*&return=none"
            status, headers, data, _ = server.ask("POST", path, body, {"Content-Type": NDJSON})
            if status != 503:
                break
            if not headers["Retry-After"] or b'"overloaded"' not in data:
                raise ValueError(f"503 without Retry-After or code: {data[:200]}")
            if time.monotonic() > end:
                raise ValueError("503 until the end")
            refused += 1
            time.sleep(int(headers["Retry-After"]))
        if status != 200 or json.loads(data)["summary"]["created"] != count:
            raise ValueError(f"{status}: {data[:300]}")
    except Exception as failure:
        error = f"zone {zone}: {failure!r}"
    told.append((refused, error))


def sync_all(server, bodies, count):
    """Seconds, and how often a zone was told to come again."""
    told = []
    threads = [threading.Thread(target=sync_until_done, args=(server, zone, body, count, told), daemon=True)
               for zone, body in bodies.items()]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    errors = [error for _, error in told if error]
    if errors:
        raise BenchError(f"{len(errors)} of {len(bodies)} zones failed: {errors[:3]}")
    return seconds, sum(refused for refused, _ in told)


def zones_at_once(bench, bodies, a_zone):
    with bench.holdfast() as server, Probes(bench, server) as probes, PeakMemory(server) as memory:
        before = server.rss_anon_mib()
        seconds, refused = sync_all(server, bodies, a_zone)
        singles = probes.end(bench, "during many zones")
        if server.active() != ZONES * a_zone + singles:
            raise BenchError(f"{server.active()} leases, not {ZONES * a_zone + singles}")
    for unit, value in (("s", seconds), ("times 503", refused), ("MiB RssAnon", memory.mib), ("MiB RssAnon before", before)):
        bench.figures.add("zones", f"{ZONES} zones", a_zone, unit, value)
    bench.say(f"{ZONES} zones of {a_zone}: {seconds:.2f} s, {refused} times 503")


def zones(bench):
    a_zone = SERVICES_A_ZONE // 10 if bench.quick else SERVICES_A_ZONE
    bodies = {f"zone-{i:02}": list_of(a_zone, f"zone-{i:02}") for i in range(ZONES)}
    for _ in bench.each_round():
        bench.steadily(zones_at_once, bodies, a_zone)

"""What does not depend on requests alone: the fingerprint, the allocator, a store of a million leases, and growth up to it."""
import json
import os
import re
import shutil
import statistics
import subprocess
import time
from contextlib import ExitStack

from load import FIRST_NEW, put_once, run, write_files
from servers import BenchError
from workload import BODY, NDJSON, put_request

MILLION = 1_000_000
STARTS, SERVICES, REPEATS = 5, 100, 20
GROWTH = (1_000, 10_000, 100_000, MILLION)
SAMPLE = 50_000  # of a store's leases, all over it; a smaller store gives all of its own
ZONES = 40  # of what bench_million fills


def tool(bench, name, *arguments):
    return subprocess.run([os.path.join(bench.build, "tests", name), *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout.decode()


def fingerprint(bench):
    """In CPU time, which no stall takes."""
    for _ in bench.each_round():
        result = json.loads(tool(bench, "bench_fingerprint", bench.files["body"]))
        for name, who in (("fingerprint_us", "hf_config_read()"), ("jansson_us", "json_loadb() alone"), ("digest_us", "SHA-256 alone")):
            bench.figures.add("fingerprint", who, result["bytes"], "CPU µs", result[name])


def alloc(bench):
    """bench_alloc interleaves its own candidates and prints medians; its exit status is judged by the ratios here."""
    said = subprocess.run([os.path.join(bench.build, "tests", "bench_alloc"), "20" if bench.quick else "200"], stdout=subprocess.PIPE,
                          check=False)
    if said.returncode not in (0, 1):
        raise BenchError("bench_alloc failed")
    for line in said.stdout.decode().splitlines():
        if row := re.match(r"(/\d\d .*?|4,096 .*?)\s+(\d+)\s+(\d+)\s+(\d+)(\s+\d+){4}$", line):
            bench.figures.add("alloc", row[1], "pool", "ns to choose", row[2])
            bench.figures.add("alloc", row[1], "pool", "ns in all", row[3])
            bench.figures.add("alloc", row[1], "pool", "bytes written", row[4])


def stream(bench, server):
    """The whole listing. Returns lines and the most RssAnon on the way."""
    started, lines, size, most = time.monotonic(), 0, 0, 0
    connection = server.connect()
    connection.request("GET", "/v1/leases", headers={"Accept": NDJSON})
    answer = connection.getresponse()
    while data := answer.read(1 << 20):
        lines, size, most = lines + data.count(b"\n"), size + len(data), max(most, server.rss_anon_mib())
    connection.close()
    bench.figures.add("million", "NDJSON listing", lines, "s", time.monotonic() - started)
    bench.figures.add("million", "NDJSON listing", lines, "MB", size / 1e6)
    return lines, most


def page_through(bench, server):
    """All pages of 5,000. Returns how many leases they have."""
    started, n, token, connection = time.monotonic(), 0, "", server.connect()
    while token is not None:
        page = json.loads(server.ask("GET", "/v1/leases?limit=5000" + (f"&continue={token}" if token else ""), connection=connection)[2])
        n, token = n + len(page["items"]), page["continue"]
    connection.close()
    bench.figures.add("million", "pages of 5,000", n, "s", time.monotonic() - started)
    return n


def measure_million(bench, data):
    starts, memory = [], 0
    for _ in range(STARTS):
        with bench.holdfast(data) as server:
            starts.append(server.start_s)
    with bench.holdfast(data) as server:
        lines, most = stream(bench, server)
        memory = max(memory, most, server.rss_anon_mib())
        paged = page_through(bench, server)
        memory = max(memory, server.rss_anon_mib())
        active = server.active()
    if not lines == paged == active == MILLION:
        raise BenchError(f"{lines} leases are listed, {paged} are on pages, {active} are active; there should be {MILLION}")
    bench.figures.add("million", "holdfast", MILLION, "s to start", statistics.median(starts))
    bench.figures.add("million", "holdfast", MILLION, "MiB RssAnon", memory)
    bench.say(f"million: start {statistics.median(starts):.2f} s, RssAnon {memory:.0f} MiB")


def fill(bench, data, leases):
    """A store of so many leases, and what its tables take on disk."""
    for line in tool(bench, "bench_million", data, leases).splitlines():
        if leases == MILLION and (row := re.match(r"(\S+) .* ([0-9.]+) bytes a lease$", line)):
            bench.figures.add("million", row[1], leases, "bytes a lease", row[2])
    bench.say(f"filled {leases:,} leases")


def million(bench):
    """One round: nothing competes with it. What it filled stays for growth()."""
    data = bench.stored(MILLION, fill)
    bench.steadily(measure_million, data)


def copy_of(data, directory):
    os.mkdir(directory)
    subprocess.run(["cp", "--sparse=always", os.path.join(data, "data.mdb"), directory], check=True)
    return directory


def prepare_sample(bench, server, leases):
    """Files of paths all over the store, whose leases have been given the bench's configuration."""
    count = min(leases, SAMPLE)
    paths = tool(bench, "bench_million", "--paths", leases, count).split()
    put_once(server, bench.build, paths, 200)
    return write_files(bench.work, f"growth-{leases}", paths)


def growth_unchanged(bench, leases, server, files):
    result = run(server, "spread", 64, bench.seconds, files)
    bench.figures.add_load("growth", "unchanged", leases, result)
    bench.say(f"growth unchanged {leases:,}: {result['rps']:,.0f} req/s")


def growth_new(bench, leases, data):
    with bench.directory("grown") as directory:
        used = data if leases == MILLION else copy_of(data, os.path.join(directory, "data"))
        with bench.holdfast(used) as server:
            before = server.active()
            result = run(server, "new", 64, bench.seconds, bench.files, zones=ZONES)
            created = server.active() - before
    if not result["n"] <= created <= result["n"] + 64:
        raise BenchError(f"{created} new leases after {result['n']} answers")
    bench.figures.add_load("growth", "new", leases, result)
    bench.figures.add("growth", "new", leases, "leases before", before)
    bench.say(f"growth new {before:,}: {result['rps']:,.0f} req/s")


def growth(bench):
    """UNCHANGED and NEW with 64 connections on stores of all sizes, in turns. NEW begins each time on a copy of the filled store, but the
    largest grows by all rounds: it is more than it says, never less."""
    stores = {leases: bench.stored(leases, fill) for leases in GROWTH}
    with ExitStack() as stack:
        servers = {}
        for leases, data in stores.items():
            server = stack.enter_context(bench.holdfast(data))
            servers[leases] = server, prepare_sample(bench, server, leases)
        for _ in bench.each_round():
            for leases, (server, files) in servers.items():
                bench.steadily(growth_unchanged, leases, server, files)
    for _ in bench.each_round():
        for leases, data in stores.items():
            bench.steadily(growth_new, leases, data)
    for data in stores.values():
        shutil.rmtree(data)

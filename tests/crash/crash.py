#!/usr/bin/env python3
"""crash.py — kills holdfastd with SIGKILL, again and again, while clients write; nothing that it acknowledged may be lost.

Each round starts the server on the same data directory, lets the clients write over keep-alive connections, kills it at a random
moment, starts it again and checks through the API. A client owns its zone, so it knows exactly what must be there: every
acknowledged write as it was answered, and what was in flight when the server died as it was before or as it would be, nothing else.
At the end it is stopped by SIGTERM. Exit status 0: all of that held; 1: it did not, and the data directory is kept.

    HOLDFASTD=build/asan/holdfastd tests/crash/crash.py [--rounds 20] [--seed N] …

Two of the clients are control planes that connect, disconnect and synchronise. Then (syncs.py) one synchronises 10,000 services at a
time and the server is killed while it writes them. In the same way (transfers.py) it is killed while it renames 10,000 leases.

The same seed repeats the moments and each client's choices; how far the server got by then differs.
"""
import argparse
import collections
import http.client
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # nothing but the data directory is written

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from checker import Checker
from client import Client, check
from stops import GROUP, Stops
from syncs import kill_in_syncs
from transfers import kill_in_transfers
from zone_client import ZoneClient

POOLS = {  # besides the three that every store has: hashed and dual-stack, and so small that it is exhausted
    "dual": {"cidrs": ["10.7.0.0/20", "fd00:7::/64"], "strategy": "hashed", "zones": ["client-0", "client-1"]},
    "tiny": {"cidrs": ["10.9.0.0/25"], "zones": ["client-2", "client-3"]},
}
HANGS_SECONDS = 300  # whatever takes so long
CHANGES_MAX = 5000  # so that the feed is compacted on the way


class Server:
    processes = []

    def __init__(self, binary, directory):
        os.mkdir(directory)
        self.command = [binary, "--data-dir", os.path.join(directory, "data"), "--listen", "127.0.0.1:0",
                        "--changes-max", str(CHANGES_MAX), "--log-level", "warn"]
        self.process = None
        self.log = open(os.path.join(directory, "server.log"), "ab")

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST")}
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log, env=environment, **GROUP)
        Stops(self.process)
        Server.processes.append(self.process)
        ready = select.select([self.process.stdout], [], [], HANGS_SECONDS)[0]
        line = self.process.stdout.readline().decode() if ready else ""
        check(line.startswith("listening on http://"), f"the server does not start: {line!r}")
        host, port = line.split("//")[1].strip().rsplit(":", 1)
        self.address = (host, int(port))

    @staticmethod
    def kill_all():
        for process in Server.processes:
            if process.poll() is None:
                process.kill()

    def end(self, number, status):
        """Sends a signal; the server must have lived until then and end by it."""
        check(self.process.poll() is None, f"the server ended by itself, with status {self.process.returncode}")
        self.process.send_signal(number)
        check(self.process.wait(HANGS_SECONDS) == status, f"the server ended with status {self.process.returncode}, not {status}")
        self.process.stdout.close()

    def call(self, path, method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection(*self.address, timeout=HANGS_SECONDS)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def get(self, path):
        status, data = self.call(path)
        check(status == 200, f"GET {path}: {status} {data[:300]!r}")
        return json.loads(data)


def write_for(server, clients, seconds, seed):
    """Lets all clients write, and kills the server under them."""
    threads = [threading.Thread(target=c.run, args=(server.address, random.Random(f"{seed}/{c.zone}"))) for c in clients]
    for thread in threads:
        thread.start()
    time.sleep(seconds)  # any moment is right
    server.end(signal.SIGKILL, -signal.SIGKILL)
    for thread in threads:
        thread.join()
    failures = [c.failure for c in clients if c.failure]
    check(not failures, "; ".join(failures))


def run(server, args):
    rng = random.Random(args.seed)
    weights = [rng.uniform(0.15, 1) for _ in range(args.rounds)]
    clients = [(ZoneClient if number >= args.clients - args.zones else Client)(number) for number in range(args.clients)]
    server.start()
    for name, document in POOLS.items():
        body = json.dumps({**document, "meshes": ["default"]})  # two selectors, so that it goes before the kinds' own pools
        status, data = server.call(f"/v1/pools/{name}", "PUT", body, {"Content-Type": "application/json"})
        check(status == 201, f"pool {name}: {status} {data!r}")
    revision, in_flight, leases = server.get("/v1/status")["revision"], 0, 0
    for number, weight in enumerate(weights):
        write_for(server, clients, args.seconds * args.rounds * weight / sum(weights), f"{args.seed}/{number}")
        server.start()
        checker = Checker(server, clients, rng)
        leases, done = checker.check(revision)
        revision, in_flight = checker.revision, in_flight + done
    server.end(signal.SIGTERM, 0)
    server.start()
    Checker(server, clients, rng).check(revision)
    server.end(signal.SIGTERM, 0)
    acknowledged = sum((c.acknowledged for c in clients), collections.Counter())
    counts = " ".join(f"{name}={n}" for name, n in sorted(acknowledged.items()))
    return (f"{args.rounds} kills, {sum(acknowledged.values())} answers ({counts}), {in_flight} carried out in flight, "
            f"{leases} leases")


def is_tmpfs(path):
    """By the longest mount point that holds the path."""
    with open("/proc/self/mounts") as mounts:
        points = [line.split()[1:3] for line in mounts]
    path = os.path.realpath(path)
    inside = [(len(point), kind) for point, kind in points if os.path.commonpath([path, point]) == point]
    return max(inside, default=(0, ""))[1] in ("tmpfs", "ramfs")


def real_disk():
    for path in (os.environ.get("TMPDIR"), "/var/tmp", "/tmp", "."):
        if path and os.path.isdir(path) and os.access(path, os.W_OK) and not is_tmpfs(path):
            return path
    sys.exit("crash.py: no writable directory on a disk; name one with --dir")


def main():
    parser = argparse.ArgumentParser(description="kill holdfastd while clients write; nothing acknowledged may be lost")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--zones", type=int, default=2, help="how many of the clients are control planes that synchronise")
    parser.add_argument("--syncs", type=int, default=8, help="kills in the middle of a sync of 10,000 services")
    parser.add_argument("--transfers", type=int, default=4, help="kills in the middle of a transfer of 10,000 leases")
    parser.add_argument("--seconds", type=float, default=0.6, help="of writing a round, on average")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--dir", help="where the data directory is made (default: $TMPDIR, /var/tmp or /tmp, no tmpfs)")
    args = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="holdfast-crash-", dir=args.dir or real_disk())
    binary = os.environ.get("HOLDFASTD", "build/release/holdfastd")
    server = Server(binary, os.path.join(directory, "writes"))
    started = time.monotonic()
    try:
        text = run(server, args)
        text += "" if args.syncs == 0 else "; " + kill_in_syncs(Server(binary, os.path.join(directory, "syncs")), args)
        text += "" if args.transfers == 0 else "; " + kill_in_transfers(Server(binary, os.path.join(directory, "transfers")), args)
    except Exception as failure:
        Server.kill_all()
        print(f"crash: FAILED, seed {args.seed}, kept {directory}: {failure or repr(failure)}")
        return 1
    shutil.rmtree(directory)
    print(f"crash: ok, seed {args.seed}: {text}, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""moves.py — a pool is migrated under load while holdfastd is killed with SIGKILL and the migrating command is ended, again and again.

Zones of services are in the pool `old`. `holdfast pools migrate old new` moves them, while others acquire, release and acquire again, and
synchronise whole zones, some of which show the addresses that they had. Meanwhile the server is killed and started again, and the command too.
Exit status 0: every lease ends with exactly one new VIP, was moved once, and had a valid address at every moment, current or previous; no
address was bound to two leases at any revision. 1: not so, and the data directory is kept.

    HOLDFASTD=build/asan/holdfastd tests/crash/moves.py [--leases 2000] [--kills 3] [--overlap 4] [--seed N]
    HOLDFASTD=build/release/holdfastd tests/crash/moves.py --leases 100000 --kills 10 --overlap 60     # the whole of it: minutes
"""
import argparse
import ipaddress
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # nothing but the data directory is written

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from client import check
from crash import HANGS_SECONDS, Server, real_disk
from moves_watch import Caller, Follower, Looker, Model, key_of

FRONT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "holdfast")
POOLS = {"old": {"cidrs": ["10.0.0.0/12"], "kinds": ["MeshService"], "meshes": ["default"]}, "new": {"cidrs": ["10.64.0.0/12"], "zones": ["nobody"]}}
NEW = ipaddress.ip_network(POOLS["new"]["cidrs"][0])
ZONES, CALLERS = 10, 4
NDJSON = {"Content-Type": "application/x-ndjson"}
POLL_S = 0.2


class MovesServer(Server):
    """Keeps its port, as the command must find it again."""

    def __init__(self, binary, directory, changes_max):
        super().__init__(binary, directory)
        self.command[self.command.index("--changes-max") + 1] = str(changes_max)

    def start(self):
        super().start()
        self.command[self.command.index("--listen") + 1] = "%s:%d" % self.address

    def kill(self):
        self.end(signal.SIGKILL, -signal.SIGKILL)


class Load(Caller):
    """Acquires new services, up to a number, and old ones again; releases some; synchronises whole zones that did not change."""

    def __init__(self, address, number, services_max, bodies, seed):
        super().__init__(address, f"load {number}")
        self.rng, self.zone, self.services, self.services_max = random.Random(seed), f"load-{number}", 0, services_max
        self.bodies = bodies[number::CALLERS]  # zone, how many services, body

    def step(self):
        draw = self.rng.random()
        if draw < 0.03:
            self.sync(*self.rng.choice(self.bodies))
        elif draw < 0.4 and self.services < self.services_max:
            self.put(self.services)
            self.services += 1
        elif self.services:
            service = self.rng.randrange(self.services)
            if draw < 0.5:
                status, answer = self.ask("DELETE", f"/v1/meshes/default/zones/{self.zone}/services/s{service}")
                check(status in (200, 404), f"a release: {status} {answer}")
            self.put(service)

    def put(self, service):
        status, answer = self.ask("PUT", f"/v1/meshes/default/zones/{self.zone}/services/s{service}", '{"spec":{}}')
        check(status in (200, 201), f"an acquire: {status} {answer}")

    def sync(self, zone, count, body):
        status, answer = self.ask("POST", f"/v1/zones/{zone}/sync?mode=full&mesh=default&return=none", body, NDJSON)
        check(status == 200 and answer["summary"]["unchanged"] == count, f"a sync of {count} unchanged services: {status} {answer}")


class Command:
    """`holdfast pools migrate`, run again and again."""

    def __init__(self, server, directory, overlap):
        self.log = open(os.path.join(directory, "command.log"), "ab")
        self.line = [FRONT, "pools", "migrate", "old", "new", "--overlap", f"{overlap}s", "--json"]
        self.environment = {**{name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST")},
                            "HOLDFAST_URL": "http://%s:%d" % server.address}
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, env=self.environment,
                                        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        Server.processes.append(self.process)

    def is_over(self):
        return self.process.poll() is not None

    def end(self, number=None):
        """Sends a signal, if it is still there. Returns the status, and the summary if there is one."""
        if number and not self.is_over():
            self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=HANGS_SECONDS)
        return self.process.returncode, json.loads(out) if out else {}


def sync_bodies(count, firsts=None):
    """Zone, number of services, and its list. Every other zone shows what it had, if `firsts` says."""
    bodies = []
    for i in range(ZONES):
        lines = []
        for number in range(i, count, ZONES):
            document = {"name": f"s{number}", "spec": {"ports": [{"port": number % 60000 + 1}]}}
            if firsts and i % 2:
                document["status"] = {"vips": [{"ip": firsts[f"zone-{i}", f"s{number}"]}]}
            lines.append(json.dumps(document) + "\n")
        bodies.append((f"zone-{i}", len(lines), "".join(lines).encode()))
    return bodies


def read_leases(server):
    status, data = server.call("/v1/leases", headers={"Accept": "application/x-ndjson"})
    check(status == 200, f"the listing: {status}")
    return [json.loads(line) for line in data.splitlines()]


def populate(server, count):
    """Makes the pools and leases. Returns the address of each."""
    for name, document in POOLS.items():
        status, data = server.call(f"/v1/pools/{name}", "PUT", json.dumps(document), {"Content-Type": "application/json"})
        check(status == 201, f"pool {name}: {status} {data!r}")
    for zone, number, body in sync_bodies(count):
        status, data = server.call(f"/v1/zones/{zone}/sync?mode=full&mesh=default&return=none", "POST", body, NDJSON)
        check(status == 200 and json.loads(data)["summary"]["created"] == number, f"the first sync of {zone}: {status} {data[:300]!r}")
    firsts = {key_of(lease): lease["vips"][0]["ip"] for lease in read_leases(server)}
    check(len(firsts) == count, f"{len(firsts)} leases instead of {count}")
    return firsts


def kill_in_migration(server, command, model, args, rng):
    """Kills the server in the middle, each time; the command goes on by itself, or is ended too, by each of the signals. Returns how often it was
    started again."""
    restarts = 0
    for number in range(args.kills):
        wanted = int(args.leases * (number + rng.random()) / args.kills)
        model.wait(lambda: sum(model.moves.values()) >= wanted or command.is_over(), HANGS_SECONDS)
        server.kill()
        number_of_signal = rng.choice((signal.SIGKILL, signal.SIGINT, signal.SIGTERM))
        if number % 2:
            command.end(number_of_signal)  # while there is no server
        server.start()
        if number % 2 == 0:
            moved = sum(model.moves.values())
            model.wait(lambda: sum(model.moves.values()) > moved or command.is_over(), HANGS_SECONDS)
            status, _ = command.end(number_of_signal)
            check(status in (0, -number_of_signal, 128 + number_of_signal), f"the command ended with status {status}")
        command.start()
        restarts += 1
    return restarts


def finish(server, command, callers, model):
    """Lets the command end, and what came behind it be moved too; then the overlaps."""
    status, summary = command.end()
    check(status in (0, 1), f"the command ended with status {status}: {summary}")
    for caller in callers:
        caller.end()
    command.start()
    status, summary = command.end()
    check(status == 0 and summary["left"]["active"] == 0, f"the last run of the command: status {status}, {summary}")
    ends = time.monotonic() + HANGS_SECONDS
    while int(server.get("/v1/pools/old")["ipv4"]["previous"]) > 0:
        check(time.monotonic() < ends, "previous addresses do not end")
        time.sleep(POLL_S)  # the ends of overlaps are the server's to come
    revision = server.get("/v1/status")["revision"]
    model.wait(lambda: model.revision >= revision, HANGS_SECONDS)


def check_end(server, model, firsts):
    """Each lease has one new address, to which it was moved once; the feed is what was watched; the store is sound."""
    leases = {key_of(lease): lease for lease in read_leases(server)}
    addresses = [vip["ip"] for lease in leases.values() for vip in lease["vips"]]
    check(len(addresses) == len(set(addresses)), "an address is held twice")
    for key, first in firsts.items():
        lease = leases[key]
        new = [vip["ip"] for vip in lease["vips"]]
        good = lease["state"] == "active" and lease["pool"] == "new" and len(new) == 1 and ipaddress.ip_address(new[0]) in NEW and "previousVips" not in lease
        check(good and model.moves[key] == 1, f"{key} had {first}, was moved {model.moves[key]} times, and is {lease}")
    since, feed = 0, []
    while since < model.revision:
        page = server.get(f"/v1/changes?since={since}&limit=3000")
        feed, since = feed + page["changes"], page["revision"]
    check(feed[:len(model.changes)] == model.changes, "the feed is not what it was when it was followed")
    violations = json.loads(server.call("/v1/verify", "POST")[1])["violations"]
    check(violations == 0, f"{violations} violations")


def run(server, directory, args):
    rng = random.Random(args.seed)
    server.start()
    firsts = populate(server, args.leases)
    model = Model(args.overlap * 1000)
    follower, looker = Follower(server.address, model), Looker(server.address, firsts, args.seed)
    bodies = sync_bodies(args.leases, firsts)
    services = args.leases // (20 * CALLERS)
    loads = [Load(server.address, number, services, bodies, f"{args.seed}/{number}") for number in range(CALLERS)]
    for caller in (follower, looker, *loads):
        caller.start()
    began = time.monotonic()
    command = Command(server, directory, args.overlap)
    restarts = kill_in_migration(server, command, model, args, rng)
    finish(server, command, loads, model)
    took = time.monotonic() - began
    looker.end()
    follower.end()
    check_end(server, model, firsts)
    looked = looker.compare(model)
    server.end(signal.SIGTERM, 0)
    return (f"{args.leases} leases moved once each, {sum(model.moves.values()) - args.leases} moves of {CALLERS * services} others; {args.kills} kills "
            f"of the server, {restarts} of the command; {model.revision} revisions watched, {looked} leases looked up, {sum(load.done for load in loads)} requests of "
            f"the load; {took:.0f} s")


def main():
    parser = argparse.ArgumentParser(description="kill holdfastd and the command while a pool is migrated; nobody may be without its address")
    parser.add_argument("--leases", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--overlap", type=int, default=4, help="seconds")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--dir", help="where the data directory is made (default: $TMPDIR, /var/tmp or /tmp, no tmpfs)")
    args = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="holdfast-moves-", dir=args.dir or real_disk())
    binary = os.environ.get("HOLDFASTD", "build/release/holdfastd")
    try:
        text = run(MovesServer(binary, os.path.join(directory, "store"), args.leases * 100), directory, args)
    except Exception as failure:
        print(f"moves: FAILED, seed {args.seed}, kept {directory}: {failure or repr(failure)}")
        return 1
    finally:
        Server.kill_all()
    shutil.rmtree(directory)
    print(f"moves: ok, seed {args.seed}: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

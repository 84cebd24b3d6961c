"""transfers.py — kills holdfastd in the write phase of a transfer of 10,000 leases; it must be there whole or not at all.

As in syncs.py, each kill waits until the committer has done a random part of the work that a transfer takes.
"""
import http.client
import json
import random
import signal
import threading
import time

from client import check
from syncs import AWAKE_NS, KILLS_MAX, UPKEEP_SECONDS, written_ns

LEASES = 10000
MOVED = 50  # leases that have a previous address
ZONE = "renamed"


def name(i, turn):
    return f"service-{i:05}.turn-{turn}"


class Renamer:
    """Renames all leases, again and again. `turn` is how often it was done; `bound` what each lease has."""

    def __init__(self):
        self.turn, self.bound = 0, []
        self.busy = threading.Event()
        self.failure = self.answered = None

    def send(self, connection):
        lines = [json.dumps({"from": {"mesh": "default", "zone": ZONE, "service": name(i, self.turn)},
                             "to": {"mesh": "default", "zone": ZONE, "service": name(i, self.turn + 1)}}) for i in range(LEASES)]
        self.busy.set()
        connection.request("POST", "/v1/transfers?return=none", "\n".join(lines), {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        data = answer.read()
        check(answer.status == 200 and json.loads(data)["transferred"] == LEASES, f"a transfer: {answer.status} {data[:300]!r}")

    def rename(self, address):
        self.answered = None
        connection = http.client.HTTPConnection(*address, timeout=600)
        try:
            self.send(connection)
            self.answered = True
        except (OSError, http.client.HTTPException):
            pass  # the server is dead
        except Exception as failure:
            self.failure = repr(failure)
        finally:
            connection.close()

    def fill(self, server):
        lines = "\n".join(json.dumps({"name": name(i, 0), "spec": {"i": i}}) for i in range(LEASES))
        status, data = server.call(f"/v1/zones/{ZONE}/sync?mode=full&mesh=*&return=none", "POST", lines,
                                   {"Content-Type": "application/x-ndjson"})
        check(status == 200, f"the leases: {status} {data[:300]!r}")
        for i in range(MOVED):
            status, data = server.call(f"/v1/meshes/default/zones/{ZONE}/services/{name(i, 0)}/move?overlap=10h", "POST")
            check(status == 200, f"a move: {status} {data[:300]!r}")
        self.bound = self.read(server)[1]
        check(sum("previousVips" in lease for lease in self.bound) == MOVED, "a previous address is missing")

    @staticmethod
    def read(server):
        """The names of the leases, in order, and what they have."""
        status, data = server.call("/v1/leases", headers={"Accept": "application/x-ndjson"})
        check(status == 200, f"the listing: {status}")
        leases = [json.loads(line) for line in data.splitlines()]
        members = ("vips", "previousVips", "fingerprint", "generation", "createdAt", "state", "pool")
        return [lease["service"] for lease in leases], [{m: lease[m] for m in members if m in lease} for lease in leases]

    def settle(self, server, revision):
        """All have the old names or all have the new ones, and each has what it had. Returns whether the transfer was carried out."""
        check(not self.failure, self.failure)
        names, bound = self.read(server)
        done = names != [name(i, self.turn) for i in range(LEASES)]
        check(done or not self.answered, "a transfer was acknowledged and is lost")
        check(names == [name(i, self.turn + done) for i in range(LEASES)], "a part of a transfer was carried out")
        check(bound == self.bound, "a lease has other addresses than before")
        now = server.get("/v1/status")["revision"]
        check(now == revision + LEASES * done, f"revision {now} after {revision}, and the transfer was{'' if done else ' not'} carried out")
        status, data = server.call("/v1/verify", "POST")
        check(status == 200 and json.loads(data)["violations"] == 0, f"verify: {status} {data[:500]!r}")
        self.turn += done
        return done


def measure(server, renamer):
    """Lets one pass. Returns the processor time that it took to write it, in nanoseconds."""
    time.sleep(UPKEEP_SECONDS)  # if upkeep is not over by then, its work is counted too
    before = written_ns(server.process.pid)
    renamer.rename(server.address)
    check(renamer.answered, renamer.failure)
    return written_ns(server.process.pid) - before


def kill_in_one(server, renamer, share, work_ns):
    """Kills the server in the write phase of a transfer, unless it is over by then. Returns whether it was not."""
    renamer.busy.clear()
    thread = threading.Thread(target=renamer.rename, args=(server.address,))
    thread.start()
    check(renamer.busy.wait(600), "no transfer begins")
    before = written_ns(server.process.pid)
    while thread.is_alive() and written_ns(server.process.pid) - before < AWAKE_NS + share * work_ns:
        time.sleep(0.001)  # between two looks
    server.end(signal.SIGKILL, -signal.SIGKILL)
    thread.join()
    return not renamer.answered


def kill_in_transfers(server, args):
    rng = random.Random(f"{args.seed}/transfers")
    renamer = Renamer()
    server.start()
    renamer.fill(server)
    inside = carried_out = kills = work_ns = 0
    while kills < args.transfers or (not inside and kills < KILLS_MAX * args.transfers):
        revision = server.get("/v1/status")["revision"]
        if not work_ns:
            work_ns = measure(server, renamer)
            check(renamer.settle(server, revision), "it was answered and is not there")
            revision += LEASES
        hit = kill_in_one(server, renamer, rng.random(), work_ns)
        kills += 1
        server.start()
        done = renamer.settle(server, revision)
        inside, carried_out = inside + hit, carried_out + (hit and done)
    server.end(signal.SIGTERM, 0)
    check(inside > 0, "no kill fell inside a transfer")
    return (f"{kills} kills at transfers of {LEASES} leases, whose writing takes {work_ns // 1000000} ms: {inside} inside, "
            f"{carried_out} of these were carried out")

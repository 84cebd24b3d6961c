"""moves_watch.py — who watches a migration: the feed, look-ups and addresses, and whether they agree that nobody was without a valid address.

The feed is followed across the server's deaths. Each change is applied to a model, which fails if an address is bound to two leases, or if a
lease loses one before its time. Each look-up has the revision that it was answered at, and must show what the model had then.
"""
import bisect
import collections
import datetime
import http.client
import json
import random
import threading
import time

from client import check

PAGE = 3000
LOOKUPS = 40  # leases of one look-up
AWAY_S, PAUSE_S = 0.05, 0.02


def ms_of(text):
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def key_of(item):
    return (item["zone"], item["service"])


class Model:
    """What is bound to each lease, at every revision."""

    def __init__(self, overlap_ms):
        self.overlap_ms = overlap_ms
        self.revision, self.changes = 0, []
        self.states = collections.defaultdict(list)  # key → [(revision, vips, {previous address: its end})], oldest first
        self.holders, self.moves = {}, collections.Counter()
        self.news, self.failure = threading.Condition(), None

    def apply(self, change):
        check(change["revision"] == self.revision + 1, f"the feed goes from revision {self.revision} to {change}")
        with self.news:
            self.revision = change["revision"]
            self.changes.append(change)
            if "service" in change:
                self.apply_to(key_of(change), change)
            self.news.notify_all()

    def apply_to(self, key, change):
        at_ms = ms_of(change["at"])
        _, vips, previous = self.states[key][-1] if self.states[key] else (0, (), {})
        gone = change["type"] in ("expired", "purged")
        now_vips = () if gone else tuple(vip["ip"] for vip in change["vips"])
        now_previous = {} if gone else {vip["ip"]: ms_of(vip["until"]) for vip in change.get("previousVips", [])}
        for ip in {*vips, *previous} - {*now_vips, *now_previous}:
            check(gone or (ip in previous and at_ms >= previous[ip]), f"{key} loses {ip} before its time: {change}, it had {previous}")
            del self.holders[ip]
        for ip in {*now_vips, *now_previous} - {*vips, *previous}:
            check(ip not in self.holders, f"{ip} is bound to {self.holders.get(ip)} and to {key}: {change}")
            self.holders[ip] = key
        if change["type"] == "moved":
            self.moves[key] += 1
            check(all(now_previous.get(ip, 0) >= at_ms + self.overlap_ms for ip in vips), f"{key} had {vips}, and moves without the overlap: {change}")
        elif vips and not gone:
            check(now_vips == vips, f"{key} had {vips}, and nobody moved it: {change}")
        self.states[key].append((self.revision, now_vips, now_previous))

    def at(self, key, revision):
        """What was bound to a lease then: its addresses, and the previous ones."""
        states = self.states[key]
        i = bisect.bisect_right(states, revision, key=lambda state: state[0])
        return states[i - 1][1:] if i else ((), {})

    def wait(self, condition, hangs_s):
        with self.news:
            came = self.news.wait_for(lambda: self.failure or condition(), hangs_s)
        check(not self.failure, self.failure)
        check(came, f"nothing happened for {hangs_s} s; the feed is at revision {self.revision}")

    def fail(self, failure):
        with self.news:
            self.failure = failure
            self.news.notify_all()


class Caller(threading.Thread):
    """A thread that calls the server again and again, also while it is away. `step(ask)` does one thing; `failure` is why it ended early."""

    def __init__(self, address, name):
        super().__init__(name=name, daemon=True)
        self.address, self.over, self.failure, self.done = address, threading.Event(), None, 0

    def ask(self, method, target, body=None, headers=None):
        """Status and JSON of the answer."""
        self.connection.request(method, target, body, headers or ({"Content-Type": "application/json"} if body else {}))
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def run(self):
        self.connection = http.client.HTTPConnection(*self.address, timeout=300)
        try:
            while not self.over.is_set():
                try:
                    self.step()
                    self.done += 1
                except (OSError, http.client.HTTPException):
                    self.connection.close()
                    time.sleep(AWAY_S)  # the server is dead, and started by another thread
        except Exception as failure:
            self.failure = f"{self.name}: {failure!r}"
        finally:
            self.connection.close()

    def end(self):
        self.over.set()
        self.join()
        check(not self.failure, self.failure)


class Follower(Caller):
    """Follows the feed."""

    def __init__(self, address, model):
        super().__init__(address, "feed")
        self.model = model

    def step(self):
        status, page = self.ask("GET", f"/v1/changes?since={self.model.revision}&limit={PAGE}&wait=1s")
        if status == 503:
            raise OSError("it is stopping")
        check(status == 200, f"the feed: {status} {page}")
        try:
            for change in page["changes"]:
                self.model.apply(change)
        except Exception as failure:
            self.model.fail(failure)  # whoever waits for the feed ends too
            raise


class Looker(Caller):
    """Looks leases up, and who has the addresses that they had at first."""

    def __init__(self, address, first, seed):
        """`first`: key → the address that the lease had before the migration."""
        super().__init__(address, "look-ups")
        self.rng, self.first, self.keys, self.seen = random.Random(seed), first, sorted(first), []

    def step(self):
        keys = self.rng.sample(self.keys, min(LOOKUPS, len(self.keys)))
        body = json.dumps({"items": [{"mesh": "default", "zone": zone, "service": service} for zone, service in keys]})
        status, answer = self.ask("POST", "/v1/lookup", body)
        if status == 200:
            for lease in answer["items"]:
                bound = tuple(vip["ip"] for vip in lease["vips"]), {vip["ip"]: ms_of(vip["until"]) for vip in lease.get("previousVips", [])}
                self.seen.append((answer["revision"], key_of(lease), bound))
        self.over.wait(PAUSE_S)  # what is seen is kept
        key = keys[0]
        status, answer = self.ask("GET", f"/v1/addresses/{self.first[key]}")
        holder = answer["lease"] if status == 200 else None
        check(holder is None or key_of(holder) == key, f"{self.first[key]} was {key}'s, and reaches {holder}")

    def compare(self, model):
        """Every look-up shows what the feed says of its revision."""
        for revision, key, bound in self.seen:
            then = model.at(key, revision)
            check(bound == then, f"{key} was shown with {bound} at revision {revision}, the feed had {then}")
        return len(self.seen)

"""client.py — one writer of the crash test: what it knows, asks for and was answered."""
import collections
import functools
import hashlib
import http.client
import json

KINDS = (("MeshService", "services"), ("MeshExternalService", "externalservices"), ("MeshMultiZoneService", "multizoneservices"))
NAMES_MAX = 400  # leases of one client
FIELDS = ("vips", "state", "generation", "revision", "fingerprint", "version", "pool")


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


@functools.cache
def config(kind, number, ports):
    """A configuration, of realistic size for 8 ports; the same text for the same number."""
    listed = [{"appProtocol": "http", "name": f"p{i}", "port": 8000 + i, "targetPort": number} for i in range(ports)]
    document = {"kind": kind, "labels": {"app": f"app-{number}"}, "spec": {"ports": listed, "selector": {"app": "x" * 8 * ports}}}
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


@functools.cache
def fingerprint(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def plain(item):
    """What is compared of a lease as the API shows it."""
    return {**{f: item.get(f) for f in FIELDS}, "version": item.get("version", ""), "vips": [v["ip"] for v in item["vips"]]}


def matches(got, want):
    """None in `want` stands for any value; no lease at all is None."""
    if got is None or want is None:
        return got is want
    return all(want[f] is None or got[f] == want[f] for f in FIELDS)


def digest_of(items):
    """A zone's digest, from scratch, in hex."""
    total = 0
    for item in items:
        if item["state"] == "active":
            kind = bytes([1 + [name for name, _ in KINDS].index(item["kind"])])
            identity = f"{item['zone']}\0{item['mesh']}\0".encode() + kind + item["service"].encode()
            mark = bytes.fromhex(item["fingerprint"].removeprefix("sha256:"))
            total ^= int.from_bytes(hashlib.sha256(identity + b"\0" + mark).digest(), "big")
    return f"{total:064x}"


class Client:
    """One writer; its zone is its own. `leases` is what must be there, `sent` what was acknowledged since the last check."""
    PORTS = 8

    def __init__(self, number):
        self.zone = f"client-{number}"
        self.leases = {}  # (kind, service) → lease
        self.gone, self.n_names = [], 0
        self.acknowledged = collections.Counter()
        self.link = ("unmanaged", 0, None)  # state, epoch and instance of its zone
        self.forget()

    def forget(self):
        self.flight = None  # a list of (key, before, after, type of change or None): all of them are carried out, or none
        self.link_flight = None  # what `link` would be
        self.sent = collections.defaultdict(list)  # key → [(type, revision or None)]
        self.failure = None

    def run(self, address, rng, steps=None):
        """Does `steps` things, or goes on until the server is dead."""
        self.connection = http.client.HTTPConnection(*address, timeout=300)
        try:
            while steps is None or steps > 0:
                self.step(rng)
                steps = None if steps is None else steps - 1
        except (OSError, http.client.HTTPException):
            pass  # the server is dead; what was in flight is in self.flight
        except Exception as failure:
            self.failure = f"{self.zone}: {failure!r}"
        finally:
            self.connection.close()

    def pick(self, rng, state):
        """One of the client's leases, any state if None; a few draws are enough."""
        keys = list(self.leases)
        for _ in range(8):
            key = rng.choice(keys) if keys else None
            if key and (state is None or self.leases[key]["state"] == state):
                return key
        return None

    def new_name(self, rng):
        if self.gone and rng.random() < 0.4:
            return self.gone.pop(rng.randrange(len(self.gone)))
        self.n_names += 1
        return (rng.choice(KINDS), f"service-{self.n_names}.namespace-{self.n_names % 7}")

    def step(self, rng):
        draw = rng.random()
        if len(self.leases) >= NAMES_MAX:
            draw = 0.9 + draw / 10
        version = f"v{rng.randrange(1000)}" if rng.random() < 0.15 else None
        key = self.pick(rng, None if draw < 0.85 else "active" if draw < 0.95 else None)
        if draw < 0.35 or not key:
            self.put(self.new_name(rng), rng.randrange(50), version)
        elif draw < 0.6:
            self.put(key, self.leases[key]["number"], version)  # unchanged, or restored
        elif draw < 0.85:
            self.put(key, rng.randrange(50), version)
        else:
            self.delete(key, purge=draw >= 0.95)

    def expect(self, key, number, version=None):
        """What acquiring it makes: the lease, the type of the change or None, the outcome."""
        before, text = self.leases.get(key), config(key[0][0], number, self.PORTS)
        after = dict(before) if before else dict.fromkeys(FIELDS)
        same = before is not None and before["fingerprint"] == fingerprint(text)
        after.update(state="active", fingerprint=fingerprint(text), number=number)
        after["generation"] = 1 if before is None else before["generation"] + (not same)
        after["version"] = version or (before["version"] if same else "")
        change, outcome = "updated", "updated"
        if before is None:
            change, outcome = "acquired", "created"
        elif before["state"] == "quarantined":
            change, outcome = "restored", "restored"
        elif same:
            change, outcome = None, "unchanged"
        if change:
            after["revision"] = None
        return after, change, outcome

    def put(self, key, number, version):
        after, change, outcome = self.expect(key, number, version)
        query = f"?version={version}" if version else ""
        self.exchange("PUT", key, query, config(key[0][0], number, self.PORTS), (key, self.leases.get(key), after, change), outcome)

    def delete(self, key, purge):
        before = self.leases[key]
        change = "purged" if purge else "released" if before["state"] == "active" else None
        after = None if purge else {**before, "state": "quarantined", "revision": None if change else before["revision"]}
        self.exchange("DELETE", key, "?purge=true" if purge else "", None, (key, before, after, change), None)

    def exchange(self, method, key, query, body, flight, outcome):
        (_, plural), service = key
        _, before, after, change = flight
        self.flight = [flight]
        headers = {"Content-Type": "application/json"} if body else {}
        self.connection.request(method, f"/v1/meshes/default/zones/{self.zone}/{plural}/{service}{query}", body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        self.flight = None
        if answer.status == 507 and before is None and b'"pool-exhausted"' in data:
            self.acknowledged["refused"] += 1
            return self.gone.append(key)
        where = f"{method} {service}{query}: {answer.status} {data[:400]!r}, before {before}"
        check(answer.status == (201 if outcome == "created" else 200), where)
        check(answer.headers.get("Holdfast-Outcome") == outcome, f"outcome is not {outcome}: {where}")
        got = plain(json.loads(data))
        check(matches(got, after if after else before), f"not {after}: {where}")
        check(not change or after is None or got["revision"] > ((before or {}).get("revision") or 0), f"revision: {where}")
        self.acknowledged[change or "unchanged"] += 1
        if change:
            self.sent[key].append((change, got["revision"] if after else None))
        self.keep(key, got if after else None, after)

    def keep(self, key, got, after):
        if got:
            self.leases[key] = {**got, "number": after["number"]}
        else:
            self.leases.pop(key, None)
            self.gone.append(key)

    def zone_is(self, zone):
        """After a restart: the zone is as it was connected last, or as the connection in flight makes it."""
        link = (zone["state"], zone["epoch"], zone["instance"])
        check(link in (self.link, self.link_flight), f"zone {self.zone} is {link}, not {self.link} or {self.link_flight}")
        self.link = link

"""zone_client.py — writers of the crash test that are control planes: they connect, disconnect and synchronise their zone."""
import json
import threading
import time

from client import FIELDS, KINDS, Client, check, config, digest_of

KIND = KINDS[0]
HEADERS = {"Content-Type": "application/x-ndjson"}


def line(service, number, ports):
    """The configuration as a resource: with what a control plane adds, which does not count."""
    return f'{{"mesh":"default","name":"{service}","status":{{}},{config(KIND[0], number, ports)[1:]}'


class ZoneClient(Client):
    """A control plane that knows what each of its syncs must do."""
    NAMES = 60

    def __init__(self, number):
        super().__init__(number)
        self.instances = 0

    def step(self, rng):
        draw = rng.random()
        if draw < 0.15:
            self.connect(rng.random() < 0.6)
        elif draw < 0.2:
            self.disconnect()
        elif draw < 0.3:
            self.put((KIND, f"service-{rng.randrange(self.NAMES)}"), rng.randrange(9), None)
        else:
            self.random_sync(rng)

    def exchange_link(self, method, body, link):
        self.link_flight = link
        self.connection.request(method, f"/v1/zones/{self.zone}/connection", body, {"Content-Type": "application/json"} if body else {})
        answer = self.connection.getresponse()
        data = answer.read()
        check(answer.status == (404 if link is None else 200), f"{method} connection of {self.zone}: {answer.status} {data!r}")
        if link:
            got = json.loads(data)
            check((got["state"], got["epoch"]) == link[:2], f"{method} connection of {self.zone}: {got}, not {link}")
            self.link = link
        self.link_flight = None
        self.acknowledged["connections"] += 1

    def connect(self, anew):
        state, epoch, instance = self.link
        if anew or not instance:
            self.instances += 1
            instance, state = f"{self.zone}-{self.instances}", None
        self.exchange_link("PUT", json.dumps({"instance": instance}), ("online", epoch + (state != "online"), instance))

    def disconnect(self):
        self.exchange_link("DELETE", None, ("offline", *self.link[1:]) if self.link[1] else None)

    def random_sync(self, rng):
        full, items, removed = rng.random() < 0.7, {}, []
        number = rng.randrange(9) if rng.random() < 0.6 else None  # None: as they are
        for i in range(self.NAMES):
            service = f"service-{i}"
            lease = self.leases.get((KIND, service))
            active = lease is not None and lease["state"] == "active"
            if rng.random() < ((0.95 if full else 0.2) if active else 0.15):
                items[service] = lease["number"] if lease and number is None else number or 0
            elif active and not full and rng.random() < 0.1:
                removed.append(service)
        epoch = rng.choice([None, self.link[1], self.link[1], self.link[1] + (rng.random() < 0.2)])
        self.sync(rng, full, items, removed, epoch)

    def sync(self, rng, full, items, removed, epoch):
        """`items`: service → number of its configuration."""
        moves, outcomes = [], {}
        gone = {s for (_, s), lease in self.leases.items() if lease["state"] == "active" and s not in items} if full else set(removed)
        for service, number in items.items():
            after, change, outcomes[service] = self.expect((KIND, service), number)
            moves.append(((KIND, service), self.leases.get((KIND, service)), after, change))
        for service in gone:
            before, outcomes[service] = self.leases[KIND, service], "released"
            moves.append(((KIND, service), before, {**before, "state": "quarantined", "revision": None}, "released"))
        force = rng.random() < 0.5
        refused = None if epoch in (None, self.link[1]) else "stale-epoch"
        if self.link[0] == "offline" and gone and not force:
            refused = refused or "zone-offline"
        lines = [line(service, number, self.PORTS) for service, number in items.items()]
        lines += [json.dumps({"removed": {"mesh": "default", "service": service}}) for service in removed]
        rng.shuffle(lines)
        self.exchange_sync(f"mode={'full' if full else 'delta'}&force={str(force).lower()}", epoch, lines, moves, outcomes, refused)

    def exchange_sync(self, query, epoch, lines, moves, outcomes, refused):
        self.flight = moves if not refused else None
        headers = HEADERS if epoch is None else {**HEADERS, "Holdfast-Zone-Epoch": str(epoch)}
        target = f"/v1/zones/{self.zone}/sync?{query}&mesh=default&maxRelease=100&return=all"
        body = "".join(text + "\n" for text in lines)
        if not lines:  # NDJSON cannot say that there is nothing
            body, headers = '{"items":[]}', {**headers, "Content-Type": "application/json"}
        self.connection.request("POST", target, body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        self.flight = None
        if refused:
            check(answer.status == 409 and json.loads(data)["code"] == refused, f"{self.link} {query}: not {refused}: {answer.status} {data[:300]!r}")
            self.acknowledged["refused"] += 1
            return
        check(answer.status == 200, f"sync of {self.zone}: {answer.status} {data[:300]!r}")
        self.accept(json.loads(data), moves, outcomes)

    def accept(self, answer, moves, outcomes):
        results = {result["service"]: result for result in answer["results"]}
        got = {service: result["outcome"] for service, result in results.items()}
        check(got == outcomes and len(results) == len(answer["results"]), f"sync of {self.zone}: {got}, not {outcomes}")
        for key, before, after, change in moves:
            vips = [vip["ip"] for vip in results[key[1]]["vips"]]
            check(before is None or before["vips"] == vips, f"{key[1]}: {vips}, but it had {before}")
            self.keep(key, {field: after[field] for field in FIELDS} | {"vips": vips}, after)
            if change:
                self.sent[key].append((change, None))
        leases = ({**lease, "zone": self.zone, "mesh": "default", "kind": key[0][0], "service": key[1]}
                  for key, lease in self.leases.items())
        check(answer["digest"].removeprefix("sha256:") == digest_of(leases), f"sync of {self.zone}: another digest than from scratch")
        self.acknowledged["syncs"] += 1


class BigClient(ZoneClient):
    """Synchronises ten thousand services at once, each time with new configurations and some others than before."""
    NAMES = 10000
    PORTS = 1

    def __init__(self, number):
        super().__init__(number)
        self.busy = threading.Event()  # a sync begins to be sent
        self.syncs, self.answered = 0, None

    def step(self, rng):
        if rng.random() < 0.7 or not self.link[1]:
            self.connect(True)
        first, number = rng.randrange(1000), self.syncs
        self.syncs += 1
        items = {f"service-{i}": number for i in range(first, first + self.NAMES)}
        full = rng.random() < 0.7 or not self.leases
        active = {s for (_, s), lease in self.leases.items() if lease["state"] == "active"}
        removed = [] if full else sorted(active - items.keys())
        self.sync(rng, full, items, removed, self.link[1])

    def exchange_sync(self, query, epoch, lines, moves, outcomes, refused):
        self.busy.set()
        super().exchange_sync(query, epoch, lines, moves, outcomes, refused)

    def sync_once(self, address, rng):
        self.answered = None
        self.run(address, rng, 1)

    def accept(self, answer, moves, outcomes):
        self.answered = time.monotonic()
        super().accept(answer, moves, outcomes)

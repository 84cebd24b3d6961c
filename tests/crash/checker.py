"""checker.py — the crash test's check after a restart: what the API shows against what the clients know."""
import collections
import functools
import ipaddress
import json

from client import check, digest_of, matches, plain

PAGED_MAX = 3000  # leases; a longer list is only read as a stream
ip_address = functools.cache(ipaddress.ip_address)


class Checker:
    """What the API shows after a restart, against what the clients know."""

    def __init__(self, server, clients, rng):
        self.server, self.clients, self.rng = server, clients, rng
        self.revision = server.get("/v1/status")["revision"]

    def read_leases(self):
        status, data = self.server.call("/v1/leases", headers={"Accept": "application/x-ndjson"})
        check(status == 200, f"the listing: {status}")
        items = [json.loads(line) for line in data.splitlines()]
        paged, token = [], "" if len(items) < PAGED_MAX else None
        while token is not None:
            page = self.server.get("/v1/leases?limit=900" + (f"&continue={token}" if token else ""))
            paged, token = paged + page["items"], page["continue"]
        check(items == paged or len(items) >= PAGED_MAX, "pages and stream differ")
        return items

    def check_addresses(self, items):
        holders = {}
        for item in items:
            for vip in item["vips"]:
                check(vip["ip"] not in holders, f"{vip['ip']} is held twice: {item} and {holders.get(vip['ip'])}")
                holders[vip["ip"]] = item
        for ip in self.rng.sample(sorted(holders), min(20, len(holders))):
            check(self.server.get(f"/v1/addresses/{ip}")["lease"] == holders[ip], f"/v1/addresses/{ip} is not {holders[ip]}")

    def check_pools(self, items):
        counts = collections.Counter()
        for item in items:
            counts[item["pool"], item["state"]] += 1
            for vip in item["vips"]:
                counts[item["pool"], item["state"], f"ipv{ip_address(vip['ip']).version}"] += 1
        for pool in self.server.get("/v1/pools")["items"]:
            for state, word in (("active", "leased"), ("quarantined", "quarantined")):
                count = pool["leases"][state]
                check(count == counts[pool["pool"], state], f"pool {pool['pool']} counts {count} leases {state}")
                for family in ("ipv4", "ipv6"):
                    count = int(pool.get(family, {word: 0})[word])
                    check(count == counts[pool["pool"], state, family], f"pool {pool['pool']} counts {count} {family} {word}")
            networks = [ipaddress.ip_network(c) for c in pool["cidrs"]]
            for vip in (ipaddress.ip_address(v["ip"]) for i in items if i["pool"] == pool["pool"] for v in i["vips"]):
                check(any(vip in network for network in networks), f"{vip} is not in pool {pool['pool']}")

    def settle(self, client, listed):
        """What was in flight is there or not, whole or not at all. Returns the changes that it made; the client knows now."""
        got = {key: listed.get((client.zone, key[0][0], key[1])) for key, *_ in client.flight}
        changed = any(not matches(got[key], before) for key, before, *_ in client.flight)
        done = {}
        for key, before, after, change in client.flight:
            check(matches(got[key], after if changed else before), f"in flight: {before} to {after}, but there is {got[key]}")
            client.keep(key, got[key], after if changed else before)
            if changed and change:
                done[client.zone, key] = change
        return done

    def check_leases(self, items):
        """Every lease is as its client knows it. Returns the changes in flight that were carried out: zone and key → type."""
        listed = {(i["zone"], i["kind"], i["service"]): plain(i) for i in items}
        check(len(listed) == len(items), "a lease is listed twice")
        done = {}
        for client in self.clients:
            done.update(self.settle(client, listed) if client.flight else {})
        for client in self.clients:
            for (kind, service), lease in client.leases.items():
                got = listed.pop((client.zone, kind[0], service), None)
                check(matches(got, lease), f"{client.zone} {service}: acknowledged {lease}, but there is {got}")
                lease.update(got)  # an answer to a sync does not tell everything
        check(not listed, f"nobody asked for {list(listed.items())[:3]}")
        return done

    def check_zones(self, items):
        """Each zone is as its client connected it, and its digest is that of its leases."""
        for client in self.clients:
            status, data = self.server.call(f"/v1/zones/{client.zone}")
            zone = json.loads(data)
            if status == 404:
                check(client.link[1] == 0 and not client.leases, f"zone {client.zone} is gone: {client.link}")
                continue
            digest = digest_of(i for i in items if i["zone"] == client.zone)
            check(zone["digest"].removeprefix("sha256:") == digest, f"the digest of zone {client.zone} is {digest}: {zone}")
            client.zone_is(zone)

    def read_feed(self):
        """The whole feed, from the compacted revision to the store's, without a gap."""
        status = self.server.get("/v1/status")
        since = compacted = status["compactedRevision"]
        changes = []
        while since < self.revision:
            page = self.server.get(f"/v1/changes?since={since}&limit=3000")
            check(page["changes"], f"the feed ends at {since}, the store is at {self.revision}")
            changes, since = changes + page["changes"], page["revision"]
        check([c["revision"] for c in changes] == list(range(compacted + 1, self.revision + 1)), "the feed has a gap")
        check(status["changes"] == len(changes), f"the status counts {status['changes']} changes, not {len(changes)}")
        if compacted:
            status, _ = self.server.call(f"/v1/changes?since={compacted - 1}")
            check(status == 410, f"since before the compacted revision is answered {status}")
        return compacted, [c for c in changes if "service" in c]

    def check_feed(self, items, changes, compacted):
        """The last change of a lease is the lease, and whatever else the feed has is gone."""
        last = {(c["zone"], c["kind"], c["service"]): c for c in changes}
        for item in items:
            change = last.pop((item["zone"], item["kind"], item["service"]), None)
            check(change is not None or item["revision"] <= compacted, f"the feed does not have {item}")
            same = not change or all(change[f] == item[f] for f in ("revision", "generation", "vips", "pool"))
            check(same, f"the last change is {change}, but there is {item}")
        check(all(c["type"] == "purged" for c in last.values()), f"in the feed, but gone: {list(last.values())[:3]}")

    def check_sent(self, changes, compacted, done, start):
        """Since `start` the feed has what was acknowledged and what of that in flight was carried out, each lease's in order."""
        seen, sent = collections.defaultdict(list), collections.defaultdict(list)
        for change in changes:
            if change["revision"] > start:
                seen[change["zone"], change["kind"], change["service"]].append((change["type"], change["revision"]))
        for client in self.clients:
            for (kind, service), types in client.sent.items():
                sent[client.zone, kind[0], service] += types
        for (zone, (kind, service)), change in done.items():
            sent[zone, kind[0], service].append((change, None))
        for key in sent.keys() | seen.keys():
            got, want = seen[key], sent[key]
            if compacted > start:  # the round was longer than the feed
                want = want[len(want) - len(got):]
            same = len(got) == len(want) and all(g[0] == w[0] and w[1] in (None, g[1]) for g, w in zip(got, want))
            check(same, f"{key}: acknowledged {want}, the feed has {got}")

    def check(self, start):
        expected = start + sum(len(sent) for c in self.clients for sent in c.sent.values())
        items = self.read_leases()
        self.check_addresses(items)
        self.check_pools(items)
        done = self.check_leases(items)
        check(self.revision == expected + len(done), f"revision {self.revision}; {expected} and {len(done)} in flight make another")
        compacted, changes = self.read_feed()
        self.check_feed(items, changes, compacted)
        self.check_zones(items)
        self.check_sent(changes, compacted, done, start)
        for client in self.clients:
            client.forget()
        return len(items), len(done)

"""The story of Holdfast on real input: a zone that comes back keeps every address.

Starts a private server on a free port with its own data. Two zones, east and west, connect and send all their MeshServices. Then east
loses its connection, the server is killed with SIGKILL and restarted, and both zones send everything again as Kuma's global control
plane would: `status` emptied, times and member order changed, together with the services of the other zone. Each service must be
"unchanged" on the same VIP, and both zones must see the same VIP. At the end a late write of east's old control plane and an empty
snapshot are refused. The demo checks every claim that it prints.

Usage: scripts/demo [FILE_EAST [FILE_WEST]]
       FILE: a list from Kuma's API, or from `kubectl get meshservices -A -o json`; the default is a sample in tests/data
Exit status: 0 if every claim holds, 1 if not, 2 if a file cannot be used.
"""
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from urllib.parse import quote, urlsplit

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = [os.path.join(ROOT, "tests", "data", name) for name in ("zone-east.universal.json", "zone-west.kubernetes.json")]
KIND = "MeshService"
VIP_CHANGES, AVOIDED = "holdfast_vip_changes_total", "holdfast_sync_reallocations_avoided_total"
REJECTED_SHOWN = 3  # rejected items of a zone that are printed; the rest are only counted
SHOWN = 22  # services of a zone in the table; all are checked


class NotSo(Exception):
    """A claim of the demo does not hold."""


def claim(condition, otherwise):
    if not condition:
        raise NotSo(otherwise)


class Server:
    """A holdfastd on a free port. Its directory outlives it."""

    def __init__(self, data_dir):
        binary = os.environ.get("HOLDFASTD", os.path.join(ROOT, "build", "release", "holdfastd"))
        command = [binary, "--data-dir", data_dir, "--listen", "127.0.0.1:0", "--log-level", "warn"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise NotSo(f"holdfastd did not start: exit status {self.process.wait()}")
        self.connection = http.client.HTTPConnection(urlsplit(line.split()[-1]).netloc, timeout=30)

    def request(self, method, path, body=None, epoch=None):
        """Returns the status and the answer: JSON parsed, anything else as text."""
        headers = {"Content-Type": "application/json"}
        if epoch is not None:
            headers["Holdfast-Zone-Epoch"] = str(epoch)
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        return response.status, json.loads(text) if "json" in (response.getheader("Content-Type") or "") else text

    def ask(self, method, path, body=None, epoch=None):
        status, answer = self.request(method, path, body, epoch)
        claim(status in (200, 201), f"{method} {path} was answered with {status}: {answer}")
        return answer

    def refused(self, code, method, path, body=None, epoch=None):
        """Returns the problem of a request that must be refused with 409 and change nothing."""
        before = self.revision()
        status, answer = self.request(method, path, body, epoch)
        claim(status == 409 and answer.get("code") == code, f"{method} {path} should be refused with {code}, but: {status} {answer}")
        claim(self.revision() == before, f"{method} {path} was refused, but the revision changed")
        return answer

    def revision(self):
        return self.ask("GET", "/v1/status")["revision"]

    def metric(self, name):
        """Returns a counter's value, summed over its labels."""
        lines = [line for line in self.ask("GET", "/metrics").splitlines() if line.startswith(name)]
        claim(lines, f"/metrics has no {name}")
        return sum(int(line.rsplit(None, 1)[1]) for line in lines)

    def stop(self, how):
        self.process.send_signal(how)
        self.process.wait()
        self.process.stdout.close()
        self.connection.close()


def is_kubernetes(document):
    return isinstance(document.get("metadata"), dict)


def labels_of(document):
    found = document["metadata"].get("labels") if is_kubernetes(document) else document.get("labels")
    return found if isinstance(found, dict) else {}


def with_labels(document, labels):
    if is_kubernetes(document):
        return {**document, "metadata": {**document["metadata"], "labels": labels}}
    return {**document, "labels": labels}


def identity(document):
    """Returns mesh, name and namespace (or None) of a document, as Kuma names them."""
    metadata = document["metadata"] if is_kubernetes(document) else {}
    labels, display = labels_of(document), "kuma.io/display-name"
    name = labels.get(display) or (metadata.get("annotations") or {}).get(display) or document.get("name") or metadata.get("name")
    namespace = labels.get("k8s.kuma.io/namespace")
    if not namespace and labels.get("kuma.io/origin") != "global" and labels.get("kuma.io/env") != "universal":
        namespace = metadata.get("namespace")
    return document.get("mesh") or labels.get("kuma.io/mesh") or "default", name, namespace


def service(document):
    """Returns mesh and service of a document, as results name them."""
    mesh, name, namespace = identity(document)
    return mesh, f"{name}.{namespace}" if namespace else name


def shuffled(value):
    """Returns the same document with its members in another order."""
    if isinstance(value, dict):
        members = list(value.items())
        random.shuffle(members)
        return {name: shuffled(member) for name, member in members}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def come_back(document):
    """Returns a document as global sends it in the next synchronisation: rewritten, and without its status."""
    copy = shuffled({**document, "status": {}})
    if is_kubernetes(copy):
        copy["metadata"]["resourceVersion"] = str(random.randrange(10**6))
    elif "modificationTime" in copy:
        copy["modificationTime"] = "2026-06-01T12:00:00Z"
    return copy


def imported(document, origin, kubernetes):
    """Returns a document of zone `origin` as global sends it to another zone: the name ends in a hash, labels have the identity."""
    mesh, name, namespace = identity(document)
    suffix = hashlib.sha256("/".join((mesh, origin, name, namespace or "")).encode()).hexdigest()[:16]
    labels = {**labels_of(document), "kuma.io/display-name": name, "kuma.io/mesh": mesh, "kuma.io/origin": "global", "kuma.io/zone": origin}
    if namespace:
        labels["k8s.kuma.io/namespace"] = namespace
    rest = {"spec": document.get("spec", {}), "status": {}}
    if kubernetes:
        metadata = {"name": f"{name}-{suffix}", "namespace": "kuma-system", "labels": labels}
        return {"apiVersion": "kuma.io/v1alpha1", "kind": KIND, "metadata": metadata, **rest}
    return {"type": KIND, "mesh": mesh, "name": f"{name}-{suffix}", "labels": labels, **rest}


def read_documents(file, zone):
    """Returns a zone's own MeshServices from a file, and remarks on what was left out."""
    try:
        with open(file, encoding="utf-8") as stream:
            content = json.load(stream)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{file}: {error}") from None
    items = content.get("items", [content]) if isinstance(content, dict) else content
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise SystemExit(f"{file}: neither a document nor a list of documents")
    own = [item for item in items if (item.get("type") or item.get("kind") or KIND) == KIND]
    remarks = [f"{len(items) - len(own)} documents of other kinds ignored"] if len(own) < len(items) else []
    native = [item for item in own if labels_of(item).get("kuma.io/origin") != "global"]
    if len(native) < len(own):
        remarks.append(f"{len(own) - len(native)} imported from other zones ignored")
    moved = sum(labels_of(item).get("kuma.io/zone", zone) != zone for item in native)
    if moved:
        remarks.append(f"{moved} of another zone treated as {zone}'s")
    if not native:
        raise SystemExit(f"{file}: it has no MeshService of the zone itself")
    return [with_labels(item, {**labels_of(item), "kuma.io/zone": zone}) for item in native], remarks


class Zone:
    """What the demo knows about a zone: its documents, its leases and its epoch."""

    def __init__(self, name, file):
        self.name, self.file = name, file
        self.documents, self.remarks = read_documents(file, name)
        self.kubernetes = is_kubernetes(self.documents[0])
        self.vips, self.outcomes, self.term = {}, {}, 0

    def path(self, what):
        return f"/v1/zones/{self.name}/{what}"

    def connect(self, server, new_term):
        self.term += new_term
        answer = server.ask("PUT", self.path("connection"), {"instance": f"{self.name}-control-plane-{self.term}"})
        self.epoch = answer["epoch"]
        return answer

    def sync(self, server, documents):
        body = {"items": documents}
        if self.kubernetes:
            body = {"apiVersion": "v1", "kind": "List", "metadata": {}, **body}
        return server.ask("POST", self.path("sync?mode=full&mesh=*&return=all"), body, self.epoch)

    def first_sync(self, server):
        self.answer = self.sync(server, self.documents)
        for result in self.answer["results"]:
            if result["outcome"] != "rejected":
                key = result["mesh"], result["service"]
                self.vips[key], self.outcomes[key] = addresses(result), result["outcome"]
        claim(set(self.outcomes.values()) <= {"created", "adopted"}, f"the services of a new zone are {set(self.outcomes.values())}")
        claim(self.vips, f"none of {self.name}'s services got a lease: {self.answer['results'][:1]}")

    def imports(self, origin):
        """Returns the other zone's services as this zone receives them, each once."""
        first = {service(document): document for document in reversed(origin.documents)}
        return [imported(first[key], origin.name, self.kubernetes) for key in origin.vips]

    def sync_again(self, server, other):
        """Sends everything again, with the other zone's services, and keeps each result."""
        answer = self.sync(server, [come_back(d) for d in self.documents] + self.imports(other))
        results = [result for result in answer["results"] if result["outcome"] != "rejected"]
        self.again = {(r["mesh"], r["service"]): r for r in results if r["outcome"] != "foreign"}
        self.foreign = {(r["mesh"], r["service"]): addresses(r) for r in results if r["outcome"] == "foreign"}
        return answer


def addresses(result):
    return ", ".join(vip["ip"] for vip in result["vips"] or []) or "-"


def quote_problem(problem):
    print(textwrap.fill(f"409 {problem['code']}: {problem['detail']}", 120, initial_indent="   ", subsequent_indent="   "))


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def print_first_sync(zone):
    summary = zone.answer["summary"]
    counts = ", ".join(f"{n} {name}" for name, n in summary.items() if n)
    print(f"  {zone.name}: first connection, epoch {zone.epoch}; {os.path.basename(zone.file)}: {counts}")
    for remark in zone.remarks:
        print(f"    {remark}")
    rejected = [r for r in zone.answer["results"] if r["outcome"] == "rejected"]
    for result in rejected[:REJECTED_SHOWN]:
        print(f"    item {result['item']} {result.get('service', '')} rejected: {result['problem']['detail']}")
    refused = sum("claimRefused" in result for result in zone.answer["results"])
    if refused:
        print(f"    {refused} had an address that was not free in the pool, and got another one")


def begin(server, zones):
    print("1. Two zones connect and send everything they have.")
    for zone in zones:
        answer = zone.connect(server, True)
        claim((answer["connection"], answer["sync"]) == ("first", "full"), f"{zone.name}'s first connection was answered with {answer}")
        zone.first_sync(server)
        print_first_sync(zone)
    every = [vip for zone in zones for vip in zone.vips.values()]
    claim(len(set(every)) == len(every), "two services have the same VIP")


def lose(server, east):
    """East goes offline, which freezes its leases."""
    server.ask("DELETE", east.path("connection"))
    mesh, name = next(iter(east.vips))
    problem = server.refused("zone-offline", "DELETE", lease_path(east, mesh, name))
    print(f"\n2. {east.name} loses its connection. Its leases are frozen, so a release of {name} is refused:")
    quote_problem(problem)


def come_back_again(server, zones):
    """Both zones send everything again."""
    for zone, other in (zones, zones[::-1]):
        east = zone is zones[0]
        state = server.ask("GET", f"/v1/zones/{zone.name}")["state"]
        claim(state == ("offline" if east else "online"), f"after the restart {zone.name} is {state}")
        old = zone.epoch
        answer = zone.connect(server, east)
        claim(answer["connection"] == ("reconnect" if east else "refresh"), f"{zone.name}'s connection was answered with {answer}")
        claim(answer["epoch"] == old + east, f"{zone.name}'s epoch went from {old} to {answer['epoch']}")
        claim(answer["digest"] == zone.answer["digest"], f"{zone.name}'s digest is different after the restart")
        synced = zone.sync_again(server, other)
        summary, first = synced["summary"], zone.answer["summary"]
        counts = ", ".join(f"{n} {name}" for name, n in summary.items() if n)
        print(f"   {zone.name}: {answer['connection']}, epoch {answer['epoch']}, sync {answer['sync']}; "
              f"sent {len(zone.documents)} of its own and {len(other.vips)} of {other.name}: {counts}")
        claim(summary["unchanged"] == len(zone.vips), f"{len(zone.vips)} services of {zone.name} should be unchanged, but {summary}")
        claim(summary["foreign"] == len(other.vips), f"{len(other.vips)} services should be foreign to {zone.name}, but {summary}")
        claim(summary["rejected"] == first["rejected"], f"{zone.name}'s sync rejected {summary['rejected']}, not {first['rejected']}")
        claim(synced["digest"] == zone.answer["digest"], f"{zone.name}'s digest changed")


def compare(zones):
    """Prints each VIP before and after, and what the other zone sees."""
    rows, count = [("MESH", "ZONE", "SERVICE", "FIRST TIME", "", "AGAIN", "", "THE OTHER ZONE SEES")], 0
    for zone, other in (zones, zones[::-1]):
        for i, ((mesh, name), vip) in enumerate(zone.vips.items()):
            result, seen = zone.again.get((mesh, name)), other.foreign.get((mesh, name), "-")
            now, outcome = (addresses(result), result["outcome"]) if result else ("-", "-")
            if i < SHOWN:
                rows.append((mesh, zone.name, name, zone.outcomes[mesh, name], vip, outcome, now, seen))
            claim(now == vip, f"{name} of mesh {mesh}, zone {zone.name}, had {vip} and has {now}")
            claim(seen == vip, f"{name} of mesh {mesh}, zone {zone.name}, has {vip}, but the other zone sees {seen}")
        if len(zone.vips) > SHOWN:
            rows.append(("…", zone.name, f"and {len(zone.vips) - SHOWN} more, all the same", "", "", "", "", ""))
        count += len(zone.vips)
    print()
    print_table(rows)
    return count


def refuse(server, east):
    """Sends a late write of the old control plane and an empty snapshot, which must be refused."""
    mesh, name = next(iter(east.vips))
    path = lease_path(east, mesh, name)
    problem = server.refused("stale-epoch", "PUT", path, {"type": KIND, "name": name, "spec": {"late": True}}, east.epoch - 1)
    print(f"\n4. A late write of {east.name}'s old control plane, to {name}, is refused:")
    quote_problem(problem)
    problem = server.refused("mass-release-guard", "POST", east.path("sync?mode=full&mesh=*"), {"items": []}, east.epoch)
    released = problem["summary"]["released"]
    claim(released == len(east.vips), f"the guard's summary says {released} releases, not {len(east.vips)}")
    print(f"\n5. An empty snapshot would release {released} leases. The guard refuses it:")
    quote_problem(problem)
    shown = server.ask("GET", f"/v1/zones/{east.name}")
    claim((shown["state"], shown["leases"]["active"]) == ("online", len(east.vips)), f"{east.name} has changed: {shown}")
    held = addresses(server.ask("GET", path))
    claim(held == east.vips[mesh, name], f"{name} has {held}, not {east.vips[mesh, name]}")


def lease_path(zone, mesh, name):
    return f"/v1/meshes/{quote(mesh, safe='')}/zones/{zone.name}/services/{quote(name, safe='')}"


def play(data_dir, zones):
    server = Server(data_dir)
    try:
        begin(server, zones)
        lose(server, zones[0])
        before, changes = server.revision(), server.metric(VIP_CHANGES)
        server.stop(signal.SIGKILL)
        server = Server(data_dir)
        print("\n3. The server is killed with SIGKILL and restarted. east comes back with a new control plane, and both zones send everything\n"
              "   again as global does: status emptied, members in another order, together with the other zone's services.")
        come_back_again(server, zones)
        count, after = compare(zones), server.revision()
        changes, avoided = changes + server.metric(VIP_CHANGES), server.metric(AVOIDED)
        claim(after == before, f"the revision was {before} and is {after}")
        claim(changes == 0, f"{VIP_CHANGES} is {changes}")
        claim(avoided == count, f"{AVOIDED} is {avoided}")
        print(f"\n   {count} of {count} services kept their VIP, and both zones see the same VIPs.")
        print(f"   Revision {before} before, {after} after; {VIP_CHANGES} {changes}, {AVOIDED} {avoided}.")
        refuse(server, zones[0])
        claim(server.revision() == before, f"the revision was {before} and is {server.revision()}")
    finally:
        server.stop(signal.SIGTERM)


def main():
    files = sys.argv[1:]
    if any(file in ("-h", "--help") for file in files) or len(files) > 2:
        print(__doc__)
        return 2 if len(files) > 2 else 0
    data_dir = tempfile.mkdtemp(prefix="holdfast-demo-")
    try:
        play(data_dir, [Zone(name, file) for name, file in zip(("east", "west"), files + FILES[len(files):])])
    except SystemExit as unusable:
        print(f"demo: {unusable}", file=sys.stderr)
        return 2
    except NotSo as otherwise:
        print(f"\ndemo: A CLAIM DOES NOT HOLD: {otherwise}", file=sys.stderr)
        return 1
    except (OSError, http.client.HTTPException) as failure:
        print(f"\ndemo: the server does not answer: {failure!r}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(data_dir)
    print("\nEvery claim was checked and holds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The main job, shown on real input: the same service keeps its VIP.

Starts a private server on a free port, acquires a lease for every MeshService in a JSON file, kills the server, starts it again,
sends every service once more with its members in another order, and shows that each is "unchanged" on the same VIP and that the
store's revision did not move.

Usage: scripts/demo [FILE]     FILE: a list from Kuma's API, or of `kubectl get meshservices -A -o json`
Exit status: 0 if every service kept its VIP, 1 if not.
"""
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from urllib.parse import quote, urlsplit

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEFAULT_FILE = os.path.join(ROOT, "tests", "data", "meshservices.json")
DEFAULT_ZONE = "demo"  # for documents that do not say where they live
KINDS = {"MeshService": "services", "MeshExternalService": "externalservices", "MeshMultiZoneService": "multizoneservices"}


class Server:
    """A holdfastd on a free port; the directory outlives it."""

    def __init__(self, data_dir):
        binary = os.environ.get("HOLDFASTD", os.path.join(ROOT, "build", "release", "holdfastd"))
        command = [binary, "--data-dir", data_dir, "--listen", "127.0.0.1:0", "--log-level", "warn"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            sys.exit(f"holdfastd did not start: exit status {self.process.wait()}")
        self.connection = http.client.HTTPConnection(urlsplit(line.split()[-1]).netloc, timeout=10)

    def request(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        return response.getheader("Holdfast-Outcome"), json.loads(response.read())

    def revision(self):
        return self.request("GET", "/v1/status")[1]["revision"]

    def stop(self, how):
        self.process.send_signal(how)
        self.process.wait()
        self.connection.close()


def identity(document):
    """Kind, mesh, zone and service of a document, as Kuma names them."""
    metadata = document.get("metadata") or {}
    labels = document.get("labels") or metadata.get("labels") or {}
    annotations = metadata.get("annotations") or {}
    display = "kuma.io/display-name"
    service = labels.get(display) or annotations.get(display) or document.get("name") or metadata.get("name")
    namespace = labels.get("k8s.kuma.io/namespace")
    if not namespace and labels.get("kuma.io/origin") != "global" and labels.get("kuma.io/env") != "universal":
        namespace = metadata.get("namespace")
    mesh = document.get("mesh") or labels.get("kuma.io/mesh") or "default"
    kind = document.get("type") or document.get("kind") or "MeshService"
    if service and namespace:
        service = f"{service}.{namespace}"
    return kind, mesh, labels.get("kuma.io/zone") or DEFAULT_ZONE, service


def path(who):
    kind, mesh, zone, service = (quote(part, safe="") for part in who)
    return f"/v1/meshes/{mesh}/zones/{zone}/{KINDS[kind]}/{service}"


def shuffled(value):
    """The same document with its members in another order."""
    if isinstance(value, dict):
        members = list(value.items())
        random.shuffle(members)
        return {name: shuffled(member) for name, member in members}
    if isinstance(value, list):
        return [shuffled(item) for item in value]
    return value


def acquire_all(server, services):
    """One PUT a service; returns (outcome, VIPs) of each, or stops at a refusal."""
    results = []
    for who, document in services:
        outcome, answer = server.request("PUT", path(who), document)
        if not outcome:
            sys.exit(f"{' '.join(who)}: {answer['code']}: {answer['detail']}")
        results.append((outcome, ",".join(vip["ip"] for vip in answer["vips"])))
    return results


def show(services, *columns):
    rows = [("MESH", "ZONE", "SERVICE", "FIRST", "VIP", "AGAIN", "VIP")]
    for i, ((_, mesh, zone, service), _) in enumerate(services):
        rows.append((mesh, zone, service) + tuple(cell for column in columns for cell in column[i]))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def read_services(file):
    try:
        with open(file, encoding="utf-8") as stream:
            document = json.load(stream)
    except (OSError, ValueError) as error:
        sys.exit(f"{file}: {error}")
    items = document.get("items", [document]) if isinstance(document, dict) else document
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        sys.exit(f"{file}: it is neither a document nor a list of documents")
    services = {}
    for item in items:
        who = identity(item)
        if not all(isinstance(part, str) for part in who):
            sys.exit(f"{file}: a document has no name")
        if who[0] not in KINDS:
            print(f"passed over: {who[0]} {who[3]} is no mesh service")
        elif who in services:
            print(f"passed over: a second document of {who[3]} in mesh {who[1]}, zone {who[2]}")
        else:
            services[who] = item
    if not services:
        sys.exit(f"{file}: there is no mesh service in it")
    return list(services.items())


def main():
    if len(sys.argv) > 2 or any(argument in ("-h", "--help") for argument in sys.argv[1:]):
        print(__doc__)
        return 0 if len(sys.argv) == 2 else 2
    file = sys.argv[1] if len(sys.argv) == 2 else DEFAULT_FILE
    services = read_services(file)
    data_dir = tempfile.mkdtemp(prefix="holdfast-demo-")
    server = None
    try:
        server = Server(data_dir)
        first, before = acquire_all(server, services), server.revision()
        server.stop(signal.SIGKILL)
        server = Server(data_dir)
        again = acquire_all(server, [(who, shuffled(document)) for who, document in services])
        after = server.revision()
    finally:
        if server:
            server.stop(signal.SIGTERM)
        shutil.rmtree(data_dir)
    show(services, first, again)
    kept = sum(outcome == "unchanged" and vip == old for (outcome, vip), (_, old) in zip(again, first))
    print(f"\n{kept} of {len(services)} services unchanged on the same VIP after kill -9, restart and replay in another member order;")
    print(f"revision {before} before, {after} after.")
    return 0 if kept == len(services) and before == after else 1


if __name__ == "__main__":
    sys.exit(main())

"""What is sent: the bench's one configuration of some 600 bytes, names, paths, documents of a sync, requests."""
import json
import struct

JSON, NDJSON = "application/json", "application/x-ndjson"
TEAMS = ("payments-prod", "identity", "catalogue-search", "logistics-eu", "platform-observability")
WORDS = ("gateway", "inventory", "notification", "session", "recommendation", "ledger", "audit")
PREFILLED = 10_000


def spread_of(number):
    """Multiplying by an odd number permutes 32 bits, so names are unlike each other and in no order."""
    return number * 2654435761 % 2**32


def name_of(number):
    spread = spread_of(number)
    return f"{WORDS[spread // 64 % 7]}-api-{spread:08x}"


def path_of(number, zone="east"):
    return f"/v1/meshes/default/zones/{zone}/services/{name_of(number)}"


def document(number, zone="east", port=80):
    """The n-th service of a zone, as a dictionary in the order in which a control plane writes it."""
    name = name_of(number)
    return {
        "type": "MeshService", "mesh": "default", "name": name, "creationTime": "2026-03-01T09:00:00Z",
        "labels": {"kuma.io/display-name": name, "kuma.io/env": "universal", "kuma.io/origin": "zone", "kuma.io/zone": zone,
                   "team": TEAMS[spread_of(number) // 8 % 5], "build": "00000000"},
        "spec": {"state": "Available", "selector": {"dataplaneTags": {"app": name, "kuma.io/service": name}},
                 "ports": [{"name": "http", "port": port, "targetPort": 8080, "appProtocol": "http"},
                           {"name": "grpc", "port": 9090, "targetPort": 9090, "appProtocol": "grpc"}]},
        "status": {"vips": [], "tls": {"status": "Ready"}}}


def shuffled(value):
    """The same value with the members of every object in another order."""
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def text_of(value):
    return json.dumps(value, separators=(",", ":")).encode()


# Every single request sends this, whatever its path's name: a PUT does not look at the name within.
BODY = text_of(document(1))
SHUFFLED = text_of(shuffled(document(1)))


def list_of(count, zone, change=lambda value: value, changed_every=0):
    """The body of a sync: one document a line."""
    lines = (text_of(change(document(i, zone, 81 if changed_every and i % changed_every == 0 else 80))) for i in range(count))
    return b"".join(line + b"\n" for line in lines)


def put_request(path, body=BODY):
    return f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def get_request(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def write_requests(path, requests):
    """A file for bench_load."""
    with open(path, "wb") as file:
        file.writelines(struct.pack("=I", len(request)) + request for request in requests)

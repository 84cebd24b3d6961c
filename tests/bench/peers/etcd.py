"""etcd as a peer: a transaction acquires a lease, over the JSON gateway; every change is in the synced write-ahead log before its answer.

etcd computes nothing: the client has the digest of the body at hand, counts the addresses, and compares a lease that is there with its
own digest. The transaction refuses an address that somebody else has taken. etcd's own revision is the lease's, and its history, which a
watch tells, is the change feed. (The gateway is REST, as Holdfast is; a gRPC client would spare etcd some CPU.)
"""
import base64
import concurrent.futures
import hashlib
import http.client
import json
import os
import time

from common import ADDRESS, ANSWER_S, KEY, Base64, Peer, PeerError, find_program, flatten, free_ports

TXN_OPS = 1024  # etcd's --max-txn-ops: comparisons or operations of a transaction
BULK_CONNECTIONS = 2
DIGEST = b'{"digest":"'
LEASES, ADDRESSES = b"leases/", b"addresses/"


def text_of(data):
    return base64.b64encode(data).decode()


def end_of(prefix):
    """The first key behind all that begin with the prefix."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


class Etcd(Peer):
    name = "etcd"
    connection, digest = None, b""

    def start(self):
        self.digest = hashlib.sha256(self.body).hexdigest().encode()
        self.port, peer_port = free_ports(2)
        client, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{peer_port}"
        self.spawn([find_program("etcd"), "--name", "one", "--data-dir", os.path.join(self.directory, "data"),
                    "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                    "--initial-advertise-peer-urls", peer, "--initial-cluster", f"one={peer}", "--max-txn-ops", str(TXN_OPS),
                    "--quota-backend-bytes", str(8 << 30), "--logger", "zap", "--log-outputs", "stderr", "--log-level", "warn"])
        self.connection = self.connect()
        self.until(self.put_first)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)

    def put_first(self):
        """A put: it is answered when etcd is there and leads itself."""
        try:
            self.ask("put", {"key": text_of(b"ready"), "value": ""})
        except (http.client.HTTPException, PeerError) as error:
            raise ConnectionError(str(error)) from error

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    @staticmethod
    def post(connection, what, body):
        """Posts JSON bytes and returns the answer's; a connection that breaks is opened again by the next call."""
        try:
            connection.request("POST", f"/v3/kv/{what}", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read()
        except BaseException:
            connection.close()
            raise
        if answer.status != 200:
            raise PeerError(f"etcd answers {answer.status} {data[:300]!r}")
        return data

    def ask(self, what, body):
        return json.loads(self.post(self.connection, what, json.dumps(body).encode()))

    def service(self, zone):
        return [b"default/%s/gateway-api-" % zone.encode(), KEY]

    def acquire(self, zone):
        """The comparisons, and the operations, that acquire one lease."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()).encode()
        service = self.service(zone)
        lease, address = Base64([LEASES, *service]), Base64([ADDRESSES, ADDRESS])
        record = Base64([DIGEST + self.digest + b'","address":"', ADDRESS,
                         b'","generation":1,"created":"' + now + b'","modified":"' + now + b'"}'])
        compare = [b'{"target":"CREATE","result":"EQUAL","create_revision":"0","key":"', lease,
                   b'"},{"target":"CREATE","result":"EQUAL","create_revision":"0","key":"', address, b'"}']
        success = [b'{"request_put":{"key":"', lease, b'","value":"', record, b'"}},{"request_put":{"key":"', address, b'","value":"',
                   Base64(service), b'"}}']
        return compare, success

    def posted(self, what, parts):
        """A whole request with a body of these parts."""
        head = (f"POST /v3/kv/{what} HTTP/1.1\r\nHost: etcd\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(flatten(parts, 0))}\r\n\r\n")
        return [head.encode(), *parts]

    def acquire_request(self, zone):
        """One round trip: the lease if it is there, else its making."""
        compare, success = self.acquire(zone)
        known = [b'],"failure":[{"request_range":{"key":"', Base64([LEASES, *self.service(zone)]), b'"}}]}']
        return self.posted("txn", [b'{"compare":[', *compare, b'],"success":[', *success, *known]), '"succeeded":true'

    def known_request(self, zone):
        """A read, as by a client that comes back: the transaction above would be logged and synced although it makes nothing."""
        begin = -len(DIGEST) % 3  # of what is base64 of its own, wherever it stands in the record: the digest but for its ends
        mark = base64.b64encode(self.digest[begin:begin + (len(self.digest) - begin) // 3 * 3]).decode()
        return self.posted("range", [b'{"key":"', Base64([LEASES, *self.service(zone)]), b'"}']), mark

    def acquire_all(self, zone, first, count, created):
        """Reads the zone's leases, and makes what is missing in transactions as large as may be."""
        prefix = LEASES + b"default/%s/" % zone.encode()
        ask = json.dumps({"key": text_of(prefix), "range_end": text_of(end_of(prefix))}).encode()
        compare, success = self.acquire(zone)
        numbers = range(first, first + count if created else first)
        bodies = [self.transaction(compare, success, numbers[i:i + TXN_OPS // 2]) for i in range(0, len(numbers), TXN_OPS // 2)]
        connections = [self.connect() for _ in range(BULK_CONNECTIONS)]
        for connection in connections:
            connection.connect()
        with concurrent.futures.ThreadPoolExecutor(BULK_CONNECTIONS) as pool:
            started = time.perf_counter()
            known = self.post(self.connection, "range", ask)
            answers = list(pool.map(lambda share: [self.post(connections[share], "txn", body) for body in bodies[share::BULK_CONNECTIONS]],
                                    range(BULK_CONNECTIONS)))
            seconds = time.perf_counter() - started
        for connection in connections:
            connection.close()
        if any(b'"succeeded":true' not in answer for share in answers for answer in share):
            raise PeerError("etcd refuses a transaction of a bulk")
        unchanged = sum(base64.b64decode(pair["value"]).startswith(DIGEST + self.digest) for pair in json.loads(known).get("kvs", []))
        if unchanged != count - created:
            raise PeerError(f"etcd has {unchanged} unchanged leases of {count}, not {count - created}")
        return seconds

    @staticmethod
    def transaction(compare, success, numbers):
        comparisons, operations = (b",".join(flatten(parts, number) for number in numbers) for parts in (compare, success))
        return b'{"compare":[' + comparisons + b'],"success":[' + operations + b"]}"

    def count(self):
        """How many leases there are; each has an address."""
        leases, addresses = (int(self.ask("range", {"key": text_of(prefix), "range_end": text_of(end_of(prefix)), "count_only": True})
                                 .get("count", 0)) for prefix in (LEASES, ADDRESSES))
        if leases != addresses:
            raise PeerError(f"etcd has {leases} leases and {addresses} addresses")
        return leases

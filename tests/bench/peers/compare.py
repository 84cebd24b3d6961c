#!/usr/bin/env python3
"""compare — the same job, "acquire or return a lease", done by Redis, PostgreSQL and etcd.

    scripts/deps peers
    BENCH_PEER=build/bench/tests/bench_peer tests/bench/peers/compare.py [--seconds S] [--bulk N] [--dir DIR]

A lease that is new gets the next address of 241.0.0.0/8, an entry from address to lease and one in a change feed, and is on disk before
the answer; one that is known with the same body (some 600 bytes) is returned, and nothing is written. Each peer does it as its own
users would: see redis.py, postgres.py and etcd.py. All are asked by bench_peer over keep-alive connections. What was
created is counted in the database. cpu_us is the server's CPU time for each request, in microseconds. This program asks every peer
once, and prints a table; other benchmarks use PEERS:

    with Redis(directory, body) as peer:    # a fresh server in directory/redis; the with statement's thread must outlive it
        peer.new(connections, seconds)      # {"rps", "p50_ms", "p99_ms", "cpu_us", "created", "seconds"}
        peer.unchanged(connections, seconds)  # the same; created is 0
        peer.bulk_new(n), peer.bulk_unchanged(n)  # seconds
        peer.count()                        # leases

Exit status 1: a peer could not be run, or did not do what it must.
"""
import argparse
import os
import sys
import tempfile

from common import Peer, PeerError
from etcd import Etcd
from postgres import Postgres
from redis import Redis

__all__ = ["PEERS", "Etcd", "Peer", "PeerError", "Postgres", "Redis"]
PEERS = [Redis, Postgres, Etcd]
CONNECTIONS = (1, 16, 64, 256)
BODY = (
    b'{"type":"MeshService","mesh":"default","name":"gateway-api-9e3779b1","creationTime":"2026-03-01T09:00:00Z","labels":{'
    b'"kuma.io/display-name":"gateway-api-9e3779b1","kuma.io/env":"universal","kuma.io/origin":"zone","kuma.io/zone":"east","team":'
    b'"identity"},"spec":{"state":"Available","selector":{"dataplaneTags":{"app":"gateway-api-9e3779b1","kuma.io/service":'
    b'"gateway-api-9e3779b1"}},"ports":[{"name":"http","port":80,"targetPort":8080,"appProtocol":"http"},{"name":"grpc","port":9090,'
    b'"targetPort":9090,"appProtocol":"grpc"}]},"status":{"vips":[],"tls":{"status":"Ready"}}}')


def measure(peer, args):
    for what, action in (("new", peer.new), ("unchanged", peer.unchanged)):
        for connections in CONNECTIONS:
            result = action(connections, args.seconds)
            print(f"{peer.name:12} {what:14} {connections:5} {result['rps']:10,.0f} {result['p50_ms']:9.3f} {result['p99_ms']:9.3f} "
                  f"{result['cpu_us']:9.1f} {result['created']:9,} {result['seconds']:8.3f} {peer.count():10,}", flush=True)
    for what, action in (("bulk new", peer.bulk_new), ("bulk unchanged", peer.bulk_unchanged)):
        before = peer.count()
        seconds = action(args.bulk)
        count = peer.count()
        print(f"{peer.name:12} {what:14} {1:5} {args.bulk / seconds:10,.0f} {'':9} {'':9} {'':9} {count - before:9,} {seconds:8.3f} "
              f"{count:10,}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="acquire or return a lease, done by Redis, PostgreSQL and etcd")
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--bulk", type=int, default=10_000, help="leases of a bulk")
    parser.add_argument("--dir", default=os.environ.get("TMPDIR", "/var/tmp"), help="where the servers' directories are made: a disk")
    args = parser.parse_args()
    print(f"{'peer':12} {'what':14} {'conns':>5} {'leases/s':>10} {'p50 ms':>9} {'p99 ms':>9} {'cpu us':>9} {'created':>9} "
          f"{'seconds':>8} {'leases':>10}", flush=True)
    for peer_class in PEERS:
        with tempfile.TemporaryDirectory(prefix="holdfast-peers-", dir=args.dir) as directory:
            try:
                with peer_class(directory, BODY) as peer:
                    measure(peer, args)
            except PeerError as error:
                sys.exit(f"peers: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The targets: each is a quotient of two medians of one run, or one median, and what it must be."""
from typing import NamedTuple, Optional

from part_requests import READERS, WRITERS
from part_stores import MILLION
from part_sync import SIZES


class Target(NamedTuple):
    text: str
    of: tuple  # part, who, point, unit
    to: Optional[tuple]  # None: the figure itself
    sign: str  # "≥", "≤", ">" or "<"; "": there is no target, the figure explains another one
    limit: float = 0


def rate(part, who, connections=64):
    return part, who, connections, "req/s"


def cpu(part, who):
    return part, who, 64, "CPU µs"


def seconds(what, count):
    return "sync", what, count, "s"


def new_targets(connections):
    text = f"NEW, {connections} connections: req/s of"
    return [Target(f"{text} the ceiling's", rate("new", "holdfast", connections), rate("new", "ceiling", connections), "≥", 0.85),
            Target(f"{text} Redis's", rate("new", "holdfast", connections), rate("new", "Redis", connections), ">", 1)]


def sync_targets(count):
    return [Target(f"sync of {count:,} unchanged, same bytes: time of LMDB's look-ups", seconds("unchanged, the same bytes", count),
                   seconds("LMDB, look-ups", count), "≤", 5),
            Target(f"sync of {count:,} new: time of LMDB's puts in one transaction", seconds("new", count),
                   seconds("LMDB, puts in one transaction", count), "≤", 4)]


def tail_p99(who):
    return "tail", who, READERS, "p99 ms"


def alloc_targets():
    pairs = (("/16 99.9 % full", "/16 empty", 2), ("/16 half full", "/16 empty", 2), ("/64 empty", "/24 empty", 1.1),
             ("/16 99.9 % full, hashed", "/16 empty, hashed", 2), ("/64 empty, hashed", "/24 empty, hashed", 1.1),
             ("/16 99.9 % full, neighbours", "/16 empty, neighbours", 2), ("4,096 ranges empty", "/16 empty", 2),
             ("4,096 ranges empty, hashed", "/16 empty, hashed", 2))
    return [Target(f"allocation, {full}: CPU of {empty}", ("alloc", full, "pool", "ns in all"), ("alloc", empty, "pool", "ns in all"), "≤",
                   limit) for full, empty, limit in pairs]


TARGETS = [
    Target("UNCHANGED, same bytes, 64 connections: req/s of bare PUT's", rate("unchanged", "holdfast"), rate("unchanged", "bare"), "≥", 0.9),
    Target("UNCHANGED, same bytes, 64 connections: CPU/request of bare PUT's", cpu("unchanged", "holdfast"), cpu("unchanged", "bare"), "≤",
           1.15),
    Target("… for comparison: the ceiling, a look-up in LMDB and nothing else: req/s of bare PUT's", rate("unchanged", "ceiling"),
           rate("unchanged", "bare"), ""),
    Target("… for comparison: the ceiling: CPU/request of bare PUT's", cpu("unchanged", "ceiling"), cpu("unchanged", "bare"), ""),
    Target("UNCHANGED, shuffled, 64 connections: req/s of bare PUT's", rate("unchanged", "holdfast, shuffled"), rate("unchanged", "bare"),
           "≥", 0.7),
    Target("GET, 64 connections: req/s of bare GET's", rate("get", "holdfast"), rate("get", "bare"), "≥", 0.9),
    *new_targets(64), *new_targets(256),
    Target("NEW, 1 connection: req/s of LMDB's, one transaction each", rate("new", "holdfast", 1), rate("new", "LMDB, 1 a transaction", 1), "≥",
           0.9),
    Target("UNCHANGED, 256 connections: req/s of 64's", rate("unchanged", "holdfast", 256), rate("unchanged", "holdfast"), "≥", 0.8),
    Target("NEW, 256 connections: req/s of 64's", rate("new", "holdfast", 256), rate("new", "holdfast"), "≥", 0.8),
    Target(f"UNCHANGED, {READERS} connections, beside NEW with {WRITERS}: p99 of alone", tail_p99("holdfast beside its own writers"),
           tail_p99("holdfast alone"), "≤", 3),
    *sync_targets(SIZES[0]), *sync_targets(SIZES[1]),
    Target(f"sync of {SIZES[0]:,} unchanged, same bytes: time of Redis's pipeline", seconds("unchanged, the same bytes", SIZES[0]),
           seconds("Redis, unchanged", SIZES[0]), "<", 1),
    Target("growth, UNCHANGED: req/s with 1,000,000 leases of 1,000's", rate("growth", "unchanged", MILLION),
           rate("growth", "unchanged", 1000), "≥", 0.8),
    Target("growth, NEW: req/s with 1,000,000 leases of 1,000's", rate("growth", "new", MILLION), rate("growth", "new", 1000), "≥", 0.6),
    *alloc_targets(),
    Target("1,000,000 leases: seconds to start", ("million", "holdfast", MILLION, "s to start"), None, "≤", 1),
    Target("1,000,000 leases: MiB of the process's own memory", ("million", "holdfast", MILLION, "MiB RssAnon"), None, "≤", 100),
    Target("1,000,000 leases: bytes a lease on disk, all tables", ("million", "data.mdb", MILLION, "bytes a lease"), None, "≤", 800),
]


def all_targets(figures):
    """The fingerprint's point is the body's length."""
    lengths = [point for who, point in figures.points("fingerprint") if who == "hf_config_read()"]
    return TARGETS + [Target(f"fingerprint of a MeshService of {length} bytes: CPU µs", ("fingerprint", "hf_config_read()", length, "CPU µs"),
                             None, "≤", 2.5) for length in lengths]


def judge(figures):
    """(text, value, "≥ 0.9", met) of every target whose figures were measured."""
    rows = []
    for target in all_targets(figures):
        if not figures.has(*target.of) or (target.to and not figures.has(*target.to)):
            continue
        value = figures.median(*target.of) / (figures.median(*target.to) if target.to else 1)
        met = {"≥": value >= target.limit, "≤": value <= target.limit, ">": value > target.limit, "<": value < target.limit, "": True}[
            target.sign]
        rows.append((target.text, value, f"{target.sign} {target.limit:g}" if target.sign else "", met))
    return rows

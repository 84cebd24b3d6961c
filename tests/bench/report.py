"""The results as Markdown: what was run on what, the targets, and the tables of medians."""
import datetime
import os
import platform

from figures import LOAD_UNITS
from targets import judge

PEERS = ("Redis", "PostgreSQL", "etcd")
FIRST = ("holdfast", "holdfast, shuffled", "bare", "ceiling")


def table(head, rows):
    """A Markdown table: the first column to the left, the others to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value):
    """Three digits, and whole thousands with commas."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def file_system_of(path):
    """The type of the file system that a path is on."""
    best, kind, path = "", "unknown", os.path.realpath(path)
    with open("/proc/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            _, place, of = line.split()[:3]
            if len(place) > len(best) and (path + "/").startswith(place.rstrip("/") + "/"):
                best, kind = place, of
    return kind


def machine(file_system):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        models = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    with open("/proc/meminfo", encoding="utf-8") as info:
        kib = int(info.readline().split()[1])
    return (f"{os.cpu_count()} processors ({models[0] if models else platform.machine()}), {kib / 2**20:.0f} GiB of memory, "
            f"{platform.system()} {platform.release()}, {file_system}")


def is_peer(who):
    return who.startswith(PEERS)


def load_table(figures, part, peers=False):
    points = [(who, point) for who, point in figures.points(part) if is_peer(who) == peers and figures.has(part, who, point, "req/s")]
    order = {who: place for place, who in enumerate(FIRST)}
    points.sort(key=lambda row: (row[1], order.get(row[0], len(FIRST))))
    rows = []
    for who, point in points:
        values = [number(figures.median(part, who, point, unit)) for unit in LOAD_UNITS.values()]
        spread = [number(f(figures.values[part, who, point, "req/s"])) for f in (min, max)]
        rows.append([f"{part} {who}", f"{point:,}", values[0], " – ".join(spread), *values[1:]])
    return rows


LOAD_HEAD = ("", "connections", "req/s", "least – most", "CPU µs/request", "p50 ms", "p99 ms")


def requests(figures):
    rows = [row for part in ("unchanged", "get", "new", "updated", "mixed 95/5") for row in load_table(figures, part)]
    return ["## Single requests", REQUESTS_TEXT, table(LOAD_HEAD, rows)] if rows else []


def peers(figures):
    rows = [row for part in ("unchanged", "new") for row in load_table(figures, part, peers=True)]
    return ["## Peers", PEERS_TEXT, table(LOAD_HEAD, rows)] if rows else []


def tail(figures):
    rows = load_table(figures, "tail")
    return ["## Readers beside writers", TAIL_TEXT, table(LOAD_HEAD, rows)] if rows else []


def syncs(figures):
    points = [(who, point) for who, point in figures.points("sync") if figures.has("sync", who, point, "s")]
    points.sort(key=lambda row: row[1])
    rows = []
    for who, count in points:
        s = figures.median("sync", who, count, "s")
        memory = [number(figures.most("sync", name, count, "MiB RssAnon")) for name in (who,) if figures.has("sync", name, count, "MiB RssAnon")]
        rows.append([who, f"{count:,}", f"{s:.4f}", number(count / s), *(memory or [""])])
    return ["## Syncs", SYNC_TEXT, table(("", "services", "seconds", "services/s", "MiB RssAnon"), rows)] if rows else []


def waits(figures):
    rows = [[who, *(number(figures.median("waits", who, point, f"{name} ms")) for name in ("p50", "p99")),
             number(figures.most("waits", who, point, "max ms"))]
            for who, point in figures.points("waits") if figures.has("waits", who, point, "p99 ms")]
    return ["## Who waits", WAITS_TEXT, table(("single requests", "p50 ms", "p99 ms", "longest ms"), rows), *zones(figures)] if rows else []


def zones(figures):
    return [f"{who} of {count:,} new services each, at once: {figures.median('zones', who, count, 's'):.2f} s, "
            f"{figures.median('zones', who, count, 'times 503'):.0f} times 503 with Retry-After and no other error; at most "
            f"{figures.most('zones', who, count, 'MiB RssAnon'):.0f} MiB RssAnon." for who, count in figures.points("zones")]


def others(figures):
    """Parts that are a list of figures."""
    out = []
    for part, title in (("fingerprint", "Fingerprint"), ("million", "A million leases")):
        rows = [[who, f"{point:,}" if isinstance(point, int) else point, unit, number(figures.median(part, who, point, unit))]
                for p, who, point, unit in figures.values if p == part]
        if rows:
            out += [f"## {title}", table(("", "of", "unit", "median"), rows)]
    rows = [[who, *(number(figures.median("alloc", who, point, what)) for what in ("ns to choose", "ns in all", "bytes written"))]
            for who, point in figures.points("alloc")]
    if rows:
        out += ["## Allocation", ALLOC_TEXT, table(("pool", "ns to choose", "ns in all", "bytes written"), rows)]
    rows = load_table(figures, "growth")
    if rows:
        out += ["## Growth", GROWTH_TEXT, table(("", "leases", *LOAD_HEAD[2:]), rows)]
    return out


REQUESTS_TEXT = """*holdfast* sends the bytes that are stored, *shuffled* the same configuration with the members of every object in another
order. *bare* is libmicrohttpd, configured as Holdfast configures it, with one constant answer; *ceiling* is libmicrohttpd, LMDB and group
commit with records and tables as Holdfast's and no rules. UNCHANGED and GET ask for 10,000 leases; NEW begins each time with an empty store,
and all that was answered was counted in the store afterwards. *mixed* is 95 % unchanged, 2.5 % updated and 2.5 % new. Load comes from wrk
(2 threads; 1 for one connection) on the same processors as the servers; CPU is the whole server process's, the kernel's work for it
included."""
PEERS_TEXT = """The same job, durable, by a client program on the same processors; each peer as its own users would do it."""
TAIL_TEXT = """UNCHANGED in a closed loop by 16 connections, alone and while 64 connections send new leases as fast as they are answered. Both
loads and the server share the processors: the row with the ceiling's writers, a process of its own, is the control, what processors and disk
alone cost."""
WHY_TEXT = """Where the rest goes: an unchanged request pays for its look-up in LMDB, which is all that the ceiling pays, for SHA-256 of its body, and for an answer
of its own with three headers, where *bare* sends one that was made once. NEW with one connection waits for the other process twice between
commits. A sync of unchanged services takes 6 MB off its socket for each 10,000 and hashes every document. In a store of a million leases each new
one dirties pages of its own."""
SYNC_TEXT = """A full sync as NDJSON, from the first byte sent to the last byte of the answer. *LMDB, …* is the same puts or look-ups in
process, without HTTP, JSON, or rules."""
WAITS_TEXT = """One acquire of a new lease and one GET every 5 ms; a wait begins when its request was due."""
ALLOC_TEXT = """CPU of one allocation in batches of 64, by how full and how large the pool is, and the bytes of a commit of one;
see tests/bench/alloc.c."""
GROWTH_TEXT = """64 connections. UNCHANGED asks for up to 50,000 leases all over the store; NEW is spread over 40 zones."""


def markdown(args, figures, file_system, seconds):
    flags = "".join(f" --{name}" for name in ("quick", "peers") if getattr(args, name))
    only = f" --only {args.only}" if args.only else ""
    judged = [[text, number(value), limit, ("ok" if met else "MISSED") if limit else ""] for text, value, limit, met in judge(figures)]
    head = ["# Benchmark results",
            f"`scripts/bench{flags}{only} --rounds {args.rounds}`, {datetime.date.today()}, {seconds:.0f} s, on {machine(file_system)}. "
            f"Load generator and servers share the processors. Figures are medians of {args.rounds} interleaved rounds."]
    if figures.stalls:
        head.append(f"The machine itself stood still {len(figures.stalls)} times, {sum(figures.stalls):.0f} s in all; what was measured "
                    "then was thrown away and measured again.")
    targets = ["## Targets", table(("quotient or figure", "measured", "target", ""), judged), WHY_TEXT] if judged else []
    return "\n\n".join([*head, *targets, *requests(figures), *peers(figures), *tail(figures), *syncs(figures), *waits(figures),
                        *others(figures)])


def missed(figures):
    return [text for text, _, _, met in judge(figures) if not met]

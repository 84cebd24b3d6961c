"""What the peers of Holdfast have in common: a fresh server in a directory, one client program for all, figures that are counted.

A peer's requests are made by bench_peer (tests/bench/peer.c, at $BENCH_PEER or build/bench/tests/bench_peer) from parts: bytes,
KEY and ADDRESS of the request's number, and Base64 of such parts. Numbers are never used twice, except where a lease shall be known.
"""
import base64
import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

KNOWN = 10_000  # leases that are there already when "unchanged" is measured
START_S, STOP_S, ANSWER_S = 60, 60, 300
KEY, ADDRESS = object(), object()
FIRST_ADDRESS = 241 << 24


class PeerError(Exception):
    """The peer does not run, or did not do what was measured."""


class Base64(list):
    """Parts that are sent as base64."""


def flatten(parts, number):
    """The bytes of the number's request, as bench_peer makes them."""
    made = b""
    for part in parts:
        if part is KEY:
            made += b"%010d" % (number * 2654435761 % 2**32 + 2**32)
        elif part is ADDRESS:
            made += b"%08x" % (FIRST_ADDRESS + number)
        elif isinstance(part, Base64):
            made += base64.b64encode(flatten(part, number))
        else:
            made += part
    return made


def write_parts(file, parts):
    for part in parts:
        if isinstance(part, Base64):
            file.write(struct.pack("=cI", b"(", 0))
            write_parts(file, part)
            file.write(struct.pack("=cI", b")", 0))
        elif part is KEY or part is ADDRESS:
            file.write(struct.pack("=cI", b"K" if part is KEY else b"A", 0))
        else:
            file.write(struct.pack("=cI", b"T", len(part)) + part)


def free_ports(count):
    """Ports on loopback that nobody has at the moment."""
    with contextlib.ExitStack() as sockets:
        bound = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in bound:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in bound]


def find_program(name, places="/usr/bin"):
    """The program's path, in the last of the places that match if it is not in $PATH."""
    path = shutil.which(name) or next(reversed(sorted(glob.glob(os.path.join(places, name)))), None)
    if not path:
        raise PeerError(f"there is no {name}: scripts/deps peers")
    return path


def process_times(pid):
    """Its parent, its own CPU seconds, and those of its children that have ended; None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        own = time.clock_gettime(~pid << 3 | 2)  # as clock_getcpuclockid() has it: exact, where stat drops up to 10 ms a process
    except OSError:
        return None
    return int(fields[1]), own, sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(root):
    """The CPU time of a process and of all below it, also of those that have ended."""
    seen = None
    while True:
        times = {pid: process_times(pid) for pid in map(int, filter(str.isdigit, os.listdir("/proc")))}
        family, grown = {root}, 0
        while len(family) != grown:
            grown = len(family)
            family |= {pid for pid, found in times.items() if found and found[0] in family}
        if not times.get(root):
            raise PeerError(f"process {root} has ended")
        ended = {pid: times[pid][2] for pid in family}
        if ended == seen:  # nobody began or ended between the two looks, who could be counted twice or not at all
            return sum(own + children for _, own, children in (times[pid] for pid in family))
        seen = ended


class Peer:
    """A server of its own below an existing directory, while the context lasts. Subclasses say how it is asked."""

    name = "peer"
    protocol = "http"  # of bench_peer
    stop_signal = signal.SIGTERM

    def __init__(self, directory, body):
        self.directory, self.body = os.path.join(os.path.abspath(directory), self.name.lower()), body
        self.process, self.log = None, None
        self.port, self.numbers, self.known, self.bulk = 0, 0, None, None

    # What a subclass provides.

    def start(self):
        """Starts the server in self.directory and returns when it answers."""
        raise NotImplementedError

    def close(self):
        """Closes the connections that start() opened."""

    def hello(self):
        """Messages that each connection sends before it is measured, each with one answer."""
        return []

    def acquire_request(self, zone):
        """Parts of the request that acquires a lease that is not there, and what its answer must contain."""
        raise NotImplementedError

    def known_request(self, zone):
        """The same for a lease that is there, with the same body."""
        raise NotImplementedError

    def acquire_all(self, zone, first, count, created):
        """Acquires so many leases in bulk. Returns seconds; raises unless so many were created and all others unchanged."""
        raise NotImplementedError

    def count(self):
        """How many leases the database has."""
        raise NotImplementedError

    # What they share.

    def spawn(self, command, **how):
        """Runs the server; should this thread end, by whatever, the server is stopped too. Its output goes to self.log."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "ETCD_", "REDIS"))}
        self.log = os.path.join(self.directory, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", self.stop_signal.name, "--", *command], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=environment, **how)

    def until(self, ready):
        """Waits until ready() returns something without OSError, and returns it."""
        end = time.monotonic() + START_S
        while True:
            try:
                return ready()
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise PeerError(f"{self.name} does not start: {self.last_words()}") from error
                time.sleep(0.05)

    def last_words(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def __enter__(self):
        os.mkdir(self.directory)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        """Stops the server and waits for it; its data goes too."""
        try:
            self.close()
        finally:
            if self.process:
                self.process.send_signal(self.stop_signal)
                try:
                    self.process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
                self.process = None
            shutil.rmtree(self.directory, ignore_errors=True)

    def take_numbers(self, count):
        first = self.numbers
        self.numbers += count
        return first

    def load(self, request, connections, seconds, first, count):
        """bench_peer's result, and with it the CPU seconds of the server from just before the first request to just after the last."""
        parts, mark = request
        template = os.path.join(self.directory, "template")
        with open(template, "wb") as file:
            for message in self.hello():
                file.write(struct.pack("=cI", b"S", len(message)) + message)
            write_parts(file, parts)
        program = os.environ.get("BENCH_PEER", "build/bench/tests/bench_peer")
        if not os.access(program, os.X_OK):
            raise PeerError(f"there is no {program}: cmake -S . -B build/bench -G Ninja -DHOLDFAST_BENCH=ON && ninja -C build/bench")
        command = [program, self.protocol, str(self.port), template, str(connections), str(seconds), str(first), str(count), mark]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as loader:
            try:
                loader.stdout.readline()  # "ready", or nothing, and then nobody reads the next line either
                before = cpu_seconds(self.process.pid)
                with contextlib.suppress(BrokenPipeError):
                    loader.stdin.write("\n")
                    loader.stdin.flush()
                line = loader.stdout.readline()
                cpu = cpu_seconds(self.process.pid) - before
                with contextlib.suppress(BrokenPipeError):
                    loader.stdin.close()
                if loader.wait(ANSWER_S) != 0 or not line:
                    raise PeerError(f"{self.name}: bench_peer failed: {loader.stderr.read()[:2000]}")
            finally:
                loader.kill()  # does nothing to a process that was waited for
        return json.loads(line) | {"cpu": cpu}

    def figures(self, result, created, requests):
        return {"rps": requests / result["seconds"], "p50_ms": result["p50"], "p99_ms": result["p99"],
                "cpu_us": result["cpu"] * 1e6 / result["n"], "created": created, "seconds": result["seconds"]}

    def new(self, connections, seconds):
        """New leases by single requests. All that were sent were answered, so that exactly these must be there."""
        before = self.count()
        result = self.load(self.acquire_request("east"), connections, seconds, self.numbers, 0)
        self.take_numbers(result["n"])
        created = self.count() - before
        if created != result["n"]:
            raise PeerError(f"{self.name}: {result['n']} leases were acknowledged and {created} were created")
        return self.figures(result, created, created)

    def unchanged(self, connections, seconds):
        """KNOWN leases, again and again, by single requests with the same body."""
        if self.known is None:
            first = self.take_numbers(KNOWN)
            self.acquire_all("known", first, KNOWN, KNOWN)
            self.known = first
        before = self.count()
        result = self.load(self.known_request("known"), connections, seconds, self.known, KNOWN)
        created = self.count() - before
        if created != 0:
            raise PeerError(f"{self.name}: {created} leases were created by requests that change nothing")
        return self.figures(result, 0, result["n"])

    def bulk_new(self, n):
        """Seconds of n new leases, acquired together as a zone of their own."""
        first = self.take_numbers(n)
        zone = f"bulk-{first}"
        seconds = self.counted(lambda: self.acquire_all(zone, first, n, n), n)
        self.bulk = (n, zone, first)
        return seconds

    def bulk_unchanged(self, n):
        """Seconds of the same n again."""
        if not self.bulk or self.bulk[0] != n:
            raise PeerError(f"bulk_unchanged({n}) without bulk_new({n}) just before")
        _, zone, first = self.bulk
        return self.counted(lambda: self.acquire_all(zone, first, n, 0), 0)

    def counted(self, action, expected):
        before = self.count()
        seconds = action()
        created = self.count() - before
        if created != expected:
            raise PeerError(f"{self.name}: {created} leases were created, not {expected}")
        return seconds

"""The servers that are measured: holdfastd and the limits, each on fresh data and a free port of 127.0.0.1, stopped by who started it."""
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from workload import JSON, NDJSON, PREFILLED, path_of

GIVE_UP_S = 120
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something did not do what it must; the figures are worth nothing."""


class Server:
    """A program that prints `listening on URL`. Its data directory is below `directory`, and gone when it is stopped."""
    name = None

    def __init__(self, directory):
        self.directory = tempfile.mkdtemp(prefix=f"{self.name}-", dir=directory)
        self.data = os.path.join(self.directory, "data")
        self.process = None

    def start(self, command):
        started = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        self.start_s = time.monotonic() - started
        if not line.startswith("listening on "):
            raise BenchError(f"{self.name} does not start: {line!r}")
        self.port = int(line.rsplit(":", 1)[1])

    def __enter__(self):
        try:
            self.start(self.command())
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, error, *_):
        status, said = self.stop()
        if error:
            return
        if status:
            raise BenchError(f"{self.name} ended with status {status}")
        self.said = said

    def stop(self):
        """Status, and what it printed at its end."""
        status, said = 0, b""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                said, _ = self.process.communicate(timeout=GIVE_UP_S)
            except BaseException:
                self.process.kill()
                self.process.wait()
                raise
            finally:
                shutil.rmtree(self.directory, ignore_errors=True)
            status = self.process.returncode
        else:
            shutil.rmtree(self.directory, ignore_errors=True)
        return status, said

    def cpu_s(self):
        """CPU seconds of the whole process, the kernel's work for it included; in ticks of 10 ms."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def rss_anon_mib(self):
        """Memory that is the process's own; the mapped file's pages are the system's to take back."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
                return next((int(line.split()[1]) for line in status if line.startswith("RssAnon")), 0) / 1024
        except OSError:
            return 0


class Holdfast(Server):
    name = "holdfast"

    def __init__(self, directory, build, data=None):
        """On a new store, or on `data`, which stays."""
        super().__init__(directory)
        self.binary = os.path.join(build, "holdfastd")
        self.data = data or self.data

    def command(self):
        return [self.binary, "--data-dir", self.data, "--listen", "127.0.0.1:0", "--log-level", "warn"]

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=GIVE_UP_S)

    def ask(self, method, path, body=None, headers=None, connection=None):
        """Status, headers, body, and the seconds from the first byte sent to the last byte of the answer."""
        own = connection or self.connect()
        started = time.perf_counter()
        own.request(method, path, body, headers or {})
        answer = own.getresponse()
        data = answer.read()
        seconds = time.perf_counter() - started
        if not connection:
            own.close()
        return answer.status, answer.headers, data, seconds

    def get(self, path, accept=JSON):
        status, _, data, _ = self.ask("GET", path, headers={"Accept": accept})
        if status != 200:
            raise BenchError(f"GET {path}: {status} {data[:300]}")
        return data

    def status(self):
        return json.loads(self.get("/v1/status"))

    def active(self):
        return self.status()["leases"]["active"]

    def settled_revision(self):
        """The revision once nothing is on its way any more: who sent a write may have gone before it was committed."""
        before, now = None, self.status()["revision"]
        while now != before:
            time.sleep(0.05)
            before, now = now, self.status()["revision"]
        return now

    def sync(self, zone, body, **expected):
        """Seconds of a full sync, whose summary must be as expected and zero otherwise."""
        status, _, data, seconds = self.ask("POST", f"/v1/zones/{zone}/sync?mode=full&mesh=*&return=none", body, {"Content-Type": NDJSON})
        if status != 200:
            raise BenchError(f"a sync of zone {zone} is answered with {status}: {data[:300]}")
        summary = json.loads(data)["summary"]
        if any(count != expected.get(name, 0) for name, count in summary.items()):
            raise BenchError(f"zone {zone}: the sync's summary is {summary}, not {expected}")
        return seconds


class Limit(Server):
    """bench_limit_http: bare libmicrohttpd, or the ceiling of a store. `counters` is set when it is stopped."""

    def __init__(self, directory, build, answers, store):
        self.name = "ceiling" if store else "bare"
        super().__init__(directory)
        os.mkdir(self.data)
        self.binary, self.answers, self.store = os.path.join(build, "tests", "bench_limit_http"), answers, store

    def command(self):
        return [self.binary, *self.answers, *([self.data] if self.store else [])]

    def __exit__(self, error, *rest):
        super().__exit__(error, *rest)
        if not error:
            self.counters = json.loads(self.said)


def record_answers(holdfast, directory):
    """Files for the limits: what Holdfast answers to the bench's PUT and GET, less what libmicrohttpd adds by itself."""
    paths = []
    for method, body in (("PUT", None), ("GET", None)):
        status, headers, data, _ = holdfast.ask(method, path_of(PREFILLED - 1), body)
        if status != 200:
            raise BenchError(f"{method} of a lease that is there: {status} {data[:300]}")
        lines = [f"{name}: {value}\n" for name, value in headers.items() if name not in ("Date", "Content-Length", "Connection")]
        paths.append(os.path.join(directory, f"answer-{method.lower()}"))
        with open(paths[-1], "wb") as file:
            file.write("".join(lines).encode() + b"\n" + data)
    return paths


class PeakMemory:
    """The largest RssAnon of a server while the block runs, as seen every 10 ms."""

    def __init__(self, server):
        self.server, self.mib, self.ended = server, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        self.thread.join()

    def watch(self):
        while not self.ended.wait(0.01):
            self.mib = max(self.mib, self.server.rss_anon_mib())

"""Load on a server: wrk with load.lua, and bench_load. An error, or an answer that is none of 2xx, ends the bench."""
import json
import os
import subprocess
import tempfile

from servers import GIVE_UP_S, BenchError
from workload import BODY, PREFILLED, path_of, put_request, write_requests

LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.lua")
ERRORS = ("connect", "read", "write", "status", "timeout")
PREFILL_CONNECTIONS = 64
FIRST_NEW = 1 << 20  # new names are counted from here on; what is prefilled has lower numbers
NEW_A_RUN = 1 << 23


class Wrk:
    """One run of wrk, started at once. finish() waits for it and tells what came of it."""
    runs = 0

    def __init__(self, server, mode, connections, seconds, files, zones=1):
        self.server, self.mode, self.connections = server, mode, connections
        threads = 1 if connections == 1 else 2
        base = FIRST_NEW + Wrk.runs % 500 * NEW_A_RUN
        Wrk.runs += 1
        self.cpu_s = server.cpu_s()
        self.process = subprocess.Popen(
            ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", LUA, "--latency",
             f"http://127.0.0.1:{server.port}", "--", mode, str(threads), files["body"], files["paths"], str(base), str(zones)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def finish(self):
        """{"rps", "p50_ms", "p99_ms", "cpu_us", "n", "seconds"}: cpu_us is the server's, for each request."""
        try:
            said, _ = self.process.communicate(timeout=GIVE_UP_S)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        cpu_s = self.server.cpu_s() - self.cpu_s
        lines = [line for line in said.decode().splitlines() if line.startswith("RESULT ")]
        if self.process.returncode or not lines:
            raise BenchError(f"wrk failed: {said.decode()[-500:]}")
        result = json.loads(lines[0][len("RESULT "):])
        errors = {name: result.pop(name) for name in ERRORS}
        if any(errors.values()) or not result["n"]:
            raise BenchError(f"{self.mode} with {self.connections} connections on {self.server.name}: {result['n']} answers, {errors}")
        return {**result, "rps": result["n"] / result["seconds"], "cpu_us": cpu_s * 1e6 / result["n"]}


def run(server, mode, connections, seconds, files, zones=1):
    return Wrk(server, mode, connections, seconds, files, zones).finish()


def write_files(directory, name, paths, body=BODY):
    """What load.lua reads: the body, and one path a line."""
    files = {what: os.path.join(directory, f"{name}.{what}") for what in ("body", "paths")}
    with open(files["body"], "wb") as file:
        file.write(body)
    with open(files["paths"], "w", encoding="ascii") as file:
        file.writelines(path + "\n" for path in paths)
    return files


def start_requests(server, build, requests, *how):
    """bench_load on the requests; they go through a file, which is gone with the server's directory."""
    fd, path = tempfile.mkstemp(dir=server.directory)
    os.close(fd)
    write_requests(path, requests)
    return subprocess.Popen([os.path.join(build, "tests", "bench_load"), str(server.port), path, *how], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)


def finish_requests(load, *statuses):
    """What bench_load printed; all of its requests must have had one of the statuses."""
    try:
        text, _ = load.communicate(timeout=GIVE_UP_S)
    except BaseException:
        load.kill()
        load.wait()
        raise
    if load.returncode:
        raise BenchError("bench_load failed")
    result = json.loads(text)
    if set(result["statuses"]) - {str(status) for status in statuses}:
        raise BenchError(f"single requests are answered with {result['statuses']}")
    return result


def put_once(server, build, paths, *statuses):
    """PUTs each path once and returns bench_load's result."""
    return finish_requests(start_requests(server, build, map(put_request, paths), str(PREFILL_CONNECTIONS)), *statuses)


def prefill(server, build):
    """The leases that UNCHANGED, GET and UPDATED ask for."""
    put_once(server, build, [path_of(i) for i in range(PREFILLED)], 201)

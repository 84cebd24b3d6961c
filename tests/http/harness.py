"""Starts holdfastd, talks to it, stops it, and looks for sanitizer reports.

HOLDFASTD is the binary's path. Each server has a temporary directory of its own with its data, its log and its sanitizer reports.
Every answer that request() reads is checked against api/openapi.yaml, unless check=False.

A test waits for events, never for time: eventually() for what can be asked, Server.metric() for what can be counted (requests under way,
waiters, checks), Server.lines() for the log. The limits below only end a test that hangs.
"""
import glob
import http.client
import datetime
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import quote

import contract

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from stops import GROUP, Kept, Stops

# holdfastd refuses variables that it does not know. os.environ keeps those of the tests, the programs that they run do not get them.
for variable in [name for name in os.environ if name.startswith('HOLDFAST_')]:
    os.unsetenv(variable)

BINARY = os.path.abspath(os.environ.get('HOLDFASTD', 'build/asan/holdfastd'))
START_S = 120
STOP_S = 120
REQUEST_S = 120
EVENT_S = 120
KEPT_S = 0.1  # of which a deadline of seconds takes no notice
TRIES = 20
MEMORY_MIN_BYTES = 1 << 30
REPEATABLE = ('--host',)  # flags that may be stated several times


def inherited(**more):
    """The environment without what is the tests' own, and with what is given."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith('HOLDFAST')}, **more}


def temporary_base():
    """$TMPDIR, else memory where there is enough of it, else /tmp."""
    place = os.environ.get('TMPDIR')
    if place and os.access(place, os.W_OK):
        return place
    try:
        memory = os.statvfs('/dev/shm')
    except OSError:
        return '/tmp'
    fits = memory.f_bavail * memory.f_frsize >= MEMORY_MIN_BYTES and not memory.f_flag & os.ST_NOEXEC
    return '/dev/shm' if fits and os.access('/dev/shm', os.W_OK) else '/tmp'


class Response:
    """An answer, read to its end."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return self.headers.get(name)

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The problem's code, or None."""
        return self.json()['code'] if (self.header('Content-Type') or '').startswith('application/problem+json') and self.body else None

    @property
    def detail(self):
        return self.json()['detail']

    def __repr__(self):
        return f'<{self.status} {self.body[:300]!r}>'


class Process:
    """One run of the binary with a log and with sanitizer reports in `root`. Flags and variables are the caller's; `stderr`, if given, is a
    descriptor for standard error, instead of the log."""

    def __init__(self, root, args, env=None, asan='', stderr=None):
        assert os.access(BINARY, os.X_OK), f'HOLDFASTD must name the binary; there is none at {BINARY}'
        self.root = root
        self.log_path = os.path.join(root, f'log.{time.monotonic_ns()}')
        environment = inherited()
        reports = os.path.join(root, 'sanitizer')
        environment['ASAN_OPTIONS'] = f'log_path="{reports}":detect_leaks=1:exitcode=99:verify_asan_link_order=0:{asan}'
        environment['UBSAN_OPTIONS'] = f'log_path="{reports}":print_stacktrace=1:halt_on_error=1'
        environment.update(env or {})
        with open(self.log_path, 'wb') as log:
            self.child = subprocess.Popen([BINARY, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                          stderr=log if stderr is None else stderr, env=environment, cwd=root, **GROUP)
        self.stops = Stops(self.child)

    def wait(self, timeout=STOP_S):
        """The exit status; kills it if it takes too long."""
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f'pid {self.child.pid} did not stop within {timeout} s; its log:\n{self.log()}') from None

    def end(self, sig, within_s):
        """Sends a signal; the exit status, and the seconds from its "stopping" to its "stopped", if it logs them, without those in which
        it was kept from running."""
        with Kept(self.child, self.stops) as kept:
            began = time.monotonic()
            if self.child.poll() is None:
                self.child.send_signal(sig)
            status = self.wait()
            took = time.monotonic() - began
        logged = re.findall(r'(?m)^time=(\S+) level=info msg="(?:stopping|stopped)"', self.log())
        if len(logged) == 2:
            took = (datetime.datetime.fromisoformat(logged[1]) - datetime.datetime.fromisoformat(logged[0])).total_seconds()
        assert within_s is None or took - kept.seconds() <= within_s, \
            f'it took {took:.1f} s to stop, of which it was kept from running {kept.seconds():.1f} s; at most {within_s} s are allowed'
        return status

    def output(self):
        text = self.child.stdout.read().decode()
        self.child.stdout.close()
        return text

    def log(self):
        with open(self.log_path, encoding='utf-8') as log:
            return log.read()

    def reports(self):
        """What the sanitizers wrote."""
        return '\n'.join(open(path, encoding='utf-8', errors='replace').read() for path in glob.glob(f'{self.root}/sanitizer*'))


class Server:
    """A running holdfastd. stop() asserts that it ended well; a server that was stopped may be started again on its data."""

    def __init__(self, *flags, data_dir=None, env=None, asan='', stderr=None):
        self.flags, self.env, self.asan, self.stderr, self.host = flags, env, asan, stderr, '127.0.0.1'
        self.root = tempfile.mkdtemp(prefix='holdfast-http-', dir=temporary_base())
        self.data_dir = data_dir or os.path.join(self.root, 'data')
        self.process = None
        self.connections, self.local = [], threading.local()
        self.authorization = None  # of requests that state none
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self.root, ignore_errors=True)
            raise

    def start(self, *flags):
        """With more flags than it has always, which replace those."""
        self.process = Process(self.root, ['serve', *replacing('--data-dir', self.data_dir, '--listen', '127.0.0.1:0', *self.flags, *flags)],
                               self.env, self.asan, self.stderr)
        line = b''
        if select.select([self.process.child.stdout], [], [], START_S)[0]:
            line = self.process.child.stdout.readline()
        if not line.startswith(b'listening on http://127.'):
            self.process.child.kill()
            status = self.process.wait()
            raise AssertionError(f'holdfastd did not start: {line!r}, status {status}\n{self.process.log()}{self.process.reports()}')
        host, port = line.decode().split('//')[1].split(':')
        self.host, self.port = host, int(port)
        return self

    def stop(self, sig=signal.SIGTERM, timeout=None):
        """Stops it; fails unless it exits with 0, without a sanitizer report, and if `timeout` is given within so many seconds of its own:
        the time in which it was kept from running does not count."""
        if not self.process:
            return
        process, self.process = self.process, None
        self._disconnect()
        status = process.end(sig, timeout)
        process.child.stdout.close()
        reports = process.reports()
        assert not reports, f'sanitizer report:\n{reports[:6000]}'
        assert status == 0, f'exit status {status}; the log:\n{process.log()[-3000:]}'

    def close(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def kill(self):
        process, self.process = self.process, None
        self._disconnect()
        process.child.kill()
        process.wait()
        process.child.stdout.close()
        assert not process.reports(), process.reports()[:6000]

    def log(self):
        return self.process.log()

    def lines(self, text):
        """The log's lines that have it, as soon as there are any."""
        return eventually(lambda: [line for line in self.log().splitlines() if text in line])

    def metric(self, sample):
        """The value of one sample of /metrics, such as `holdfast_http_waiters`."""
        text = self.get('/metrics', check=False).body.decode()
        return next(float(line.rsplit(' ', 1)[1]) for line in text.splitlines() if line.rsplit(' ', 1)[0] == sample)

    def wait_for_waiters(self, count):
        """Until so many long-polls wait."""
        eventually(lambda: self.metric('holdfast_http_waiters') == count)

    def wait_for_requests(self, count):
        """Until so many requests have begun and not ended."""
        eventually(lambda: self.metric('holdfast_http_requests_under_way') == count + 1)  # and the one that asks

    def connect(self, timeout=REQUEST_S):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def socket(self, timeout=REQUEST_S, receive_buffer=None):
        """A bare connection."""
        s = socket.socket()
        s.settimeout(timeout)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.connect((self.host, self.port))
        return s

    def raw(self, data, end=False):
        """Sends bytes, returns all that comes back until the server closes the connection, which what is sent must make it do, or `end`:
        nothing more will be sent."""
        with self.socket() as s:
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
            answer = b''
            try:
                while chunk := s.recv(65536):
                    answer += chunk
            except (ConnectionError, TimeoutError):
                pass
            return answer

    def _disconnect(self):
        for connection in self.connections:
            connection.close()
        self.connections, self.local = [], threading.local()

    def _connection(self):
        """The thread's own, kept alive."""
        if not getattr(self.local, 'connection', None):
            self.local.connection = self.connect()
            self.connections.append(self.local.connection)
        return self.local.connection

    def request(self, method, target, body=None, headers=None, check=True, connection=None):
        """One request; `body` is bytes, text, or anything that JSON takes."""
        if body is not None and not isinstance(body, (bytes, str)) and not hasattr(body, '__next__'):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        headers = dict(headers or {})
        if self.authorization:
            headers.setdefault('Authorization', self.authorization)
        if body is not None and not any(name.lower() == 'content-type' for name in headers):
            headers['Content-Type'] = 'application/json'
        connection = connection or self._connection()
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            response = Response(answer.status, answer.headers, answer.read())
        except Exception:
            connection.close()
            raise
        if check:
            contract.check(method, target, response)
        return response

    def get(self, target, headers=None, **more):
        return self.request('GET', target, headers=headers, **more)

    def put(self, target, body=None, headers=None, **more):
        return self.request('PUT', target, body, headers, **more)

    def post(self, target, body=None, headers=None, **more):
        return self.request('POST', target, body, headers, **more)

    def delete(self, target, headers=None, **more):
        return self.request('DELETE', target, headers=headers, **more)

    def revision(self):
        return self.get('/v1/status').json()['revision']

    def stream(self, query='', headers=None):
        """All leases as NDJSON: the lines and the header."""
        answer = self.get('/v1/leases' + query, {'Accept': 'application/x-ndjson', **(headers or {})}, check=False)
        assert answer.status == 200, answer
        return [json.loads(line) for line in answer.body.splitlines()], int(answer.header('Holdfast-Revision'))


PLURALS = {'MeshService': 'services', 'MeshExternalService': 'externalservices', 'MeshMultiZoneService': 'multizoneservices'}


def lease_path(service, zone='east', mesh='default', kind='MeshService'):
    return f'/v1/meshes/{quote(mesh, safe="")}/zones/{quote(zone, safe="")}/{PLURALS[kind]}/{quote(service, safe="")}'


def config(port=6379, name='redis', **more):
    """A Kuma resource in universal form."""
    return {'type': 'MeshService', 'mesh': 'default', 'name': name, 'labels': {'kuma.io/display-name': name, 'team': 'shop'},
            'spec': {'ports': [{'port': port, 'targetPort': port, 'appProtocol': 'tcp'}],
                     'selector': {'dataplaneTags': {'kuma.io/service': name}}}, **more}


def vip(response_or_lease):
    lease = response_or_lease.json() if isinstance(response_or_lease, Response) else response_or_lease
    return lease['vips'][0]['ip']


def outcome(response):
    return response.header('Holdfast-Outcome')


def parallel(server, count, act):
    """Runs act(i, connection) in a thread each; the results in order."""
    results = [None] * count

    def work(i):
        connection = server.connect()
        try:
            results[i] = act(i, connection)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


def fill(server, names, zone='east', body=None, threads=8, kind='MeshService'):
    """Acquires many leases over several connections; fails unless each is answered with 200 or 201."""
    names = list(names)

    def work(i, connection):
        for name in names[i::threads]:
            answer = server.put(lease_path(name, zone, kind=kind), body if body is not None else {'spec': {'name': name}},
                                connection=connection, check=False)
            if answer.status not in (200, 201):
                return answer
        return None

    failures = [answer for answer in parallel(server, threads, work) if answer]
    assert not failures, failures[:3]


def undisturbed(attempt, *flags):
    """Runs attempt(server), in which the server has deadlines to meet, such as the end of a stop. If it fails and the server or this process
    was kept from running meanwhile, it is run again, with another server."""
    for left in reversed(range(TRIES)):
        server = Server(*flags)
        process = server.process
        process.stops.hold()
        try:
            with Kept(process.child, process.stops, ours=True) as kept:
                attempt(server)
                server.close()
            return
        except Exception:
            if left == 0 or kept.seconds() < KEPT_S:
                raise
        finally:
            process.child.kill()
            process.child.wait()
            shutil.rmtree(server.root, ignore_errors=True)


def replacing(*flags):
    """Flags of which each replaces the same one before it, as one that is stated twice is an error. Values follow theirs, or stand behind =."""
    given = []
    for flag in flags:
        if flag.startswith('--'):
            name = flag.split('=')[0]
            given = [parts for parts in given if parts[0].split('=')[0] != name or name in REPEATABLE] + [[flag]]
        else:
            given[-1].append(flag)
    return [flag for parts in given for flag in parts]


def default_signals():
    """For a program that is to be ended by a signal: whoever runs the tests in the background, or under nohup, may ignore it."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def eventually(check, timeout=EVENT_S, interval=0.02):
    """Waits until `check()` is true; returns what it was."""
    end = time.monotonic() + timeout
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < end, f'not within {timeout} s'
        time.sleep(interval)  # between two looks


class ServerCase(unittest.TestCase):
    """Tests that share one server, started with FLAGS. Names are each test's own: use self.name()."""
    FLAGS = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.FLAGS)
        cls.addClassCleanup(cls.server.close)

    def name(self):
        """A service name that no other test uses."""
        return self._testMethodName.replace('_', '-').lower()

    def assertProblem(self, response, status, code, *culprits):
        """`detail` must contain each culprit."""
        self.assertEqual((response.status, response.code), (status, code), response)
        for culprit in culprits:
            self.assertIn(culprit, response.detail)
        return response

    def assertOutcome(self, response, status, expected):
        self.assertEqual((response.status, outcome(response)), (status, expected), response)
        return response.json()

    def assertWritesNothing(self, act, server=None):
        """Runs `act`; the store's revision must be the same after it."""
        server = server or self.server
        before = server.revision()
        result = act()
        self.assertEqual(server.revision(), before, 'the revision changed')
        return result

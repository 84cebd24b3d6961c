"""Who may hold a connection, and for how long: one client cannot take them all, by what it does not send, does not read or waits for."""
import os
import select
import shutil
import socket
import struct
import tempfile
import threading
import time
import unittest

import front
from harness import Server, eventually, fill, lease_path
from test_clients import HOST
from test_metrics import Metrics

LIBRARY = os.environ.get('HOLDFAST_FAULTS', '')  # tests/http/faults.c, built
HALF = b'PUT ' + lease_path('half').encode() + b' HTTP/1.1\r\n' + HOST + b'Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{'
LIVEZ = b'GET /livez HTTP/1.1\r\n' + HOST + b'\r\n'
RESET = struct.pack('ii', 1, 0)


def is_over(s):
    """Whether the server has ended a connection; what it sent before is read."""
    s.setblocking(False)
    try:
        while s.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


class Separate(Server):
    """Each request has a connection of its own: one that is idle may be ended to make room."""

    def request(self, *args, connection=None, **more):
        if connection:
            return super().request(*args, connection=connection, **more)
        own = self.connect()
        try:
            return super().request(*args, connection=own, **more)
        finally:
            own.close()


class PlacesCase(unittest.TestCase):
    def start(self, *flags):
        self.server = Separate(*flags)
        self.addCleanup(self.server.close)
        self.held = []
        self.addCleanup(lambda: [s.close() for s in self.held])
        return self.server

    def hold(self, data=b'', count=1, **more):
        """Connections that have sent some bytes."""
        for _ in range(count):
            s = self.server.socket(**more)
            self.held.append(s)
            s.sendall(data)
        return self.held[-1]

    def hold_requests(self, count):
        """Connections with half a request each, as many as there are places for. One that was still idle may have made room."""
        def are_there():
            for s in [s for s in self.held if is_over(s)]:
                s.close()
                self.held.remove(s)
            self.hold(HALF, count - len(self.held))
            return self.server.metric('holdfast_http_requests_under_way') == count + 1
        eventually(are_there)

    def refused(self, reason):
        return self.server.metric(f'holdfast_http_refusals_total{{reason="{reason}"}}')

    def from_elsewhere(self, data):
        """The same, from another address of the loopback network: the first bytes of the answer."""
        with socket.create_connection(('127.0.0.1', self.server.port), timeout=30, source_address=('127.0.0.9', 0)) as s:
            s.sendall(data)
            return s.recv(100)


class Shares(PlacesCase):
    def test_idle_connections_make_room_the_oldest_first(self):
        server = self.start('--max-connections', '16')
        for _ in range(40):
            self.hold()
            self.assertEqual(self.server.request('GET', '/livez').status, 200)
        self.assertEqual(self.server.request('PUT', lease_path('among-idle-ones')).status, 201)
        eventually(lambda: is_over(self.held[0]))
        self.assertFalse(is_over(self.held[-1]), 'the newest one')
        self.assertGreaterEqual(self.refused('made-room'), 40 - 12)
        self.assertEqual(server.metric('holdfast_http_connections_limit{of="address"}'), 12)
        self.assertEqual(server.metric('holdfast_http_connections_limit{of="all"}'), 16)
        eventually(lambda: server.metric('holdfast_http_connections') <= 12)

    def test_a_connection_that_has_asked_stays_before_those_that_never_did(self):
        server = self.start('--max-connections', '16')
        kept = server.connect()
        self.addCleanup(kept.close)
        server.get('/livez', connection=kept)
        own = kept.sock.getsockname()
        for _ in range(60):
            self.hold()
            self.assertEqual(self.server.request('GET', '/livez').status, 200)
        server.get('/livez', connection=kept)
        self.assertEqual(kept.sock.getsockname(), own, 'it had to connect again')

    def test_what_an_operator_needs_is_answered_when_all_is_taken(self):
        server = self.start('--max-connections', '16')
        self.hold_requests(12)
        answer = self.server.request('PUT', lease_path('late'))
        self.assertEqual((answer.status, answer.code), (503, 'overloaded'))
        self.assertIn('--max-connections', answer.detail)
        self.assertEqual((answer.header('Retry-After'), answer.header('Connection')), ('1', 'close'))
        self.assertEqual(self.server.request('GET', lease_path('late')).status, 503)
        for _ in range(30):  # more often than there are places that are kept
            for path in ('/livez', '/readyz', '/metrics', '/v1/status'):
                self.assertEqual(self.server.request('GET', path).status, 200, path)
        self.assertEqual(self.server.request('GET', '/v1/backup').status, 200)
        self.assertEqual(front.run('status', server=server).status, 0)
        self.assertIn(b' 503 ', server.raw(b'GET /livez HTTP/1.1\r\n' + HOST + b'Content-Length: 9\r\n\r\n{'), 'a body could come for ever')
        self.assertGreaterEqual(self.refused('kept-places'), 3)
        self.assertEqual(self.from_elsewhere(LIVEZ)[:12], b'HTTP/1.1 200')
        self.assertEqual(self.from_elsewhere(b'GET ' + lease_path('late').encode() + b' HTTP/1.1\r\n' + HOST + b'\r\n')[:12], b'HTTP/1.1 404')
        lines = server.lines('msg="connections are scarce"')
        self.assertIn('address=127.0.0.1 ', lines[0])
        self.assertIn('per_address=12 ', lines[0])

    def test_the_places_that_are_kept_cannot_be_held(self):
        server = self.start('--max-connections', '16')
        self.hold_requests(12)
        for data in (b'', b'GET /liv', LIVEZ):
            self.hold(data, 30)
            self.assertEqual(self.server.request('GET', '/livez').status, 200)
        for s in self.held[:12]:
            self.assertFalse(is_over(s), 'a request that was there before')

    def test_a_place_that_comes_free_is_for_any_request(self):
        server = self.start('--max-connections', '16')
        self.hold_requests(12)
        late = [self.hold() for _ in range(5)]
        self.assertEqual(server.get('/v1/status').status, 200)
        self.held[0].close()
        server.wait_for_requests(11)

        def ask():
            s = late.pop() if late else self.hold()
            s.sendall(b'GET ' + lease_path('late').encode() + b' HTTP/1.1\r\n' + HOST + b'\r\n')
            return s.recv(12)
        eventually(lambda: ask() == b'HTTP/1.1 404')  # those that just asked for the metrics may still have it

    def test_as_many_as_are_asked_for_from_one_address(self):
        server = self.start('--max-connections', '16', '--max-connections-per-address', '15')
        self.hold_requests(14)
        eventually(lambda: self.server.request('PUT', lease_path('the-fifteenth')).status == 201)  # once the one that asked before is idle


class Deadlines(PlacesCase):
    def trickle(self, s, more=b'x'):
        """Sends a byte again and again until the server ends the connection."""
        def is_ended():
            try:
                s.send(more)
            except OSError:
                return True
            return bool(select.select([s], [], [], 0.02)[0]) and is_over(s)
        s.setblocking(False)
        eventually(is_ended)

    def test_a_head_that_trickles(self):
        self.start('--head-timeout', '1s')
        begun = time.monotonic()
        self.trickle(self.hold(b'GET /livez HTTP/1.1\r\nX: '))
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertEqual(self.refused('head-timeout'), 1)

    def test_nothing_at_all(self):
        self.start('--head-timeout', '1s')
        s = self.hold()
        eventually(lambda: is_over(s))
        self.assertEqual(self.refused('head-timeout'), 1)

    def test_a_later_head_that_trickles(self):
        self.start('--head-timeout', '1s')
        s = self.hold(LIVEZ)
        self.assertEqual(s.recv(12), b'HTTP/1.1 200')
        begun = time.monotonic()
        s.sendall(b'GET /livez HTTP/1.1\r\nX: ')
        self.trickle(s)
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertEqual(self.refused('head-timeout'), 1)

    def test_an_answered_connection_may_be_idle_for_longer(self):
        self.start('--head-timeout', '1s', '--idle-timeout', '600s')
        s = self.hold(LIVEZ)
        self.assertEqual(s.recv(12), b'HTTP/1.1 200')
        other = self.hold()  # ends after a second, and a second one that begins then as well
        eventually(lambda: is_over(other))
        other = self.hold()
        eventually(lambda: is_over(other))
        self.assertFalse(is_over(s))

    def test_an_idle_connection_ends(self):
        self.start('--idle-timeout', '1s')
        s = self.hold(LIVEZ)
        eventually(lambda: is_over(s))

    def test_a_body_that_trickles(self):
        self.start('--body-timeout', '1s')
        self.trickle(self.hold(HALF.replace(b': 9', b': 200000')))
        self.assertEqual(self.refused('body-timeout'), 1)
        self.server.wait_for_requests(0)

    def test_a_body_without_end_in_chunks(self):
        self.start('--body-timeout', '1s')
        self.trickle(self.hold(HALF.replace(b'Content-Length: 9', b'Transfer-Encoding: chunked').replace(b'{', b'2\r\n[1\r\n')), b'1\r\n \r\n')
        self.assertEqual(self.refused('body-timeout'), 1)

    def test_what_came_of_a_body_gives_it_more_time(self):
        self.start('--body-timeout', '1s')
        begun = time.monotonic()
        s = self.hold(HALF.replace(b': 9', b': 200000') + 32768 * b' ')
        eventually(lambda: is_over(s))
        self.assertGreater(time.monotonic() - begun, 3, '1 s, and one for each 16 KiB')

    def test_an_answer_that_nobody_reads(self):
        server = self.start('--body-timeout', '1s')
        fill(server, [f's{i}' for i in range(400)], body={'spec': {}})
        changes = b'GET /v1/changes?since=0&limit=10000 HTTP/1.1\r\n' + HOST + b'\r\n'
        stream = b'GET /v1/leases HTTP/1.1\r\n' + HOST + b'Accept: application/x-ndjson\r\n\r\n'
        for n, request in enumerate((changes, stream), 1):
            s = self.hold(60 * request, receive_buffer=2048)  # more than the system takes for a client that does not read
            eventually(lambda: self.refused('answer-timeout') == n)
            eventually(lambda: is_over(s))
        server.wait_for_requests(0)

    def test_the_metrics_are_there_from_the_start(self):
        metrics = Metrics(self.start().get('/metrics').body.decode())
        self.assertEqual(metrics.label_values('holdfast_http_refusals_total', 'reason'),
                         {'no-place', 'kept-places', 'made-room', 'head-timeout', 'body-timeout', 'answer-timeout', 'client-gone'})
        self.assertEqual(metrics.value('holdfast_http_refusals_total'), 0)
        self.assertEqual(metrics.value('holdfast_http_waiters_limit'), 750)


class Gone(PlacesCase):
    """Clients that leave while their long-poll waits."""
    WAIT = b'GET /v1/changes?since=%d&wait=60s HTTP/1.1\r\n' + HOST + b'\r\n'

    def wait(self, count):
        data = self.WAIT % self.server.revision()
        self.hold(data, count)
        self.server.wait_for_waiters(count)

    def test_those_that_close_or_reset_give_their_places_back(self):
        server = self.start('--max-connections', '16')
        for leave in (lambda s: s.close(), lambda s: (s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET), s.close())):
            self.wait(8)
            for s in self.held[-8:]:
                leave(s)
            server.wait_for_waiters(0)
            server.wait_for_requests(0)
        self.assertEqual(self.refused('client-gone'), 16)

    def test_one_that_closed_its_own_side_has_gone(self):
        server = self.start()
        self.wait(1)
        self.held[0].shutdown(socket.SHUT_WR)
        server.wait_for_waiters(0)
        self.assertEqual(self.refused('client-gone'), 1)
        eventually(lambda: is_over(self.held[0]))

    def test_one_that_stays_is_woken_by_a_change(self):
        server = self.start()
        self.wait(2)
        self.held[0].close()
        server.wait_for_waiters(1)
        server.put(lease_path('a-change'))
        self.assertIn(b'a-change', self.held[1].recv(65536))

    def test_one_address_leaves_places_that_do_not_wait(self):
        server = self.start('--max-connections', '16')
        self.wait(9)  # three quarters of three quarters
        answer = self.server.request('GET', f'/v1/changes?since={server.revision()}&wait=60s')
        self.assertEqual(answer.json()['changes'], [])
        self.assertEqual(self.server.request('PUT', lease_path('still')).status, 201)


@unittest.skipUnless(LIBRARY, 'HOLDFAST_FAULTS names no library')
class Watched(PlacesCase):
    """A client that leaves while it is being looked at."""
    COUNT = 4

    def setUp(self):
        self.faults = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.faults)

    def test_one_that_is_reset_and_woken_at_that_moment(self):
        server = self.server = Separate(env={'LD_PRELOAD': LIBRARY, 'FAULTS': self.faults})
        self.addCleanup(server.close)
        self.held = []
        data, stay = os.path.join(server.data_dir, 'data.mdb'), os.path.join(self.faults, 'watch')
        writer = server.connect()
        self.addCleanup(writer.close)
        self.assertEqual(server.put(lease_path('before'), connection=writer).status, 201)
        self.hold(Gone.WAIT % server.revision(), self.COUNT)
        server.wait_for_waiters(self.COUNT)
        open(stay, 'w', encoding='utf-8').close()
        try:
            eventually(lambda: os.path.exists(os.path.join(self.faults, 'watching')))
            for s in self.held:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                s.close()
            written = os.stat(data).st_mtime_ns
            writer.request('PUT', lease_path('a-change'), b'{"spec":{}}', {'Content-Type': 'application/json'})
            eventually(lambda: os.stat(data).st_mtime_ns != written)
            time.sleep(0.3)  # what must not happen has time to happen; that it does not, depends on no time
        finally:
            os.unlink(stay)
        self.assertEqual(writer.getresponse().status, 201)
        writer.close()
        server.wait_for_waiters(0)
        server.wait_for_requests(0)


class Stopping(PlacesCase):
    def test_all_that_clients_may_hold_at_a_stop(self):
        server = self.start()
        fill(server, [f's{i}' for i in range(200)], body={'spec': {}})
        for _ in range(3):
            self.hold(b'', 5)
            self.hold(b'GET /liv', 5)
            self.hold(HALF, 5)
            self.hold(Gone.WAIT % server.revision(), 10)
            self.hold(60 * (b'GET /v1/leases HTTP/1.1\r\n' + HOST + b'Accept: application/x-ndjson\r\n\r\n'), 5, receive_buffer=2048)
            self.hold(b'GET /v1/backup HTTP/1.1\r\n' + HOST + b'\r\n', 2)
            self.hold(b'POST /v1/verify HTTP/1.1\r\n' + HOST + b'Content-Length: 0\r\n\r\n', 2)
            server.wait_for_waiters(10)
            server.stop()  # with a status and without a report of the sanitizers; it may take what the harness allows
            for s in self.held:
                s.close()
            self.held.clear()
            server.start()

    def test_acknowledged_writes_outlive_a_stop(self):
        server, acknowledged, stopped = self.start(), [], threading.Event()

        def write(worker):
            for i in range(100000):
                if stopped.is_set():
                    return
                connection = server.connect()
                try:
                    if server.request('PUT', lease_path(f'w{worker}-{i}'), connection=connection, check=False).status == 201:
                        acknowledged.append(f'w{worker}-{i}')
                except Exception:
                    return  # it is stopping
                finally:
                    connection.close()
        writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for writer in writers:
            writer.start()
        eventually(lambda: len(acknowledged) >= 20)
        server.stop()
        stopped.set()
        for writer in writers:
            writer.join()
        server.start()
        for name in acknowledged:
            self.assertEqual(server.get(lease_path(name)).status, 200, name)
        self.assertEqual(server.post('/v1/verify').json()['violations'], 0)


class Reset(PlacesCase):
    """A connection that is reset, in each phase of a request."""
    TIMES = 20
    SYNC = b'POST /v1/zones/r/sync?mode=delta HTTP/1.1\r\n' + HOST + b'Content-Type: application/x-ndjson\r\n'
    PUT = b'PUT ' + lease_path('reset-%d').encode() + b' HTTP/1.1\r\n' + HOST + b'Content-Type: application/json\r\n'

    def test_nothing_is_left(self):
        server = self.start()
        fill(server, [f's{i}' for i in range(100)], body={'spec': {}})
        phases = {
            'nothing': b'', 'half a line': b'GET /v1/sta', 'half a head': self.PUT % 0, 'half a body': HALF,
            'half a chunk': self.PUT % 1 + b'Transfer-Encoding: chunked\r\n\r\n64\r\n{',
            'a write': self.PUT % 2 + b'Content-Length: 10\r\n\r\n{"spec":1}',
            'many writes': b''.join(self.PUT % i + b'Content-Length: 0\r\n\r\n' for i in range(30)),
            'a long-poll': Gone.WAIT % (server.revision() + 1),
            'a stream': b'GET /v1/leases HTTP/1.1\r\n' + HOST + b'Accept: application/x-ndjson\r\n\r\n',
            'a backup': b'GET /v1/backup HTTP/1.1\r\n' + HOST + b'\r\n',
            'a check': b'POST /v1/verify HTTP/1.1\r\n' + HOST + b'Content-Length: 0\r\n\r\n',
            'half a sync': self.SYNC + b'Content-Length: 1000\r\n\r\n{"name":"a","spec":{}}\n',
            'a sync': self.SYNC + b'Content-Length: 23\r\n\r\n{"name":"a","spec":{}}\n',
        }
        for name, data in phases.items():
            for i in range(self.TIMES):
                s = server.socket()
                s.sendall(data)
                if i % 2 and name in ('a stream', 'a backup'):
                    s.recv(100)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                s.close()
            try:
                eventually(lambda: server.metric('holdfast_http_connections') == 1)
                server.wait_for_requests(0)
            except AssertionError:
                self.fail(f'{name}: something is left')
        self.assertEqual(server.metric('holdfast_sync_memory_bytes'), 0)
        self.assertEqual(server.metric('holdfast_commit_queue_depth'), 0)
        self.assertEqual(server.post('/v1/verify').json()['violations'], 0)


if __name__ == '__main__':
    unittest.main()

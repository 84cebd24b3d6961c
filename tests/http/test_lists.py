"""Many leases over HTTP: pages, filters, the stream, and lookup."""
import contextlib
import itertools
import json
import re
import signal
import threading
import time
import unittest

from harness import PLURALS, Server, ServerCase, config, eventually, fill, lease_path, parallel, undisturbed

KINDS = list(PLURALS)
SLOW_S = 60  # the most that a stream may take


def place(lease):
    return lease['zone'], lease['mesh'], KINDS.index(lease['kind']), lease['service']


class Pages(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.places = sorted(itertools.product(('east', 'east-2', 'west'), ('default', 'other'), range(3),
                                              ('redis', 'redis-2', 'web', 'z.ns')))
        for zone, mesh, kind, service in cls.places:
            cls.server.put(lease_path(service, zone, mesh, KINDS[kind]), config())
        cls.server.put('/v1/pools/special', {'cidrs': ['10.0.0.0/24']})
        cls.server.put(lease_path('special', 'west') + '?pool=special')
        cls.server.delete(lease_path('web', 'west'))
        cls.places = sorted(cls.places + [('west', 'default', 0, 'special')])

    def list(self, query='', limit=None):
        """All leases, page by page, and the lengths of the pages."""
        found, lengths, token = [], [], None
        while True:
            parts = [query, limit and f'limit={limit}', token and f'continue={token}']
            page = self.server.get('/v1/leases?' + '&'.join(filter(None, parts))).json()
            found += page['items']
            lengths.append(len(page['items']))
            token = page['continue']
            if not token:
                return found, lengths

    def test_the_order_is_zone_mesh_kind_service(self):
        self.assertEqual([place(lease) for lease in self.list()[0]], self.places)

    def test_pages_of_every_size_have_everything_once(self):
        for limit in (1, 2, 7, len(self.places) - 1, len(self.places), len(self.places) + 1, 5000):
            found, lengths = self.list(limit=limit)
            self.assertEqual([place(lease) for lease in found], self.places, limit)
            self.assertTrue(all(length == limit for length in lengths[:-1]), lengths)

    def test_filters(self):
        table = [  # query, and which it leaves
            ('zone=east', lambda z, m, k, s: z == 'east'), ('mesh=other', lambda z, m, k, s: m == 'other'),
            ('kind=MeshMultiZoneService', lambda z, m, k, s: k == 2), ('service=redis', lambda z, m, k, s: s == 'redis'),
            ('service=red*', lambda z, m, k, s: s.startswith('red')), ('service=redis-*', lambda z, m, k, s: s == 'redis-2'),
            ('service=*', lambda z, m, k, s: True), ('service=z.*', lambda z, m, k, s: s == 'z.ns'),
            ('service=re', lambda z, m, k, s: False),
            ('pool=special', lambda z, m, k, s: s == 'special'), ('pool=none', lambda z, m, k, s: False),
            ('state=quarantined', lambda z, m, k, s: (z, m, k, s) == ('west', 'default', 0, 'web')),
            ('state=active', lambda z, m, k, s: (z, m, k, s) != ('west', 'default', 0, 'web')),
            ('zone=east&mesh=default', lambda z, m, k, s: (z, m) == ('east', 'default')),
            ('zone=west&kind=MeshService', lambda z, m, k, s: (z, k) == ('west', 0)),
            ('zone=west&mesh=other&kind=MeshService&service=w*', lambda z, m, k, s: (z, m, k, s) == ('west', 'other', 0, 'web')),
            ('zone=nowhere', lambda z, m, k, s: False),
        ]
        for query, rule in table:
            expected = [p for p in self.places if rule(*p)]
            for limit in (1, 500):
                with self.subTest(f'{query}, {limit} a page'):
                    self.assertEqual([place(lease) for lease in self.list(query, limit)[0]], expected)
            with self.subTest(f'{query}, streamed'):
                self.assertEqual([place(lease) for lease in self.server.stream('?' + query)[0]], expected)

    def test_a_filter_may_find_nothing(self):
        self.assertEqual(self.server.get('/v1/leases?zone=nowhere').json(),
                         {'items': [], 'continue': None, 'revision': self.server.revision()})
        self.assertEqual(self.server.stream('?zone=nowhere'), ([], self.server.revision()))

    def test_a_page_goes_on_behind_what_was_deleted(self):
        for name in ('a', 'b', 'c'):
            self.server.put(lease_path(name, 'moving'))
        first = self.server.get('/v1/leases?zone=moving&limit=2').json()
        self.server.delete(lease_path('b', 'moving') + '?purge=true')
        rest = self.server.get(f'/v1/leases?zone=moving&continue={first["continue"]}').json()
        self.assertEqual([lease['service'] for lease in rest['items']], ['c'])
        self.assertGreater(rest['revision'], first['revision'])
        for name in ('a', 'c'):
            self.server.delete(lease_path(name, 'moving') + '?purge=true')

    def test_parameters_out_of_form(self):
        table = [
            ('limit=0', 'limit'), ('limit=5001', 'limit'), ('limit=x', 'limit'), ('limit=-1', 'limit'), ('limit=', 'limit'),
            ('limit=1.5', 'limit'),
            ('limit=99999999999999999999', 'limit'), ('continue=', 'continue'), ('continue=xyz', 'continue'), ('continue=00', 'continue'),
            ('continue=' + '61' * 600, 'continue'), ('state=gone', 'state'), ('kind=Dataplane', 'kind'), ('kind=meshservice', 'kind'),
        ]
        for query, culprit in table:
            with self.subTest(query[:40]):
                self.assertProblem(self.server.get('/v1/leases?' + query), 400, 'invalid-parameter', culprit)
        for query, culprit in (('zone=East', 'East'), ('mesh=', 'mesh'), ('service=-red*', '-red'), ('service=r*d*', 'r*d'),
                               ('service=' + 'a' * 318, 'a'),
                               ('pool=a b'.replace(' ', '%20'), 'a b')):
            with self.subTest(query[:40]):
                self.assertProblem(self.server.get('/v1/leases?' + query), 400, 'invalid-name', culprit)
        for query in ('limit=5', 'continue=61'):
            answer = self.server.get('/v1/leases?' + query, {'Accept': 'application/x-ndjson'})
            self.assertProblem(answer, 400, 'invalid-parameter', 'stream')

    def test_lookup(self):
        items = [{'kind': KINDS[k], 'mesh': m, 'zone': z, 'service': s} for z, m, k, s in self.places]
        items.insert(3, {'mesh': 'default', 'zone': 'east', 'service': 'nobody'})
        answer = self.assertWritesNothing(lambda: self.server.post('/v1/lookup', {'items': items})).json()
        self.assertIsNone(answer['items'].pop(3))
        self.assertEqual(answer['items'], self.list()[0])
        self.assertEqual(answer['revision'], self.server.revision())
        plain = self.server.post('/v1/lookup', {'items': [{'mesh': 'other', 'zone': 'west', 'service': 'web'}] * 2}).json()['items']
        self.assertEqual([lease['kind'] for lease in plain], ['MeshService'] * 2, 'the kind is MeshService unless it is stated')
        self.assertEqual(self.server.post('/v1/lookup', {'items': []}).json()['items'], [])


class Many(ServerCase):
    """More than 10,000 leases, with names so long that no socket buffers all of them."""
    N = 10_050
    FLAGS = ('--body-timeout', '5m')  # so that a stream's own minute ends it

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.names = [f's{i:05}-' + 'x' * 240 for i in range(cls.N)]
        fill(cls.server, cls.names, threads=8, body='')
        cls.slow = cls.server.socket(receive_buffer=4096)
        cls.slow.sendall(b'GET /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n')
        cls.slow_since = time.monotonic()
        cls.addClassCleanup(cls.slow.close)

    def test_a_page_examines_ten_thousand_keys(self):
        page = self.server.get(f'/v1/leases?service={self.names[-1]}&zone=east').json()
        self.assertEqual(page['items'], [], 'short')
        self.assertIsNotNone(page['continue'], 'and yet not the last')
        page = self.server.get(f'/v1/leases?service={self.names[-1]}&zone=east&continue={page["continue"]}').json()
        self.assertEqual(([lease['service'] for lease in page['items']], page['continue']), ([self.names[-1]], None))

    def test_the_largest_page(self):
        page = self.server.get('/v1/leases?limit=5000', check=False).json()
        self.assertEqual([lease['service'] for lease in page['items']], self.names[:5000])

    def test_a_stream_is_one_snapshot_while_writes_go_on(self):
        before, revision = self.server.stream('?zone=east')
        stop, written = threading.Event(), []

        def write():
            connection = self.server.connect()
            for i in itertools.count():
                if stop.is_set():
                    break
                self.server.put(lease_path(f'a-new-one-{i}', 'other'), connection=connection)
                self.server.put(lease_path(self.names[-1 - i % 50]), {'spec': {'i': i}}, connection=connection)
                written.append(i)
            connection.close()

        with self.server.socket(receive_buffer=4096) as s:
            s.sendall(b'GET /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\nConnection: close\r\n\r\n')
            head = s.recv(1000)
            writer = threading.Thread(target=write)
            writer.start()
            eventually(lambda: len(written) >= 20)
            body = self.read_chunks(s, head)
            stop.set()
            writer.join()
        self.assertIn(b'Holdfast-Revision: %d\r\n' % revision, head)
        self.assertEqual([json.loads(line) for line in body.splitlines()], before, 'the writes behind its first byte are not in it')
        self.assertGreater(self.server.revision(), revision + 20)

    @staticmethod
    def read_chunks(s, data):
        """The body of a chunked answer; fails if it does not end with its last chunk."""
        parts = [data]
        while part := s.recv(1 << 20):
            parts.append(part)
        head, _, rest = b''.join(parts).partition(b'\r\n\r\n')
        assert head.startswith(b'HTTP/1.1 200') and rest.endswith(b'0\r\n\r\n'), (head, rest[-50:])
        body, at = [], 0
        while True:
            line_end = rest.index(b'\r\n', at)
            length = int(rest[at:line_end], 16)
            if length == 0:
                return b''.join(body)
            body.append(rest[line_end + 2:line_end + 2 + length])
            at = line_end + 2 + length + 2

    def test_many_streams_at_once_and_readers_that_go_away(self):
        def read(i, connection):
            if i % 3 == 0:  # goes away in the middle
                with self.server.socket() as s:
                    s.sendall(b'GET /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n')
                    s.recv(4096)
                return None
            answer = self.server.get('/v1/leases?zone=east', {'Accept': 'application/x-ndjson'}, connection=connection)
            return len(answer.body.splitlines())
        self.assertEqual(set(parallel(self.server, 9, read)), {None, self.N})

    def test_zz_a_reader_slower_than_a_minute_is_cut_off_without_a_final_chunk(self):
        self.server.wait_for_requests(0)  # it has been given up
        self.assertGreaterEqual(time.monotonic() - self.slow_since, SLOW_S)
        tail, total = b'', 0
        try:
            while part := self.slow.recv(1 << 20):
                tail, total = (tail + part)[-50:], total + len(part)
        except ConnectionResetError:
            pass
        self.assertGreater(total, 0)
        self.assertFalse(tail.endswith(b'0\r\n\r\n'), tail)
        with contextlib.closing(self.server.connect()) as connection:  # a kept one was idle for too long
            self.assertEqual(self.server.get('/readyz', connection=connection).status, 200)


class Streams(unittest.TestCase):
    def test_head_has_no_body_not_even_a_last_chunk(self):
        server = Server()
        self.addCleanup(server.close)
        server.put(lease_path('a'))
        request = b'HEAD /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n'
        for _ in range(300):
            answer = server.raw(request)
            self.assertTrue(answer.startswith(b'HTTP/1.1 200 ') and answer.endswith(b'\r\n\r\n'), answer)
            self.assertEqual(answer.count(b'\r\n\r\n'), 1, answer)

    def test_accept_is_read_as_a_list(self):
        server = Server()
        self.addCleanup(server.close)
        for accept, streams in (('application/x-ndjson', True), ('Application/X-NDJSON; charset=utf-8', True),
                                ('application/json, application/x-ndjson;q=0.5', False), ('application/x-ndjson;q=0', False),
                                ('application/x-ndjson, application/json;q=0.5', True), ('application/x-ndjson, */*', True),
                                ('text/html, application/x-ndjson;q=0.001', True), ('application/json, application/x-ndjson', True),
                                ('application/x-ndjson;q=0.0, application/json', False), ('application/x-ndjsonp', False),
                                ('application/json', False), ('*/*', False), ('application/*', False), ('text/html', False)):
            kind = server.get('/v1/leases', {'Accept': accept}).header('Content-Type')
            self.assertEqual(kind == 'application/x-ndjson', streams, accept)

    def test_accept_may_stand_on_several_lines(self):
        server = Server()
        self.addCleanup(server.close)
        for lines, media in ((b'Accept: text/html\r\nAccept: application/x-ndjson\r\n', b'application/x-ndjson'),
                             (b'Accept: application/x-ndjson\r\nX: y\r\naccept: application/x-ndjson;q=0.1\r\nAccept: text/html', b'application/x-ndjson'),
                             (b'Accept: application/x-ndjson;q=0.1\r\nAccept: application/json\r\n', b'application/json')):
            answer = server.raw(b'GET /v1/leases HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' + lines.strip() + b'\r\n\r\n')
            self.assertIn(b'\r\nContent-Type: %s\r\n' % media, answer, lines)

    def test_a_stream_that_is_read_ends_whole_while_the_server_stops(self):
        def attempt(server):
            fill(server, (f's-{i}' for i in range(12000)), body='')
            with server.socket(receive_buffer=4096) as s:
                s.sendall(b'GET /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n')
                received = [s.recv(4096)]
                server.process.child.send_signal(signal.SIGTERM)
                server.lines('msg="stopping"')
                while received[-1]:
                    received.append(s.recv(1 << 20))
            text = b''.join(received)
            self.assertTrue(text.endswith(b'\r\n0\r\n\r\n'), text[-100:])
            text = re.sub(rb'\r\n[0-9A-Fa-f]+\r\n', b'', text)  # between the chunks
            self.assertEqual(text.count(b'"service":"s-'), 12000)
        undisturbed(attempt)

    def test_a_stream_does_not_keep_the_server_from_stopping(self):
        server = Server()
        self.addCleanup(server.close)
        server.put(lease_path('a'))
        with server.socket() as s:
            s.sendall(b'GET /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n')
            self.assertTrue(s.recv(4096).startswith(b'HTTP/1.1 200'))
            server.stop(timeout=5)


if __name__ == '__main__':
    unittest.main()

"""Whom the server answers: hosts that are its own, pages that are not another's, bodies that say what they are."""
import gzip
import json
import unittest

from harness import Server, ServerCase, lease_path, outcome

NDJSON = 'application/x-ndjson'


class Pages(ServerCase):
    """What a page in a browser on the same machine can do."""

    def test_a_page_of_another_origin_changes_and_reads_nothing(self):
        path = lease_path(self.name())
        self.server.put(path, {})
        sync = '/v1/zones/east/sync?mode=full&mesh=*&maxRelease=100'
        for headers in ({'Origin': 'https://evil.example'}, {'Sec-Fetch-Site': 'cross-site'}, {'Sec-Fetch-Site': 'same-site'},
                        {'Origin': 'null', 'Sec-Fetch-Site': 'same-origin'}, {'Origin': f'http://127.0.0.1:{self.server.port + 1}'},
                        {'Origin': f'http://localhost:{self.server.port}'}, {'Origin': f'https://127.0.0.1:{self.server.port}.example'}):
            for method, target, body in (('POST', sync, {'items': []}), ('DELETE', path + '?purge=true', None), ('PUT', path, {'a': 1}),
                                         ('GET', '/v1/leases', None), ('POST', '/v1/verify', None), ('GET', '/v1/backup', None),
                                         ('GET', '/livez', None), ('GET', '/nowhere', None)):
                with self.subTest((headers, method, target)):
                    answer = self.assertWritesNothing(lambda: self.server.request(method, target, body, headers, check=target != '/nowhere'))
                    self.assertProblem(answer, 403, 'cross-origin', list(headers)[0])

    def test_the_servers_own_pages_and_other_clients_are_served(self):
        own = f'127.0.0.1:{self.server.port}'
        for headers in ({}, {'Origin': f'http://{own}'}, {'Origin': f'http://{own}', 'Sec-Fetch-Site': 'same-origin'}, {'Sec-Fetch-Site': 'none'}):
            self.assertEqual(self.server.get('/v1/leases', headers).status, 200, headers)

    def test_a_name_that_leads_here_is_not_the_servers(self):
        path = lease_path(self.name())
        self.server.put(path, {})
        for host in ('evil.example', f'evil.example:{self.server.port}', '10.0.0.1', '0.0.0.0', ''):
            for method, target in (('GET', '/v1/leases'), ('DELETE', path + '?purge=true'), ('GET', '/metrics'), ('GET', '/readyz')):
                answer = self.assertWritesNothing(lambda: self.server.request(method, target, headers={'Host': host, 'Origin': f'http://{host}'}))
                self.assertProblem(answer, 421, 'misdirected', host.split(':')[0])
        for host in ('localhost', f'LOCALHOST:{self.server.port}', '127.0.0.1:1', '127.1.2.3', '[::1]:9'):
            self.assertEqual(self.server.get('/v1/leases', {'Host': host}).status, 200, host)
        self.assertProblem(self.server.get('/v1/leases', {'Host': 'a/b'}), 400, 'invalid-parameter', 'a/b')


class Names(unittest.TestCase):
    def test_host_names_what_else_the_server_is_called(self):
        server = Server('--host', 'holdfast.mesh, holdfast', '--host=10.96.0.1', env={'HOLDFAST_HOST': 'not-this-one'})
        self.addCleanup(server.close)
        for host, status in (('holdfast', 200), ('Holdfast.mesh:80', 200), ('10.96.0.1', 200), ('localhost', 200), ('127.0.0.1', 200),
                             ('not-this-one', 421), ('10.96.0.2', 421), ('mesh', 421)):
            self.assertEqual(server.get('/v1/leases', {'Host': host}).status, status, host)

    def test_it_may_be_a_variable(self):
        server = Server(env={'HOLDFAST_HOST': 'a.example,b.example'})
        self.addCleanup(server.close)
        for host, status in (('a.example', 200), ('b.example', 200), ('c.example', 421)):
            self.assertEqual(server.get('/livez', {'Host': host}).status, status, host)


class Bodies(ServerCase):
    """What a body must say of itself."""

    def raw_status(self, line, headers, body):
        answer = self.server.raw(f'{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n'.encode() + body)
        return int(answer[9:12]), json.loads(answer.split(b'\r\n\r\n', 1)[1])

    def test_a_body_has_a_media_type(self):
        path = lease_path(self.name())
        for line, whole in ((f'PUT {path}', b'{}'), ('POST /v1/lookup', b'{"items":[]}'), ('PUT /v1/pools/p', b'{}'),
                            ('POST /v1/zones/east/sync?mode=full&mesh=*&maxRelease=100', b'{"items":[]}'),
                            ('POST /v1/zones/east/manifest?mesh=*', b'{"items":[]}'), ('PUT /v1/zones/east/connection', b'{"instance":"a"}')):
            for framing, body in ((f'Content-Length: {len(whole)}\r\n', whole),
                                  ('Transfer-Encoding: chunked\r\n', b'%x\r\n%s\r\n0\r\n\r\n' % (len(whole), whole))):
                with self.subTest((line, framing)):
                    status, problem = self.assertWritesNothing(lambda: self.raw_status(line, framing, body))
                    self.assertEqual((status, problem['code']), (415, 'unsupported-media-type'))
                    self.assertIn('Content-Type', problem['detail'])

    def test_an_empty_body_needs_none(self):
        for n, framing in enumerate(('', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n')):
            self.assertEqual(self.raw_status(f'PUT {lease_path(f"{self.name()}-{n}")}', framing, b'0\r\n\r\n' if n == 2 else b'')[0], 201)

    def test_a_content_encoding_is_not_undone(self):
        path = lease_path(self.name())
        packed = gzip.compress(b'{"spec":{}}')
        for encoding in ('gzip', 'GZIP', 'br', 'identity, gzip', 'x'):
            for target, method, body, media in ((path, 'PUT', packed, 'application/json'), (path, 'PUT', b'{"a":1}', 'application/json'),
                                                ('/v1/zones/east/sync?mode=delta', 'POST', packed, NDJSON),
                                                ('/v1/zones/east/manifest?mesh=*', 'POST', b'{}', 'application/json')):
                answer = self.assertWritesNothing(lambda: self.server.request(
                    method, target, body, {'Content-Encoding': encoding, 'Content-Type': media}))
                self.assertProblem(answer, 415, 'unsupported-media-type', 'Content-Encoding', encoding)
        for encoding in ('identity', 'Identity', ' ', 'identity, identity'):
            self.assertIn(self.server.put(path, {}, {'Content-Encoding': encoding}).status, (200, 201), encoding)


class Conditions(ServerCase):
    def test_a_weak_tag_is_explained(self):
        path = lease_path(self.name())
        tag = self.server.put(path, {}).header('ETag')
        for method in ('GET', 'PUT', 'DELETE'):
            answer = self.server.request(method, path, {'a': 1} if method == 'PUT' else None, {'If-Match': f'W/{tag}'})
            self.assertProblem(answer, 412, 'precondition-failed', tag, 'weak')
            answer = self.server.request(method, path, {'a': 1} if method == 'PUT' else None, {'If-Match': '"0"'})
            self.assertNotIn('weak', self.assertProblem(answer, 412, 'precondition-failed', tag).detail)
        self.assertEqual(outcome(self.server.put(path, {'a': 1}, {'If-Match': f'W/"0", {tag}'})), 'updated')

    def test_tags_may_stand_on_several_lines(self):
        path = lease_path(self.name())
        tag = self.server.put(path, {}).header('ETag')

        def status(line, headers):
            answer = self.server.raw(f'{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n'.encode())
            return int(answer[9:12])
        self.assertEqual(status(f'GET {path}', f'If-None-Match: "1"\r\nIf-None-Match: {tag}\r\n'), 304)
        self.assertEqual(status(f'GET {path}', f'If-None-Match: W/{tag}\r\nX: y\r\nif-none-match: "1"\r\n'), 304)
        self.assertEqual(status(f'GET {path}', 'If-None-Match: "1"\r\nIf-None-Match: "2"\r\n'), 200)
        self.assertEqual(status(f'GET {path}', f'If-Match: "1"\r\nIf-Match: "2"\r\nIf-Match: {tag}\r\n'), 200)
        self.assertEqual(status(f'DELETE {path}', 'If-Match: "1"\r\nIf-Match: "2"\r\n'), 412)
        self.assertEqual(status(f'DELETE {path}', 'If-Match: *\r\nIf-Match: "2"\r\n'), 400)


if __name__ == '__main__':
    unittest.main()

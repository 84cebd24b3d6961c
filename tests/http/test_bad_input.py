"""Bad input: each item is answered with its code and a detail that names the culprit, and changes nothing."""
import json
import unittest
from urllib.parse import quote

from harness import Server, ServerCase, config, eventually, lease_path, vip

LONG_SERVICE = 'a' * 253 + '.' + 'b' * 63
NAMES = [  # a name, and what `detail` says of it
    ('-redis', 'begin'), ('redis-', 'end'), ('.redis', 'begin'), ('redis.', 'end'), ('_', 'begin'), ('Redis', 'character 1'),
    ('re dis', 'character 3'),
    ('re/dis', 'character 3'), ('redis!', 'character 6'), ('redis\n', 'character 6'), ('re\x7fdis', 'character 3'), ('ré', 'character 2'),
    ('日本', 'character 1'), ('re%dis', 'character 3'), ('redis*', 'character 6'), ('re:dis', 'character 3'), ('a' * 318, '317'),
]
GOOD_NAMES = ['a', '0', 'a-b', 'a.b', 'a_b', 'a--b', '1.2.3', 'a' * 63]
ESCAPES = [('%', 'percent'), ('%2', 'percent'), ('%zz', 'percent'), ('a%2', 'percent'), ('%00', 'NUL'), ('a%00b', 'NUL'), ('%ff', 'UTF-8'),
           ('%c3', 'UTF-8'), ('%c0%af', 'UTF-8'), ('%ed%a0%80', 'UTF-8'), ('%f4%90%80%80', 'UTF-8')]


def nested(depth, opening='[', closing=']'):
    """A configuration whose deepest container is on level `depth`."""
    return '{"spec":' + opening * (depth - 1) + closing * (depth - 1) + '}'


JSON = [  # a body, what `detail` says; the unit tests of api/text/ and api/lists/ have all others
    ('', 'empty'), ('[]', 'not a JSON object'), ('{"a":tru}', 'line 1'), ('{"a":1,"a":2}', 'duplicate'), (b'{"a":"\xff"}', 'byte 0xff'),
]
POOLS = [  # members, code, what `detail` says
    ({'cidrs': []}, 'invalid-parameter', 'cidrs'), ({}, 'invalid-parameter', 'cidrs'), ({'cidrs': None}, 'invalid-parameter', 'cidrs'),
    ({'cidrs': '10.0.0.0/8'}, 'invalid-parameter', 'cidrs'), ({'cidrs': [5]}, 'invalid-parameter', 'number 1'),
    ({'cidrs': ['10.0.0.0/24', '10.0.1.1/24']}, 'invalid-address', '10.0.1.1/24'),
    ({'cidrs': ['fd00::1/64']}, 'invalid-address', 'host bits'),
    ({'cidrs': ['10.0.0.0']}, 'invalid-address', '10.0.0.0'), ({'cidrs': ['10.0.0.0/']}, 'invalid-address', '10.0.0.0/'),
    ({'cidrs': ['10.0.0.0/33']}, 'invalid-address', '/33'), ({'cidrs': ['fd00::/129']}, 'invalid-address', '/129'),
    ({'cidrs': ['10.0.0.0/08']}, 'invalid-address', '/08'), ({'cidrs': ['10.0.0.0/-1']}, 'invalid-address', '/-1'),
    ({'cidrs': ['10.0.0/24']}, 'invalid-address', '10.0.0'), ({'cidrs': ['x/24']}, 'invalid-address', 'x'),
    ({'cidrs': ['10.0.0.0/24 ']}, 'invalid-address', '10.0.0.0/24 '), ({'cidrs': ['::ffff:10.0.0.0/104']}, 'invalid-address', 'mapped'),
    ({'cidrs': ['10.0.0.9-10.0.0.1']}, 'invalid-address', '10.0.0.9-10.0.0.1'), ({'cidrs': ['10.0.0.1-fd00::1']}, 'invalid-address', 'one family'),
    ({'cidrs': ['10.0.0.1-']}, 'invalid-address', 'number 1'), ({'cidrs': ['-10.0.0.1']}, 'invalid-address', 'number 1'),
    ({'cidrs': ['10.0.0.1-10.0.0.2-10.0.0.3']}, 'invalid-address', 'number 1'), ({'cidrs': ['10.0.0.0/24-10.0.1.0/24']}, 'invalid-address', 'number 1'),
    ({'cidrs': ['::1-fd00::1']}, 'invalid-address', '::ffff:0:0/96'), ({'cidrs': ['::ffff:10.0.0.1-::ffff:10.0.0.2']}, 'invalid-address', 'mapped'),
    ({'cidrs': ['10.0.0.1 - 10.0.0.2']}, 'invalid-address', 'number 1'),
    ({'cidrs': ['10.0.0.0/31'] * 4097}, 'invalid-parameter', '4096'),
    ({'cidrs': ['::/0']}, 'invalid-address', '::ffff'), ({'cidrs': ['::fffe:0:0/95']}, 'invalid-address', '::ffff'),
    ({'reserved': ['10.0.1.0/28']}, 'invalid-parameter', '10.0.1.0/28'),
    ({'reserved': ['10.0.0.0/23']}, 'invalid-parameter', '10.0.0.0/23'),
    ({'reserved': ['10.0.0.9-10.0.0.1']}, 'invalid-address', '10.0.0.9-10.0.0.1'),
    ({'reserved': ['10.0.0.1-fd00::1']}, 'invalid-address', 'family'),
    ({'reserved': ['10.0.0.1/24']}, 'invalid-address', 'host bits'), ({'reserved': ['']}, 'invalid-address', 'number 1'),
    ({'reserved': {}}, 'invalid-parameter', 'reserved'), ({'strategy': 'random'}, 'invalid-parameter', 'random'),
    ({'strategy': 'Hashed'}, 'invalid-parameter', 'Hashed'), ({'strategy': None}, 'invalid-parameter', 'strategy'),
    ({'quarantineSeconds': -1}, 'invalid-parameter', 'quarantineSeconds'),
    ({'quarantineSeconds': 31622401}, 'invalid-parameter', '31622400'),
    ({'quarantineSeconds': '60'}, 'invalid-parameter', 'quarantineSeconds'),
    ({'quarantineSeconds': 1.5}, 'invalid-parameter', 'quarantineSeconds'),
    ({'quarantineSeconds': None}, 'invalid-parameter', 'quarantineSeconds'), ({'kinds': ['Dataplane']}, 'invalid-parameter', 'Dataplane'),
    ({'kinds': ['MeshService'] * 4}, 'invalid-parameter', 'kinds'), ({'meshes': ['Default']}, 'invalid-name', 'Default'),
    ({'zones': ['a', '']}, 'invalid-name', 'number 2'), ({'zones': [None]}, 'invalid-parameter', 'zones'),
    ({'cidr': ['10.0.0.0/8']}, 'invalid-parameter', 'cidr'), ({'name': 'p'}, 'invalid-parameter', 'name'),
]
ITEM = {'mesh': 'default', 'zone': 'east', 'service': 'redis'}
LOOKUPS = [
    ({}, 'invalid-parameter', 'items'), ({'items': None}, 'invalid-parameter', 'items'), ({'items': {}}, 'invalid-parameter', 'items'),
    ({'items': [], 'more': 1}, 'invalid-parameter', 'more'), ({'items': [ITEM, 5]}, 'invalid-parameter', 'number 2'),
    ({'items': [{**ITEM, 'kind': 'Dataplane'}]}, 'invalid-parameter', 'Dataplane'),
    ({'items': [{**ITEM, 'kind': 1}]}, 'invalid-parameter', 'kind'),
    ({'items': [{**ITEM, 'name': 'x'}]}, 'invalid-parameter', 'name'), ({'items': [{**ITEM, 'mesh': 7}]}, 'invalid-parameter', 'mesh'),
    ({'items': [{'mesh': 'm', 'zone': 'z'}]}, 'invalid-parameter', 'service'),
    ({'items': [{**ITEM, 'zone': 'East'}]}, 'invalid-name', 'East'),
    ({'items': [{**ITEM, 'service': ''}]}, 'invalid-name', 'service'),
]
CONDITIONS = ['1', 'x', '"1', '1"', '"1" "2"', ',', '*,"1"', '**', 'w/"1"', '"1";q=1', ','.join(['"1"'] * 9)]


class BadInput(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put(lease_path('here'), config())

    def refused(self, method, target, status, code, *culprits, body=None, headers=None, check=True):
        answer = self.assertWritesNothing(lambda: self.server.request(method, target, body, headers, check=check))
        return self.assertProblem(answer, status, code, *culprits)

    def test_names(self):
        places = [('mesh', lambda n: lease_path('s', 'z', n)), ('zone', lambda n: lease_path('s', n)), ('service', lease_path),
                  ('pool', lambda n: f'/v1/pools/{quote(n, safe="")}')]
        for what, path_of in places:
            for name, culprit in NAMES:
                with self.subTest(f'{what} {name[:20]!r}'):
                    said = '63' if len(name) > 63 and what != 'service' else culprit
                    for method in ('GET', 'PUT', 'DELETE'):
                        self.refused(method, path_of(name), 400, 'invalid-name', what, said, body=config() if method == 'PUT' else None)
            self.refused('GET', path_of(''), 400, 'invalid-name', what, 'empty')
            if what != 'service':
                self.refused('PUT', path_of('a' * 64), 400, 'invalid-name', what, '64', '63')

    def test_names_that_are_good(self):
        for name in GOOD_NAMES + [LONG_SERVICE]:
            self.assertEqual(self.server.put(lease_path(name), config()).json()['service'], name)
        for name in GOOD_NAMES:
            self.assertEqual(self.server.put(lease_path('s', name, name)).json()['zone'], name)
        self.assertEqual(self.server.get('/v1/meshes/%64efault/zones/east/services/her%65').json()['service'], 'here')

    def test_percent_escapes(self):
        for text, culprit in ESCAPES:
            with self.subTest(text):
                self.refused('PUT', f'/v1/meshes/default/zones/east/services/{text}', 400, 'invalid-name', 'part 7', culprit, body='{}')
                self.refused('GET', f'/v1/leases?zone={text}', 400, 'invalid-parameter', 'parameter 1', culprit)
                self.refused('GET', f'/v1/leases?limit=1&{text}=1', 400, 'invalid-parameter', 'parameter 2', culprit)
                self.refused('GET', f'/v1/{text}', 400, 'invalid-name', 'part 2', culprit, check=False)
        self.refused('GET', '/v1/meshes/default/zones/east/services/a%2Fb', 400, 'invalid-name', 'a/b')
        self.refused('GET', '/v1/meshes/default/zones/east/services/a%2fservices%2fb', 400, 'invalid-name', 'a/services/b')

    def test_paths_that_do_not_exist(self):
        for path in ('/', '/v1', '/v1/', '/v2/leases', '/v1/leases/', '//v1/leases', '/v1//leases', '/livez/', '/V1/leases',
                     '/v1/meshes/m/zones/z/services',
                     '/v1/meshes/m/zones/z/dataplanes/s', '/v1/meshes/m/zones/z/services/s/t', '/v1/leases%2F', '/v1/zones/z/else',
                     '/v1/../livez', '/a' * 500):
            with self.subTest(path[:40]):
                for method in ('GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH'):
                    self.refused(method, path, 404, 'not-found', 'path')

    def test_methods(self):
        table = [(lease_path('here'), 'GET, HEAD, PUT, DELETE'), ('/v1/leases', 'GET, HEAD'), ('/v1/lookup', 'POST'),
                 ('/v1/addresses/1.2.3.4', 'GET, HEAD'),
                 ('/v1/addresses/1.2.3.4/history', 'GET, HEAD'), ('/v1/pools', 'GET, HEAD'), ('/v1/pools/p', 'GET, HEAD, PUT, DELETE'),
                 ('/v1/changes', 'GET, HEAD'), ('/v1/status', 'GET, HEAD'), ('/livez', 'GET, HEAD'), ('/readyz', 'GET, HEAD'),
                 ('/metrics', 'GET, HEAD'),
                 ('/openapi.yaml', 'GET, HEAD')]
        for path, allow in table:
            for method in ('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'get', 'FOO'):
                if method not in allow.split(', '):
                    with self.subTest(f'{method} {path}'):
                        answer = self.assertWritesNothing(lambda m=method,
                                                          p=path: self.server.request(m, p, b'{}' if m in ('PUT', 'PATCH') else None))
                        self.assertEqual((answer.status, answer.header('Allow')), (405, allow))
                        if method != 'HEAD':
                            self.assertProblem(answer, 405, 'method-not-allowed', allow)

    def test_query_parameters(self):
        path = lease_path('here')
        table = [
            ('PUT', path + '?force=true', 'force'), ('PUT', path + '?Pool=p', 'Pool'), ('PUT', path + '?pool=p&pool=p', 'pool'),
            ('PUT', path + '?=', ''),
            ('PUT', path + '?version=1&version=1', 'version'), ('GET', path + '?pool=p', 'pool'), ('DELETE', path + '?purge=yes', 'purge'),
            ('DELETE', path + '?purge=', 'purge'), ('DELETE', path + '?purge=1', 'purge'), ('DELETE', path + '?purge', 'purge'),
            ('PUT', '/v1/pools/p?drain=TRUE', 'drain'), ('GET', '/v1/leases?zone=a&zone=a', 'zone'), ('GET', '/openapi.yaml?verbose', 'verbose'),
            ('GET', '/v1/leases?' + '&'.join(f'a{i}=1' for i in range(40)), '32'), ('GET', '/v1/leases?zone=a&' + 'x' * 5000 + '=1', 'xxx'),
        ]
        for method, target, culprit in table:
            with self.subTest(f'{method} {target[:80]}'):
                self.refused(method, target, 400, 'invalid-parameter', culprit,
                             body='{"cidrs":["10.0.0.0/24"]}' if method == 'PUT' else None)
        for query in ('?', '?&', '?&&'):
            self.assertEqual(self.server.get('/v1/status' + query).status, 200)
        for probe in ('/livez', '/readyz', '/metrics'):  # whatever those who probe put behind them
            for query in ('?verbose', '?a=1&a=1', '?%zz', '?' + '&'.join(f'a{i}' for i in range(40))):
                self.assertEqual(self.server.get(probe + query).status, 200)

    def test_media_types(self):
        for target, method in ((lease_path('here'), 'PUT'), ('/v1/pools/p', 'PUT'), ('/v1/lookup', 'POST')):
            for media in ('text/plain', 'application/x-ndjson', 'application/yaml', 'application/jsonx', 'text/json', 'application/+json',
                          'json',
                          'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json/x', ''):
                with self.subTest(f'{target} {media}'):
                    self.refused(method, target, 415, 'unsupported-media-type', media.split(';')[0], body='{}',
                                 headers={'Content-Type': media})

    def test_bodies_that_are_not_json(self):
        for body, culprit in JSON:
            for method, target in (('PUT', lease_path('here')), ('PUT', lease_path('not-here')), ('PUT', '/v1/pools/p'),
                                   ('POST', '/v1/lookup'), ('PUT', '/v1/zones/not-here/connection'),
                                   ('POST', '/v1/zones/east/sync?mode=full&mesh=*'), ('POST', '/v1/zones/east/sync?mode=delta'),
                                   ('POST', '/v1/zones/east/manifest?mesh=*')):
                if body == '' and 'services' in target:
                    continue
                with self.subTest(f'{target} {body[:40]!r}'):
                    self.refused(method, target, 400, 'invalid-json', culprit, body=body)

    def test_bodies_that_are_json_just_so(self):
        for i, body in enumerate((nested(64), nested(64, '{"a":', '}').replace(':}', ':0}'), '{"a":9223372036854775807}',
                                  '{"a":-9223372036854775808}',
                                  '{"a":1e300}', '{"a":"\\ud83d\\ude00"}', '\r\n\t {} \n', '{"":{"":""}}', '{"a":"%s"}' % ('x' * 250_000))):
            with self.subTest(body[:40]):
                self.assertEqual(self.server.put(lease_path(f'just-{i}'), body).status, 201)

    def test_pools(self):
        for members, code, culprit in POOLS:
            body = members if 'cidrs' in members or not members else {'cidrs': ['10.0.0.0/24'], **members}
            with self.subTest(members):
                self.refused('PUT', '/v1/pools/bad', 400, code, culprit, body=body)
        self.assertEqual(self.server.get('/v1/pools/bad').status, 404)

    def test_lookups(self):
        for body, code, culprit in LOOKUPS:
            with self.subTest(body):
                self.refused('POST', '/v1/lookup', 400, code, culprit, body=body)

    def test_conditional_headers(self):
        for header in ('If-Match', 'If-None-Match'):
            for value in CONDITIONS:
                for method in ('GET', 'PUT', 'DELETE'):
                    with self.subTest(f'{method} {header}: {value}'):
                        self.refused(method, lease_path('here'), 400, 'invalid-parameter', header, headers={header: value})
        for value in ('x', '-1', '1.0', '0x1', '18446744073709551616', '1 2'):
            for method in ('PUT', 'DELETE'):
                self.refused(method, lease_path('here'), 400, 'invalid-parameter', 'Holdfast-Zone-Epoch', value,
                             headers={'Holdfast-Zone-Epoch': value})


class Sizes(ServerCase):
    FLAGS = ('--max-body', '2KiB')

    def test_bodies(self):
        fits = json.dumps({'a': 'x' * (2048 - 8)}, separators=(',', ':'))
        self.assertEqual(len(fits), 2048)
        for name, body_of in (('with its length', lambda text: text),
                              ('chunked', lambda text: iter([text[:1000].encode(), text[1000:].encode()]))):
            with self.subTest(name):
                self.assertIn(self.server.put(lease_path('fits'), body_of(fits)).status, (200, 201))
                for more in (1, 5000, 3 << 20):
                    text = fits + ' ' * more
                    answer = self.assertWritesNothing(lambda t=text: self.server.put(lease_path('too-large'), body_of(t)))
                    self.assertProblem(answer, 413, 'body-too-large', '2048')
        self.assertProblem(self.server.put('/v1/nowhere', ' ' * 5000), 404, 'not-found')

    def test_a_larger_limit_holds_however_the_length_is_told(self):
        server = Server('--max-body', '20MiB')
        self.addCleanup(server.close)
        text = '{"a": "' + 'x' * (18 << 20) + '"}'
        self.assertEqual(server.put(lease_path('large'), text).status, 201)
        answer = server.raw(b'PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20971521\r\n\r\n' % lease_path('larger').encode())
        self.assertTrue(answer.startswith(b'HTTP/1.1 413 ') and b'20971520' in answer, answer)

    def test_a_body_that_would_be_endless(self):
        answer = self.server.raw(b'PUT /v1/pools/p HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n')
        self.assertTrue(answer.startswith(b'HTTP/1.1 413 '), answer)
        self.assertIn(b'99999999999', answer)
        with self.server.socket() as s:
            s.sendall(b'PUT /v1/pools/p HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
            try:
                for _ in range(256):  # it reads 48 MiB at most, and both systems' buffers hold what they like
                    s.sendall(b'100000\r\n' + b' ' * 0x100000 + b'\r\n')
                self.fail('the server took more than 256 MiB')
            except ConnectionError:
                pass
        self.assertEqual(self.server.get('/readyz').status, 200)

    def test_headers(self):
        for length, status in ((15_000, 200), (16_500, 431), (18_000, 431)):
            for target, headers in (('/v1/leases', {'X-Long': 'x' * length}),
                                    ('/v1/leases', {f'X-{i}': 'x' * (length // 20) for i in range(20)})):
                answer = self.server.get(target, headers)
                self.assertEqual(answer.status, status, length)
                if status == 431:
                    self.assertProblem(answer, 431, 'headers-too-large', '16384')
        answer = self.server.put(lease_path('s') + '?version=' + 'x' * 17_000, '{}')
        self.assertProblem(answer, 431, 'headers-too-large')
        # So many that libmicrohttpd's notes about them leave no room for an answer: nothing is carried out.
        body, statuses = b'{"spec":{"x":"' + b'y' * 1_500 + b'"}}', set()
        for n in range(120, 200):
            path = lease_path(f'many-headers-{n}')
            head = ''.join(f'X-{i}: {"x" * 50}\r\n' for i in range(n))
            answer = self.server.raw(f'PUT {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{head}\r\n'.encode() + body)
            status = int(answer[9:12])
            statuses.add((status, b'headers-too-large' in answer))
            self.assertEqual(self.server.get(path).status, 404 if status == 431 else 200, n)
        self.assertEqual(statuses, {(201, False), (431, True), (431, False)})
        too_long = b'x' * 100_000
        self.assertTrue(self.server.raw(b'GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ' + too_long + b'\r\n\r\n').startswith(b'HTTP/1.1 431 '))
        self.assertTrue(self.server.raw(b'GET /' + too_long + b' HTTP/1.1\r\nHost: localhost\r\n\r\n').startswith(b'HTTP/1.1 414 '))


class BrokenRequests(ServerCase):
    def test_a_connection_closed_in_the_middle_writes_nothing(self):
        path = lease_path('never').encode()
        body = json.dumps(config()).encode()
        whole = b'PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' % (path, len(body), body)
        chunked = b'PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n' % (path, len(body), body)
        before = self.server.revision()
        for request in (whole, chunked):
            for cut in {1, 10, 60, len(request) // 2, len(request) - 1}:
                with self.server.socket() as s:
                    s.sendall(request[:cut])
        with self.server.socket() as s:  # all but the end of the chunks
            s.sendall(chunked)
            self.server.wait_for_requests(1)
        self.assertEqual(self.server.get(lease_path('never')).status, 404)
        self.assertEqual(self.server.revision(), before)
        self.assertEqual(self.server.get('/readyz').status, 200)

    def test_a_client_that_does_not_read_its_answer(self):
        for i in range(20):
            with self.server.socket() as s:
                s.sendall(b'PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}' % lease_path(f'unread-{i}').encode())
        eventually(lambda: len(self.server.get('/v1/leases?service=unread-*').json()['items']) == 20)

    def test_what_is_not_http(self):
        before = self.server.revision()
        for data in (b'\r\n', b'\x00' * 100, b'GARBAGE\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
                     b'GET /livez HTTP/9.9\r\n\r\n', b'GET\r\n\r\n',
                     b'PUT /v1/pools/p HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n',
                     b'PUT /v1/pools/p HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
                     b'PUT /v1/pools/p HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
                     b'GET livez HTTP/1.1\r\nHost: localhost\r\n\r\n',
                     b'GET /livez HTTP/1.1\r\nHost x\r\n\r\n', b'GET /livez HTTP/1.1\r\n: x\r\n\r\n'):
            with self.subTest(data[:40]):
                answer = self.server.raw(data, end=True)
                self.assertFalse(answer.startswith(b'HTTP/1.1 5') and b' 505 ' not in answer[:20], answer)
        self.assertEqual(self.server.revision(), before)
        self.assertEqual(self.server.get('/readyz').status, 200)

    def test_headers_that_contradict_each_other(self):
        before = self.server.revision()
        target = b'PUT /v1/meshes/m/zones/z/services/twice HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n'
        for headers, named in ((b'if-none-match: *\r\nIf-None-Match: "2"\r\nContent-Length: 2\r\n', b'If-None-Match'),
                               (b'content-type: text/plain\r\nContent-Length: 2\r\n', b'Content-Type'),
                               (b'host: localhost\r\nContent-Length: 2\r\n', b'Host'),
                               (b'Origin: http://localhost\r\nOrigin: http://a\r\nContent-Length: 2\r\n', b'Origin'),
                               (b'Holdfast-Zone-Epoch: 0\r\nHoldfast-Zone-Epoch: 1\r\nContent-Length: 2\r\n', b'Holdfast-Zone-Epoch'),
                               (b'Content-Length: 2\r\nContent-Length: 4\r\n', b'Content-Length'),
                               (b'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', b'Transfer-Encoding'),
                               (b'Transfer-Encoding: gzip\r\n', b'gzip')):
            with self.subTest(named):
                answer = self.server.raw(target + headers + b'\r\n{}')
                self.assertTrue(answer.startswith(b'HTTP/1.1 400 '), answer)
                self.assertIn(b'"code":"invalid-parameter"', answer)
                self.assertIn(named, answer)
        self.assertEqual(self.server.revision(), before)

    def test_requests_one_after_the_other_without_waiting(self):
        request = b'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nPUT /v1/meshes/m/zones/z/services/s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
        answer = self.server.raw(request * 5 + b'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        self.assertEqual((answer.count(b'HTTP/1.1 200 OK'), answer.count(b'HTTP/1.1 201 Created')), (10, 1))

    def test_a_byte_at_a_time(self):
        with self.server.socket() as s:
            for byte in b'PUT /v1/meshes/m/zones/z/services/slow HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}':
                s.sendall(bytes([byte]))
            self.assertTrue(s.recv(4096).startswith(b'HTTP/1.1 201 '))


if __name__ == '__main__':
    unittest.main()

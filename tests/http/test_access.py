"""Who may do what: every operation with every kind of caller, and that nobody learns from a refusal what exists."""
import contextlib
import datetime
import shutil
import tempfile
import unittest

from contract import OPERATIONS
from harness import config, lease_path, parallel
from tokens import Guarded, bearer, secret

NOBODY = {'none': None, 'expired': bearer('late'), 'revoked': bearer('gone'), 'wrong secret': bearer('root', 'guessed'), 'unknown id': bearer('who'),
          'another scheme': 'Basic ' + secret('root'), 'empty': '', 'no token': 'Bearer', 'no id': f'Bearer hf__{secret("root")}',
          'short': bearer('root')[:-1], 'long': bearer('root') + 'A', 'two': bearer('root') + ' x', 'upper case': bearer('root').replace('hf_', 'HF_'),
          'no prefix': f'Bearer root_{secret("root")}', 'a long id': f'Bearer hf_{"a" * 200}_{secret("root")}', 'a digest': 'Bearer hf_root_' + '0' * 64}
ROLES = {'read': bearer('auditor'), 'zone east': bearer('zone-east'), 'zone west': bearer('zone-west'), 'zone with force': bearer('forcing'),
         'admin': bearer('root')}
BODIES = {'put': config(), 'post': {'items': []}}
EAST_TO_EAST = {'items': [{'from': {'mesh': 'default', 'zone': 'east', 'service': 'a'}, 'to': {'mesh': 'default', 'zone': 'east', 'service': 'b'}}]}
PARTS = {'mesh': 'default', 'zone': 'east', 'service': 'redis', 'ip': '241.0.0.0', 'pool': 'mine'}
QUERIES = {'/v1/zones/{zone}/sync': '?mode=delta', '/v1/zones/{zone}/manifest': '?mesh=*'}


def target_of(operation, **parts):
    return operation.path.format(**{**PARTS, **parts}) + QUERIES.get(operation.path, '')


def body_of(operation):
    if operation.path == '/v1/transfers':
        return EAST_TO_EAST
    if operation.path == '/v1/zones/{zone}/connection' and operation.method == 'put':
        return {'instance': 'one'}
    return BODIES.get(operation.method)


def expected(role, who):
    """What access.md says about an operation of zone east; a stranger is not asked."""
    if role in ('probe', 'read') or who == 'admin':
        return 'allowed'
    return 'allowed' if role == 'zone' and who in ('zone east', 'zone with force') else 'forbidden'


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        cls.server = Guarded(cls.directory, '--log-level', 'debug')

    @classmethod
    def tearDownClass(cls):
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, cls.directory)
            cls.server.close()

    def ask(self, who, method, target, body=None, headers=None, **more):
        """One request on a connection of its own, with the given value of Authorization or without one."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        headers = {**({'Authorization': who} if who is not None else {}), **(headers or {})}
        was, self.server.authorization = self.server.authorization, None
        try:
            return self.server.request(method.upper(), target, body, headers, connection=connection, **more)
        finally:
            self.server.authorization = was

    def epoch(self, zone='east'):
        """The header with the epoch of a zone that is online."""
        state = self.server.put(f'/v1/zones/{zone}/connection', {'instance': 'one'}).json()
        return {'Holdfast-Zone-Epoch': str(state['epoch'])}

    def test_every_operation_with_every_caller(self):
        for operation in OPERATIONS:
            role, body = operation.node['x-holdfast-role'], body_of(operation)
            for name, who in {**NOBODY, **ROLES}.items():
                with self.subTest(operation.id, who=name):
                    answer = self.ask(who, operation.method, target_of(operation), body, self.epoch())
                    if name in ROLES:
                        outcome = {401: 'unauthorized', 403: 'forbidden'}.get(answer.status, 'allowed')
                        self.assertEqual(outcome, expected(role, name), answer)
                        self.assertEqual(answer.code == 'forbidden', outcome == 'forbidden', answer)
                    elif role == 'probe':
                        self.assertEqual(answer.status, 200, answer)
                    else:
                        self.assertEqual((answer.status, answer.code, answer.header('WWW-Authenticate')),
                                         (401, 'unauthorized', 'Bearer realm="holdfast"'), answer)

    def test_another_zone(self):
        """The zone in the path decides, however it is written, and not the one whose epoch is known."""
        for operation in OPERATIONS:
            if operation.node['x-holdfast-role'] == 'zone' and '{zone}' in operation.path:
                for zone in ('west', 'w%65st', 'east2', 'eas', 'east%2F', 'EAST', 'east%20', '%65ast'):
                    with self.subTest(operation.id, zone=zone):
                        answer = self.ask(bearer('zone-east'), operation.method, target_of(operation, zone=zone), body_of(operation), self.epoch(),
                                          check=False)
                        self.assertEqual(answer.status == 403, zone != '%65ast', answer)
                for zone in ('east', 'west'):
                    answer = self.ask(bearer('both'), operation.method, target_of(operation, zone=zone), body_of(operation), self.epoch(zone))
                    self.assertNotIn(answer.status, (401, 403))

    def test_the_epoch_is_compulsory_for_a_zones_writes(self):
        seen = []
        for operation in OPERATIONS:
            if operation.node['x-holdfast-role'] != 'zone':
                continue
            fenced = not (operation.path.endswith('/manifest') or (operation.path.endswith('/connection') and operation.method == 'put'))
            answer = self.ask(bearer('zone-east'), operation.method, target_of(operation), body_of(operation))
            self.assertEqual(answer.code == 'forbidden', fenced, (operation.id, answer))
            self.assertNotEqual(self.ask(bearer('root'), operation.method, target_of(operation), body_of(operation)).status, 403)
            seen.append(fenced)
        self.assertTrue(any(seen) and not all(seen))
        stale = self.ask(bearer('zone-east'), 'PUT', lease_path('fenced'), config(), {'Holdfast-Zone-Epoch': '999'})
        self.assertEqual(stale.code, 'stale-epoch')

    def test_permissions(self):
        lease, sync = lease_path('permitted'), '/v1/zones/east/sync?mode=delta'
        table = [('DELETE', lease, '?force=true', 'force'), ('DELETE', lease, '?purge=true', 'purge'), ('DELETE', lease, '?purge=true&force=true', 'both'),
                 ('DELETE', lease, '?force=false', None), ('POST', sync, '&force=true', 'force'), ('POST', sync, '&maxRelease=21', 'maxrelease'),
                 ('POST', sync, '&maxRelease=20', None), ('POST', sync, '&maxRelease=0', None), ('POST', sync, '&maxRelease=100&force=true', 'both'),
                 ('POST', '/v1/transfers', '?force=true', 'force'), ('POST', '/v1/transfers', '?maxRelease=100', 'maxrelease')]
        for method, path, query, needs in table:
            body = None if method == 'DELETE' else EAST_TO_EAST if path == '/v1/transfers' else {'items': []}
            for who, has in (('zone-east', ()), ('forcing', ('force',)), ('root', ('force', 'purge', 'maxrelease', 'both'))):
                with self.subTest(path + query, who=who):
                    answer = self.ask(bearer(who), method, path + query, body, self.epoch())
                    self.assertEqual(answer.code == 'forbidden', needs is not None and needs not in has, answer)

    def test_pools_of_others(self):
        self.server.put('/v1/pools/of-west', {'cidrs': ['10.77.0.0/24'], 'zones': ['west']})
        east = self.ask(bearer('zone-east'), 'PUT', lease_path('p') + '?pool=of-west', config(), self.epoch())
        self.assertEqual((east.status, east.code), (403, 'forbidden'))
        address = self.ask(bearer('zone-east'), 'PUT', lease_path('p') + '?address=10.77.0.9', config(), self.epoch())
        self.assertEqual(address.code, 'address-outside-pool')
        claim = self.ask(bearer('zone-east'), 'PUT', lease_path('p'), config(status={'vips': [{'ip': '10.77.0.8'}]}), self.epoch())
        self.assertEqual((claim.status, claim.json()['pool']), (201, 'meshservice'))
        self.assertEqual(self.ask(bearer('zone-west'), 'PUT', lease_path('p', 'west') + '?pool=of-west', config(), self.epoch('west')).status, 201)
        self.assertEqual(self.ask(bearer('root'), 'PUT', lease_path('q') + '?pool=of-west', config()).status, 201)

    def test_transfers_stay_in_their_zone(self):
        def item(from_zone, to_zone):
            return {'from': {'mesh': 'default', 'zone': from_zone, 'service': 'tr'}, 'to': {'mesh': 'default', 'zone': to_zone, 'service': 'tr2'}}
        self.server.put(lease_path('tr'), config())
        for who, items, status in (('zone-east', [item('east', 'west')], 403), ('zone-east', [item('west', 'east')], 403), ('both', [item('east', 'west')], 403),
                                   ('zone-west', [item('east', 'east')], 403), ('zone-east', [item('east', 'east'), item('west', 'west')], 403),
                                   ('zone-east', [item('east', 'east')], 200)):
            with self.subTest(who, items=items):
                self.assertEqual(self.ask(bearer(who), 'POST', '/v1/transfers', {'items': items}, self.epoch()).status, status)
        self.assertEqual(self.server.get(lease_path('tr2')).status, 200)

    def test_labels_widen_nothing(self):
        west = config(name='theirs', labels={'kuma.io/zone': 'west', 'kuma.io/display-name': 'theirs'})
        answer = self.ask(bearer('zone-east'), 'POST', '/v1/zones/east/sync?mode=delta&return=all', {'items': [west]}, self.epoch())
        self.assertEqual(answer.json()['results'][0]['outcome'], 'foreign', answer)
        self.assertEqual(self.server.get(lease_path('theirs', 'west')).status, 404)

    def test_nothing_is_told(self):
        """Strangers, and zones about others, get the same bytes whether something exists or not."""
        self.server.put(lease_path('there'), config())

        def same(answers):
            seen = {(a.status, a.body, tuple((n, v) for n, v in a.headers.items() if n != 'Date')) for a in answers}
            self.assertEqual(len(seen), 1, seen)
        for method, body in (('GET', None), ('DELETE', None), ('PUT', config())):
            same(self.ask(who, method, target, body, check=False) for who in NOBODY.values()
                 for target in (lease_path('there'), lease_path('not-there'), '/v1/nowhere', '/', '/v1/zones/east/sync', '/v1/status?x=y'))
        same(self.ask(bearer('zone-west'), 'DELETE', lease_path(name), None, self.epoch()) for name in ('there', 'not-there'))
        self.assertEqual(self.ask(bearer('auditor'), 'GET', '/v1/nowhere').status, 404)
        self.assertEqual(self.ask(bearer('auditor'), 'DELETE', '/v1/leases').status, 405)

    def test_each_request_by_itself(self):
        """A connection keeps nothing of who sent the request before, nor does any cache."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        epoch = self.epoch()
        for who, status in (('zone-east', 201), ('zone-east', 200), ('gone', 401), ('zone-east', 200), ('zone-west', 403), ('zone-east', 200), ('auditor', 403)):
            if not connection.sock:
                connection = self.server.connect()
                self.addCleanup(connection.close)
            answer = self.server.request('PUT', lease_path('again'), config(), {'Authorization': bearer(who), **epoch}, connection=connection)
            self.assertEqual(answer.status, status, (who, answer))

    def test_a_strangers_body_is_not_read(self):
        """The answer comes before the body, and the connection ends."""
        for length in ('Content-Length: 100000', 'Transfer-Encoding: chunked'):
            answer = self.server.raw(f'POST /v1/zones/east/sync?mode=full HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n'.encode())
            self.assertTrue(answer.startswith(b'HTTP/1.1 401 '), answer)
            self.assertIn(b'\r\nConnection: close\r\n', answer)
        connection = self.server.connect()
        self.addCleanup(connection.close)
        for _ in range(2):
            connection.request('GET', '/v1/status')
            sock, answer = connection.sock, connection.getresponse()
            answer.read()
            self.assertEqual((answer.status, connection.sock), (401, sock), 'without a body the connection stays')

    def test_twice_is_an_error(self):
        answer = self.server.raw(f'GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer("root")}\r\nAuthorization: {bearer("root")}\r\n\r\n'.encode())
        self.assertTrue(answer.startswith(b'HTTP/1.1 400 '), answer)
        self.assertNotIn(secret('root').encode(), answer)

    def test_host_and_origin_come_first(self):
        self.assertEqual(self.ask(None, 'GET', '/v1/status', headers={'Host': 'shop.example'}).status, 421)
        self.assertEqual(self.ask(None, 'GET', '/v1/status', headers={'Origin': 'http://shop.example'}).code, 'cross-origin')

    def test_the_feed_says_who(self):
        answer = self.ask(bearer('zone-east'), 'PUT', lease_path('whose'), config(), self.epoch())
        change = self.server.get(f'/v1/changes?since={answer.json()["revision"] - 1}').json()['changes'][0]
        self.assertEqual((change['service'], change['by']), ('whose', 'zone-east'))
        self.ask(bearer('zone-east'), 'POST', '/v1/zones/east/sync?mode=delta', {'items': [config(name='logged')]}, self.epoch())
        self.assertRegex(self.server.lines('msg="sync"')[-1], r' by=zone-east$')

    def test_the_absolute_form_and_head(self):
        self.assertEqual(self.ask(None, 'HEAD', '/v1/status').status, 401)
        self.assertEqual(self.ask(bearer('auditor'), 'HEAD', '/v1/status').status, 200)
        self.assertEqual(self.ask(None, 'HEAD', '/livez').status, 200)

    def test_failures_are_counted_and_logged_once(self):
        before = self.server.metric('holdfast_auth_failures_total')
        answers = parallel(self.server, 4, lambda i, connection: [self.stranger(connection) for _ in range(25)])
        self.assertEqual(set(sum(answers, [])), {401})
        self.assertEqual(self.server.metric('holdfast_auth_failures_total') - before, 100)
        lines = self.server.lines('msg="unauthorized" address=127.0.0.1')
        times = [datetime.datetime.fromisoformat(line.split()[0].removeprefix('time=')) for line in lines]
        self.assertTrue(all((later - earlier).total_seconds() > 9 for earlier, later in zip(times, times[1:])), lines)

    def stranger(self, connection):
        connection.request('GET', '/v1/status', headers={'Authorization': bearer('root', 'guess')})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def test_secrets_are_nowhere(self):
        self.ask(bearer('root'), 'GET', '/v1/status')
        self.ask(bearer('root', 'guess'), 'GET', '/v1/status')
        log = self.server.log()
        for seed in ('root', 'guess', 'zone-east', 'forcing'):
            self.assertNotIn(secret(seed), log)
        with open(f'/proc/{self.server.process.child.pid}/cmdline', 'rb') as file:
            self.assertNotIn(secret('root').encode(), file.read())

    def test_headers_for_browsers(self):
        wanted = {'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin', 'Referrer-Policy': 'no-referrer'}
        for target, status, stored in (('/livez', 200, True), ('/v1/status', 200, False), ('/v1/nowhere', 404, False), (lease_path('none'), 404, False),
                                       ('/openapi.yaml', 200, True), ('/metrics', 200, True)):
            answer = self.server.get(target)
            self.assertEqual(answer.status, status)
            self.assertEqual({name: answer.header(name) for name in wanted}, wanted)
            self.assertEqual(answer.header('Cache-Control'), None if stored else 'no-store', target)
            self.assertFalse([name for name in answer.headers if name.lower().startswith('access-control-')])
        refused = self.server.raw(b'GET / HTTP/1.1\r\nHost: localhost\r\nX: \x01\r\n\r\n')
        for name, value in wanted.items():
            self.assertIn(f'\r\n{name}: {value}\r\n'.encode(), refused)


if __name__ == '__main__':
    unittest.main()

"""Walks api/openapi.yaml against running servers: every documented (path, method, status, code) is reached, and no other is seen.

Each request's answer is checked against the document by contract.check(); the tables below see to it that everything is reached.
"""
import signal
import os
import shutil
import tempfile
import unittest

import contract
import storefile
from contract import OPERATIONS, SEEN
from tokens import Guarded, bearer
from harness import PLURALS, Response, Server, config, eventually, lease_path, vip

BIG = b' ' * 1_100_000  # more than a pool may have
LONG = {'X-Long': 'a' * 17_000}
UNTOKEN = {'X-Control': '\x01'}
STREAM = {'Accept': 'application/x-ndjson'}
TARGETS = {
    '/v1/addresses/{ip}': '/v1/addresses/241.0.0.0',
    '/v1/addresses/{ip}/history': '/v1/addresses/241.0.0.0/history',
    '/v1/pools/{pool}': '/v1/pools/walked',
    '/v1/zones/{zone}': '/v1/zones/walked',
    '/v1/zones/{zone}/connection': '/v1/zones/walked/connection',
    '/v1/zones/{zone}/sync': '/v1/zones/walked/sync?mode=full&mesh=*',
    '/v1/zones/{zone}/manifest': '/v1/zones/walked/manifest?mesh=*',
    **{f'/v1/meshes/{{mesh}}/zones/{{zone}}/{plural}/{{service}}': lease_path('walked', kind=kind) for kind, plural in PLURALS.items()},
    **{f'/v1/meshes/{{mesh}}/zones/{{zone}}/{plural}/{{service}}/move': lease_path('walked', kind=kind) + '/move'
       for kind, plural in PLURALS.items()},
}
IGNORE_QUERIES = ('/livez', '/readyz', '/metrics')
LANE = ('/v1/zones/{zone}/sync', '/v1/zones/{zone}/manifest', '/v1/verify')
TRANSFERS = '/v1/transfers'
BODIES = {'put': config(), 'post': {'items': []}}
POOL = {'cidrs': ['10.1.0.0/24']}
EAST = '/v1/zones/east/connection'
CONNECTION = '/v1/zones/walked/connection'


def target_of(operation):
    return TARGETS.get(operation.path, operation.path)


def everywhere():
    """What every operation answers alike."""
    for o in OPERATIONS:
        target, body = target_of(o), BODIES.get(o.method)
        yield o.method, target, BIG, {}, 413, 'body-too-large'
        yield o.method, target, body, LONG, 431, 'headers-too-large'
        yield o.method, target, body, UNTOKEN, 400, 'invalid-parameter'
        if o.path not in IGNORE_QUERIES:
            yield o.method, target + ('&' if '?' in target else '?') + 'surely=unknown', body, {}, 400, 'invalid-parameter'
        yield o.method, target, body, {'Origin': 'http://shop.example'}, 403, 'cross-origin'
        yield o.method, target, body, {'Host': 'shop.example'}, 421, 'misdirected'
        if '{' in o.path:
            yield o.method, target.replace('walked', '%zz').replace('241.0.0.0', '%zz'), body, {}, 400, 'invalid-name'


def leases(kind):
    """A lease of one kind, from nothing to nothing. Pools `one-v4` and `other` are there and serve nobody by themselves."""
    a, b, none = (lease_path(name, kind=kind) for name in ('a', 'b', 'none'))
    move = a + '/move'
    return [
        ('PUT', a, config(), {}, 201, None),
        ('PUT', a, config(), {}, 200, None),
        ('GET', a, None, {}, 200, None),
        ('GET', a, None, {'If-None-Match': '*'}, 304, None),
        ('GET', a, None, {'If-Match': '"0"'}, 412, 'precondition-failed'),
        ('GET', none, None, {}, 404, 'not-found'),
        ('PUT', a, '{', {}, 400, 'invalid-json'),
        ('PUT', a + '?address=241.0.0', config(), {}, 400, 'invalid-address'),
        ('PUT', a + '?pool=other', config(), {}, 409, 'lease-exists'),
        ('PUT', a, config(), {'Holdfast-Zone-Epoch': '77'}, 409, 'stale-epoch'),
        ('PUT', a, config(), {'If-None-Match': '*'}, 412, 'precondition-failed'),
        ('PUT', a, config(), {'Content-Type': 'text/plain'}, 415, 'unsupported-media-type'),
        ('PUT', b + '?pool=other&address=10.99.0.1', config(), {}, 422, 'address-outside-pool'),
        ('PUT', b + '?pool=nowhere', config(), {}, 422, 'no-pool'),
        ('PUT', b + '?pool=one-v4', config(), {}, 201, None),
        ('PUT', none + '?pool=one-v4', config(), {}, 507, 'pool-exhausted'),
        ('PUT', none + '?pool=one-v4&address=10.0.1.1', config(), {}, 409, 'address-taken'),
        ('POST', move + '?address=241.0.0', None, {}, 400, 'invalid-address'),
        ('POST', none + '/move', None, {}, 404, 'not-found'),
        ('POST', move + '?pool=one-v4&address=10.0.1.1', None, {}, 409, 'address-taken'),
        ('POST', move, None, {'Holdfast-Zone-Epoch': '77'}, 409, 'stale-epoch'),
        ('POST', move, None, {'If-Match': '"0"'}, 412, 'precondition-failed'),
        ('POST', move + '?pool=other&address=10.99.0.1', None, {}, 422, 'address-outside-pool'),
        ('POST', move + '?pool=nowhere', None, {}, 422, 'no-pool'),
        ('POST', move + '?pool=one-v4', None, {}, 507, 'pool-exhausted'),
        ('POST', move + '?overlap=1h', None, {}, 200, None),
        ('DELETE', a, None, {'Holdfast-Zone-Epoch': '77'}, 409, 'stale-epoch'),
        ('DELETE', a, None, {'If-Match': '"0"'}, 412, 'precondition-failed'),
        ('DELETE', none, None, {}, 404, 'not-found'),
        ('PUT', EAST, {'instance': kind}, {}, 200, None),
        ('DELETE', EAST, None, {}, 200, None),
        ('DELETE', a, None, {}, 409, 'zone-offline'),
        ('POST', move, None, {}, 409, 'zone-offline'),
        ('PUT', EAST, {'instance': kind}, {}, 200, None),
        ('DELETE', a, None, {}, 200, None),
        ('POST', move, None, {}, 409, 'lease-exists'),
        ('DELETE', b + '?purge=true', None, {}, 200, None),
    ]


POOLS = [
    ('GET', '/v1/pools', None, {}, 200, None),
    ('PUT', '/v1/pools/walked', POOL, {}, 201, None),
    ('PUT', '/v1/pools/walked', POOL, {}, 200, None),
    ('GET', '/v1/pools/walked', None, {}, 200, None),
    ('GET', '/v1/pools/walked', None, {'If-None-Match': '*'}, 304, None),
    ('GET', '/v1/pools/walked', None, {'If-Match': '"0"'}, 412, 'precondition-failed'),
    ('PUT', '/v1/pools/walked', POOL, {'If-None-Match': '*'}, 412, 'precondition-failed'),
    ('DELETE', '/v1/pools/walked', None, {'If-Match': '"0"'}, 412, 'precondition-failed'),
    ('GET', '/v1/pools/none', None, {}, 404, 'not-found'),
    ('PUT', '/v1/pools/walked', '[]', {}, 400, 'invalid-json'),
    ('PUT', '/v1/pools/walked', {'cidrs': ['10.1.0.1/24']}, {}, 400, 'invalid-address'),
    ('PUT', '/v1/pools/walked', {'cidrs': ['241.0.0.0/24']}, {}, 409, 'pool-overlap'),
    ('PUT', '/v1/pools/walked', POOL, {'Content-Type': 'text/plain'}, 415, 'unsupported-media-type'),
    ('PUT', lease_path('holder') + '?pool=walked', None, {}, 201, None),
    ('PUT', '/v1/pools/walked', {'cidrs': ['10.2.0.0/24']}, {}, 409, 'pool-in-use'),
    ('DELETE', '/v1/pools/walked', None, {}, 409, 'pool-in-use'),
    ('DELETE', lease_path('holder') + '?purge=true', None, {}, 200, None),
    ('DELETE', '/v1/pools/walked', None, {}, 200, None),
    ('DELETE', '/v1/pools/walked', None, {}, 404, 'not-found'),
]

ZONES = [
    ('GET', '/v1/zones/walked', None, {}, 404, 'not-found'),
    ('DELETE', CONNECTION, None, {}, 404, 'not-found'),
    ('PUT', CONNECTION, '{', {}, 400, 'invalid-json'),
    ('PUT', CONNECTION, {'instance': 'a'}, {'Content-Type': 'text/plain'}, 415, 'unsupported-media-type'),
    ('PUT', CONNECTION, {'instance': 'a'}, {}, 200, None),
    ('PUT', CONNECTION, {'instance': 'b'}, {'Holdfast-Zone-Epoch': '7'}, 409, 'stale-epoch'),
    ('DELETE', CONNECTION, None, {'Holdfast-Zone-Epoch': '7'}, 409, 'stale-epoch'),
    ('DELETE', CONNECTION, None, {}, 200, None),
    ('GET', '/v1/zones/walked', None, {}, 200, None),
    ('GET', '/v1/zones', None, {}, 200, None),
    ('DELETE', '/v1/zones/none?confirm=none', None, {}, 404, 'not-found'),
    ('DELETE', '/v1/zones/walked', None, {}, 400, 'invalid-parameter'),
    ('DELETE', '/v1/zones/walked?confirm=walked', None, {'Holdfast-Zone-Epoch': '7'}, 409, 'stale-epoch'),
    ('PUT', CONNECTION, {'instance': 'a'}, {}, 200, None),
    ('DELETE', '/v1/zones/walked?confirm=walked', None, {}, 409, 'zone-online'),
    ('DELETE', CONNECTION, None, {}, 200, None),
    ('DELETE', '/v1/zones/walked?purge&confirm=walked', None, {}, 200, None),
    ('GET', '/v1/zones/walked', None, {}, 404, 'not-found'),
]

SYNC, MANIFEST = '/v1/zones/synced/sync?mode=full&mesh=*', '/v1/zones/synced/manifest?mesh=*'
ONE = {'items': [config()]}
SYNCS = [
    ('POST', SYNC, ONE, {}, 200, None),
    ('POST', SYNC, '{', {}, 400, 'invalid-json'),
    ('POST', SYNC.replace('*', 'Bad'), ONE, {}, 400, 'invalid-name'),
    ('POST', SYNC, {'items': [], 'next': '/2'}, {}, 400, 'incomplete-list'),
    ('POST', SYNC, ONE, {'Holdfast-Zone-Epoch': '7'}, 409, 'stale-epoch'),
    ('POST', SYNC, {'items': []}, {}, 409, 'mass-release-guard'),
    ('POST', SYNC, ONE, {'Content-Type': 'text/plain'}, 415, 'unsupported-media-type'),
    ('POST', MANIFEST, {'items': [{'mesh': 'default', 'service': 'redis', 'version': '1'}]}, {}, 200, None),
    ('POST', MANIFEST, '{', {}, 400, 'invalid-json'),
    ('POST', MANIFEST.replace('*', 'Bad'), {'items': []}, {}, 400, 'invalid-name'),
    ('POST', MANIFEST, {'items': []}, {'Content-Type': 'text/plain'}, 415, 'unsupported-media-type'),
    ('PUT', '/v1/zones/synced/connection', {'instance': 'one'}, {}, 200, None),
    ('DELETE', '/v1/zones/synced/connection', None, {}, 200, None),
    ('POST', SYNC, {'items': [config(name='another')]}, {}, 409, 'zone-offline'),
]



def rename(service, other, zone='renamed', to_zone='renamed'):
    return {'items': [{'from': {'mesh': 'default', 'zone': zone, 'service': service},
                       'to': {'mesh': 'default', 'zone': to_zone, 'service': other}}]}


FENCED = '/v1/zones/renamed/connection'
RENAMES = [
    ('PUT', '/v1/pools/renamed', {'cidrs': ['10.7.0.0/24'], 'zones': ['renamed'], 'kinds': ['MeshService']}, {}, 201, None),
    *(('PUT', lease_path(name, 'renamed'), None, {}, 201, None) for name in 'abc'),
    ('POST', TRANSFERS, rename('a', 'a2'), {}, 200, None),
    ('POST', TRANSFERS, '{', {}, 400, 'invalid-json'),
    ('POST', TRANSFERS, rename('A', 'a2'), {}, 400, 'invalid-name'),
    ('POST', TRANSFERS, rename('a', 'a2'), {}, 404, 'not-found'),
    ('POST', TRANSFERS, rename('b', 'a2'), {}, 409, 'lease-exists'),
    ('POST', TRANSFERS, rename('b', 'b2'), {'Holdfast-Zone-Epoch': '7'}, 409, 'stale-epoch'),
    ('POST', TRANSFERS, rename('b', 'b2'), {'Content-Type': 'text/plain'}, 415, 'unsupported-media-type'),
    ('POST', TRANSFERS, rename('b', 'b', to_zone='far'), {}, 422, 'address-outside-pool'),
    ('PUT', '/v1/pools/renamed', {'cidrs': ['10.7.0.0/24']}, {}, 200, None),
    ('POST', TRANSFERS + '?maxRelease=0', rename('b', 'b', to_zone='far'), {}, 409, 'mass-release-guard'),
    ('PUT', FENCED, {'instance': 'one'}, {}, 200, None),
    ('DELETE', FENCED, None, {}, 200, None),
    ('POST', TRANSFERS, rename('b', 'b', to_zone='far'), {}, 409, 'zone-offline'),
]

READS = [
    ('GET', '/v1/leases', None, {}, 200, None),
    ('GET', '/v1/leases', None, STREAM, 200, None),
    ('GET', '/v1/leases?zone=East', None, {}, 400, 'invalid-name'),
    ('POST', '/v1/lookup', {'items': [{'mesh': 'default', 'zone': 'east', 'service': 'a'}]}, {}, 200, None),
    ('POST', '/v1/lookup', '', {}, 400, 'invalid-json'),
    ('POST', '/v1/lookup', {'items': [{'mesh': 'M', 'zone': 'east', 'service': 'a'}]}, {}, 400, 'invalid-name'),
    ('POST', '/v1/lookup', {'items': []}, {'Content-Type': 'text/plain'}, 415, 'unsupported-media-type'),
    ('GET', '/v1/addresses/241.0.0.0', None, {}, 200, None),
    ('GET', '/v1/addresses/241.0.0', None, {}, 400, 'invalid-address'),
    ('GET', '/v1/addresses/241.0.0.0/history', None, {}, 200, None),
    ('GET', '/v1/addresses/241.0.0/history', None, {}, 400, 'invalid-address'),
    ('GET', '/v1/changes?since=0', None, {}, 410, 'revision-compacted'),
    ('GET', '/v1/changes?since=0&zone=East', None, {}, 400, 'invalid-name'),
    ('GET', '/v1/backup', None, {}, 200, None),
    ('POST', '/v1/verify', None, {}, 200, None),
    ('GET', '/v1/status', None, {}, 200, None),
    ('GET', '/livez', None, {}, 200, None),
    ('GET', '/readyz', None, {}, 200, None),
    ('GET', '/metrics', None, {}, 200, None),
    ('GET', '/openapi.yaml', None, {}, 200, None),
]


class Walk(unittest.TestCase):
    def run_table(self, server, rows):
        for method, target, body, headers, status, code in rows:
            method = method.upper()
            with self.subTest(f'{method} {target} {status} {code}'):
                answer = server.request(method, target, body, headers)
                self.assertEqual((answer.status, answer.code), (status, code), answer)
                if method == 'GET':
                    head = server.request('HEAD', target, body, headers)
                    self.assertEqual((head.status, head.header('Content-Type')), (status, answer.header('Content-Type')))

    def server(self, *flags):
        server = Server(*flags)
        self.addCleanup(server.close)
        return server

    def walk_plain(self):
        server = self.server('--changes-max', '8', '--max-sync-body', '256KiB')
        for name, cidr in (('one-v4', '10.0.1.1/32'), ('other', '10.0.2.0/24')):
            server.put(f'/v1/pools/{name}', {'cidrs': [cidr], 'zones': ['nowhere']})
        self.run_table(server, everywhere())
        for kind in PLURALS:
            self.run_table(server, leases(kind))
        self.run_table(server, POOLS)
        self.run_table(server, ZONES)
        self.run_table(server, SYNCS)
        self.run_table(server, RENAMES)
        self.run_table(server, READS)
        self.assertEqual(server.get(f'/v1/changes?since={server.revision() - 1}').status, 200)

    def walk_without_readers(self):
        """503 wherever the store is read: other readers have all of its reader slots."""
        server = self.server('--threads', '1')
        storefile.take_all_readers(server.data_dir)
        self.run_table(server, ((o.method, target_of(o), BODIES.get(o.method), {}, 503, 'overloaded') for o in OPERATIONS
                                if o.path not in ('/livez', '/openapi.yaml', TRANSFERS, *LANE)))
        self.run_table(server, [('GET', '/livez', None, {}, 200, None), ('GET', '/openapi.yaml', None, {}, 200, None)])
        self.run_table(server, (('POST', TARGETS.get(path, path), {'items': []}, {}, 200, None) for path in LANE))  # these have a reader of their own
        self.run_table(server, [('POST', TRANSFERS, rename('a', 'b'), {}, 404, 'not-found')])  # is judged by the committer

    def walk_without_memory(self):
        """503 for lists that need more than the syncs may use."""
        server = self.server('--sync-memory', '1MiB', '--max-sync-body', '4MiB')
        items = [{'mesh': 'default', 'service': f's{i}', 'version': '1'} for i in range(4000)]
        self.run_table(server, [('POST', TARGETS[LANE[0]], {'items': [{'name': item['service']} for item in items]}, {}, 503, 'overloaded'),
                                ('POST', TARGETS[LANE[1]], {'items': items}, {}, 503, 'overloaded'),
                                ('POST', TRANSFERS, {'items': rename('a', 'b')['items'] * 4000}, {}, 503, 'overloaded')])

    def walk_checking(self):
        """Checks that are asked for together are one, which answers all; 503 for one that a stop finds under way."""
        server = self.server()

        def begin():
            connection = server.connect()
            self.addCleanup(connection.close)
            connection.putrequest('POST', '/v1/verify')
            connection.putheader('Content-Type', 'application/json')
            connection.putheader('Content-Length', '2')
            connection.endheaders(b'{')
            return connection
        begun = [begin() for _ in range(5)]
        eventually(lambda: server.metric('holdfast_verifications_under_way') == 5)

        def end(connection):
            connection.send(b'}')
            answer = connection.getresponse()
            answer = Response(answer.status, answer.headers, answer.read())
            contract.check('POST', '/v1/verify', answer)
            return answer
        answers = [end(connection) for connection in begun]
        self.assertEqual([answer.status for answer in answers], [200] * 5)
        self.assertEqual(len({answer.body for answer in answers}), 1)
        self.assertEqual(server.metric('holdfast_verifications_total'), 1)
        self.run_table(server, [('POST', '/v1/verify', None, {}, 200, None)])
        self.assertEqual(server.metric('holdfast_verifications_total'), 2, 'what is asked for later is a check of its own')
        late = begin()
        eventually(lambda: server.metric('holdfast_verifications_under_way') == 1)
        server.process.child.send_signal(signal.SIGTERM)
        server.lines('msg="stopping"')
        self.assertEqual(end(late).status, 503)

    def walk_damaged(self):
        """500 wherever the store is read: records are damaged, some while the server is stopped, some while it runs."""
        server = self.server()
        held = {kind: server.put(lease_path('walked', kind=kind), {'kind': kind}).json() for kind in PLURALS}
        server.put('/v1/pools/walked', POOL)
        server.put('/v1/pools/unused', {'cidrs': ['10.2.0.0/24']})
        server.put(CONNECTION, {'instance': 'a'})
        server.put(lease_path('gone'))
        gone = server.delete(lease_path('gone')).json()
        past = server.put(lease_path('past')).json()
        server.delete(lease_path('past') + '?purge=true')
        store_id = server.get('/v1/status').json()['storeId']
        ip, past_ip = vip(held['MeshService']), vip(past)
        server.stop()
        storefile.damage_deadline(server.data_dir, gone)  # every write begins with what is due
        for lease in held.values():
            storefile.damage_lease(server.data_dir, lease)
        storefile.damage_history(server.data_dir, past)
        storefile.damage_zone(server.data_dir, 'walked')
        server.start()
        broken = [(method, lease_path('walked', kind=kind)) for kind in PLURALS for method in ('GET', 'PUT', 'DELETE')]
        self.run_table(server, (('POST', TARGETS[f'/v1/zones/{{zone}}/{what}'].replace('walked', 'east'), body, {}, 500, 'storage-error')
                                for what, body in (('sync', ONE), ('manifest', {'items': []}))))
        broken += [('POST', lease_path('walked', kind=kind) + '/move') for kind in PLURALS]
        self.run_table(server, [('POST', TRANSFERS, rename('walked', 'another', 'east', 'east'), {}, 500, 'storage-error')])
        broken += [('DELETE', '/v1/pools/unused'), ('PUT', '/v1/pools/unused'), ('GET', f'/v1/addresses/{ip}'),
                   ('GET', f'/v1/addresses/{past_ip}/history'), ('GET', '/v1/leases')]
        self.run_table(server, ((m, t, {'cidrs': ['10.3.0.0/24']} if m == 'PUT' else None, {}, 500, 'storage-error') for m, t in broken))
        self.run_table(server, [('GET', '/v1/zones', None, {}, 500, 'storage-error'),
                                ('GET', '/v1/zones/walked', None, {}, 500, 'storage-error'),
                                ('PUT', CONNECTION, {'instance': 'a'}, {}, 500, 'storage-error'),
                                ('DELETE', '/v1/zones/walked?confirm=walked', None, {}, 500, 'storage-error'),
                                ('DELETE', CONNECTION, None, {}, 500, 'storage-error')])
        self.run_table(server, [('GET', '/readyz', None, {}, 200, None), ('GET', '/livez', None, {}, 200, None)])
        storefile.damage_pool(server.data_dir, 'walked')
        self.run_table(server, [('GET', '/v1/pools/walked', None, {}, 500, 'storage-error')])
        storefile.damage_meta(server.data_dir, store_id)
        broken = ['/v1/pools', '/v1/changes', '/v1/backup', '/v1/status', '/readyz', '/metrics']
        self.run_table(server, (('GET', target, None, {}, 500, 'storage-error') for target in broken))
        self.run_table(server, [('POST', '/v1/lookup', {'items': []}, {}, 500, 'storage-error'),
                                ('POST', '/v1/verify', None, {}, 500, 'storage-error'), ('GET', '/livez', None, {}, 200, None)])
        self.assertIn('level=error', server.log())

    def walk_gone(self):
        """503 for every write to a database whose file has gone; reads go on."""
        server = self.server()
        for kind in PLURALS:
            self.assertEqual(server.put(lease_path('walked', kind=kind)).status, 201)
        server.put('/v1/pools/walked', POOL)
        server.put(CONNECTION, {'instance': 'a'})
        os.unlink(os.path.join(server.data_dir, 'data.mdb'))
        eventually(lambda: server.get('/readyz').code == 'store-gone')
        gone = [('GET', '/readyz', None), ('POST', SYNC, ONE), ('PUT', CONNECTION, {'instance': 'b'}), ('DELETE', CONNECTION, None),
                ('PUT', '/v1/pools/another', {'cidrs': ['10.9.0.0/24']}), ('DELETE', '/v1/pools/walked', None)]
        for kind in PLURALS:
            gone += [('PUT', lease_path('new', kind=kind), None), ('DELETE', lease_path('walked', kind=kind), None),
                     ('POST', lease_path('walked', kind=kind) + '/move', None)]
        gone += [('POST', TRANSFERS, rename('walked', 'another', 'east', 'east'))]
        self.run_table(server, ((method, target, body, {}, 503, 'store-gone') for method, target, body in gone))

    def walk_guarded(self):
        """401 without a token wherever one is needed, and 403 for one that may only read."""
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        server = Guarded(directory)
        self.addCleanup(server.close)
        needs = [(o.node['x-holdfast-role'], o.method, target_of(o), BODIES.get(o.method)) for o in OPERATIONS]
        self.run_table(server, ((method, target, body, {'Authorization': ''}, 401, 'unauthorized') for role, method, target, body in needs if role != 'probe'))
        self.run_table(server, ((method, target, body, {'Authorization': bearer('auditor')}, 403, 'forbidden') for role, method, target, body in needs
                                if role in ('zone', 'admin')))

    def walk_full(self):
        """507 for every write: a database of one mebibyte, in which a reader keeps every page from being used again."""
        server = self.server('--map-size', '1MiB')
        for kind in PLURALS:
            self.assertEqual(server.put(lease_path('walked', kind=kind)).status, 201)
        server.put('/v1/pools/walked', POOL)
        server.put(CONNECTION, {'instance': 'a'})
        storefile.hold_snapshot(server.data_dir)
        for query in ('', '?version={}'):  # until not even the smallest write finds a page
            self.assertIn(507, (server.put(lease_path('walked' if query else f's{i}') + query.format(i)).status for i in range(1000)))
        before = server.revision()
        full = [('PUT', lease_path('new', kind=kind), None) for kind in PLURALS]
        full += [('DELETE', lease_path('walked', kind=kind), None) for kind in PLURALS]
        full += [('POST', lease_path('walked', kind=kind) + '/move', None) for kind in PLURALS]
        full += [('POST', TRANSFERS, rename('walked', 'another', 'east', 'east'))]
        full += [('PUT', CONNECTION, {'instance': 'b'}), ('DELETE', CONNECTION, None)]
        full += [('PUT', '/v1/pools/another', {'cidrs': ['10.9.0.0/24']}), ('DELETE', '/v1/pools/walked', None)]
        full += [('POST', SYNC, ONE), ('DELETE', '/v1/zones/east?confirm=east', None)]
        self.run_table(server, ((method, target, body, {}, 507, 'storage-full') for method, target, body in full))
        self.assertEqual(server.revision(), before)

    def test_every_documented_answer_is_reached(self):
        SEEN.clear()
        self.walk_plain()
        self.walk_without_readers()
        self.walk_without_memory()
        self.walk_checking()
        self.walk_damaged()
        self.walk_gone()
        self.walk_full()
        self.walk_guarded()
        wanted = {entry for o in OPERATIONS for entry in o.documented()}
        self.assertEqual(sorted(map(str, wanted - SEEN)), [], 'documented, and never answered')
        self.assertEqual(sorted(map(str, SEEN - wanted)), [], 'answered, and not documented')


if __name__ == '__main__':
    unittest.main()

"""Manifest and digest: the cheap halves of an incremental sync."""
import json
import unittest

from harness import Server, config, lease_path
from syncing import NDJSON, SyncCase, digest_of, encode, names, outcomes, universal

NONE = 'sha256:' + '0' * 64


def member(service, mesh='default', kind='MeshService'):
    return {'kind': kind, 'mesh': mesh, 'service': service}


class Manifest(SyncCase):
    def compare(self, zone, items, mesh='*', kind=None):
        """A manifest that must be answered with 200; nothing may be written."""
        target = f'/v1/zones/{zone}/manifest?mesh={mesh}' + (f'&kind={kind}' if kind else '')
        before = self.file_digest()
        answer = self.assertWritesNothing(lambda: self.server.post(target, {'items': items}))
        self.assertEqual((answer.status, self.file_digest()), (200, before), answer)
        told = answer.json()
        self.assertEqual(told['revision'], self.server.revision())
        self.assertEqual(told['digest'], digest_of(self.leases(zone).values()))
        return told

    def listed(self, zone):
        """What a control plane that is up to date would list."""
        return [{**member(service, mesh, kind), 'fingerprint': lease['fingerprint']}
                for (kind, mesh, service), lease in self.leases(zone, '&state=active').items() if kind == 'MeshService']

    def assertCompared(self, told, needed, unlisted, unchanged):
        self.assertEqual((told['needed'], told['unlisted'], told['unchanged']), (needed, unlisted, unchanged))

    def test_by_fingerprint(self):
        zone = self.zone()
        self.sync(zone, [universal(name) for name in names(5)])
        items = self.listed(zone)
        self.assertCompared(self.compare(zone, items), [], [], 5)
        items[1]['fingerprint'] = NONE
        items.append({**member('new'), 'fingerprint': NONE})
        self.assertCompared(self.compare(zone, items), [member('s01'), member('new')], [], 4)
        del items[3]
        self.assertCompared(self.compare(zone, items), [member('s01'), member('new')], [member('s03')], 3)
        self.assertCompared(self.compare(zone, []), [], [member(name) for name in names(5)], 0)
        self.assertCompared(self.compare(self.zone(), items[:1]), [member('s00')], [], 0)

    def test_by_version(self):
        zone = self.zone()
        for name in names(3):
            self.acquire(lease_path(name, zone) + f'?version=v-{name}', config())
        self.acquire(lease_path('unversioned', zone), config())
        items = [{**member(name), 'version': f'v-{name}'} for name in names(3)] + [{**member('unversioned'), 'version': 'v'}]
        items[1]['version'] = 'another'
        self.assertCompared(self.compare(zone, items), [member('s01'), member('unversioned')], [], 2)

    def test_the_kind_is_mesh_service_unless_stated(self):
        zone = self.zone()
        _, lease = self.acquire(lease_path('a', zone), config())
        item = {'mesh': 'default', 'service': 'a', 'fingerprint': lease['fingerprint']}
        self.assertCompared(self.compare(zone, [item]), [], [], 1)
        self.assertCompared(self.compare(zone, [{'mesh': 'default', 'service': 'b', 'version': '1'}]), [member('b')], [member('a')], 0)

    def test_scope(self):
        zone = self.zone()
        for mesh in ('m1', 'm2'):
            for kind in ('MeshService', 'MeshExternalService'):
                self.acquire(lease_path('a', zone, mesh, kind), config())
        self.assertCompared(self.compare(zone, []), [], [member('a', 'm1'), member('a', 'm2')], 0)
        self.assertCompared(self.compare(zone, [], 'm2'), [], [member('a', 'm2')], 0)
        external = 'MeshExternalService'
        self.assertCompared(self.compare(zone, [], 'm1', external), [], [member('a', 'm1', external)], 0)

    def test_a_quarantined_lease_is_needed_and_not_unlisted(self):
        zone = self.zone()
        self.sync(zone, [universal('a'), universal('b')])
        items = self.listed(zone)
        self.server.delete(lease_path('b', zone))
        self.assertCompared(self.compare(zone, items), [member('b')], [], 1)
        self.assertCompared(self.compare(zone, items[:1]), [], [], 1)

    def test_a_lease_without_a_configuration_is_needed(self):
        zone = self.zone()
        self.acquire(lease_path('a', zone))
        self.assertCompared(self.compare(zone, [{**member('a'), 'fingerprint': NONE}]), [member('a')], [], 0)

    def test_an_incremental_sync(self):
        """Reconnect, compare, send what is needed and remove what is not listed; then the next comparison finds nothing."""
        zone = self.zone()
        self.connect(zone, 'one')
        self.sync(zone, [universal(name) for name in names(20)])
        wanted = {name: universal(name, port=81 if name == 's07' else 80) for name in names(2, 22)}
        there = self.connect(zone, 'two')
        self.assertEqual(there['sync'], 'incremental')
        target = {name: self.fingerprint_of(document) for name, document in wanted.items()}
        items = [{**member(name), 'fingerprint': fingerprint} for name, fingerprint in target.items()]
        told = self.compare(zone, items)
        self.assertEqual(told['digest'], there['digest'])
        self.assertCompared(told, [member('s07'), member('s20'), member('s21')], [member('s00'), member('s01')], 17)
        needed = [wanted[m['service']] for m in told['needed']]
        answer = self.sync(zone, needed, mode='delta', removed=told['unlisted'], epoch=there['epoch'])
        self.assertEqual(outcomes(answer), {'s07': 'updated', 's20': 'created', 's21': 'created', 's00': 'released', 's01': 'released'})
        again = self.compare(zone, items)
        self.assertCompared(again, [], [], 20)
        self.assertEqual(again['digest'], answer['digest'])

    def fingerprint_of(self, document):
        """As the server computes it, in a zone of its own."""
        return self.acquire(lease_path(document['name'], f'f-{self.zone()}'), document)[1]['fingerprint']

    def test_bad_items(self):
        zone, good = self.zone(), {'mesh': 'default', 'service': 'a', 'version': '1'}
        table = [  # the second item, code, and what `detail` says besides its number
            (5, 'invalid-json', 'object'), ([], 'invalid-json', 'object'), ({}, 'invalid-parameter', ''),
            ({'mesh': 'default', 'service': 'b'}, 'invalid-parameter', 'fingerprint'),
            ({'mesh': 'default', 'service': 'b', 'version': '1', 'fingerprint': NONE}, 'invalid-parameter', 'fingerprint'),
            ({'mesh': 'default', 'version': '1'}, 'invalid-parameter', 'service'),
            ({'service': 'b', 'version': '1'}, 'invalid-parameter', 'mesh'),
            ({'mesh': 'default', 'service': 'b', 'version': ''}, 'invalid-parameter', 'version'),
            ({'mesh': 'default', 'service': 'b', 'version': 'v' * 65}, 'invalid-parameter', 'version'),
            ({'mesh': 'default', 'service': 'b', 'version': 1}, 'invalid-parameter', 'version'),
            ({'mesh': 'default', 'service': 'b', 'fingerprint': 'sha256:00'}, 'invalid-parameter', 'fingerprint'),
            ({'mesh': 'default', 'service': 'b', 'fingerprint': '0' * 64}, 'invalid-parameter', 'fingerprint'),
            ({'mesh': 'default', 'service': 'b', 'fingerprint': None}, 'invalid-parameter', 'fingerprint'),
            ({'mesh': 'default', 'service': 'b', 'version': '1', 'zone': 'z'}, 'invalid-parameter', 'zone'),
            ({'kind': 'Dataplane', 'mesh': 'default', 'service': 'b', 'version': '1'}, 'invalid-parameter', 'Dataplane'),
            ({'mesh': 'Default', 'service': 'b', 'version': '1'}, 'invalid-name', 'Default'),
            ({'mesh': 'default', 'service': 'B', 'version': '1'}, 'invalid-name', 'B'),
        ]
        for item, code, culprit in table:
            with self.subTest(str(item)[:70]):
                answer = self.server.post(f'/v1/zones/{zone}/manifest?mesh=*', {'items': [good, item, good]})
                self.assertProblem(answer, 400, code, culprit, 'number 2')

    def test_one_item_a_line(self):
        zone = self.zone()
        self.sync(zone, [universal(name) for name in names(3)])
        target = f'/v1/zones/{zone}/manifest?mesh=*'
        lines = [json.dumps(item) for item in self.listed(zone)]
        lines[1] = json.dumps({'mesh': 'default', 'service': 's01', 'version': 'another'})
        told = self.server.post(target, '\n'.join(['', *lines[1:], '']), {'Content-Type': NDJSON}).json()
        self.assertCompared(told, [member('s01')], [member('s00')], 1)
        self.assertProblem(self.server.post(target, lines[0] + '\n5\n', {'Content-Type': NDJSON}), 400, 'invalid-json', 'line 2')
        self.assertProblem(self.server.post(target, lines[0] + '\n{"mesh":', {'Content-Type': NDJSON}), 400, 'invalid-json', 'line 2')
        self.assertProblem(self.server.post(target, f'{lines[0]}\n\n{lines[0]}\n', {'Content-Type': NDJSON}), 400, 'invalid-parameter', 'line 3')

    def test_bad_requests(self):
        zone = self.zone()
        target = f'/v1/zones/{zone}/manifest'
        for query, code, culprit in (('', 'invalid-parameter', 'mesh'), ('?mesh=', 'invalid-name', 'mesh'),
                                     ('?mesh=Bad', 'invalid-name', 'Bad'), ('?mesh=*&kind=Dataplane', 'invalid-parameter', 'Dataplane'),
                                     ('?mesh=*&mode=full', 'invalid-parameter', 'mode')):
            self.assertProblem(self.server.post(target + query, {'items': []}), 400, code, culprit)
        for body in ('{}', '{"items":null}', '{"items":{}}', '{"items":[],"more":1}'):
            self.assertProblem(self.server.post(target + '?mesh=*', body), 400, 'invalid-parameter')
        answer = self.server.post(target + '?mesh=*', '{"items":[]}', {'Content-Type': 'text/plain'})
        self.assertProblem(answer, 415, 'unsupported-media-type', 'text/plain')


class Large(unittest.TestCase):
    def test_ten_thousand_beyond_the_limit_of_other_bodies(self):
        server = Server('--max-sync-items', '10000')
        self.addCleanup(server.close)
        lines = ''.join(f'{{"name":"service-{i:05}"}}\n' for i in range(10_000))
        answer = server.post('/v1/zones/east/sync?mode=full&mesh=*&return=none', lines, {'Content-Type': 'application/x-ndjson'})
        self.assertEqual(answer.json()['summary']['created'], 10_000)
        items = [{'mesh': lease['mesh'], 'service': lease['service'], 'fingerprint': lease['fingerprint']} for lease in server.stream()[0]]
        told = server.post('/v1/zones/east/manifest?mesh=*', {'items': items}).json()
        self.assertEqual((told['needed'], told['unlisted'], told['unchanged']), ([], [], 10_000))
        self.assertEqual(told['digest'], answer.json()['digest'])
        more = {'items': items + [{'mesh': 'default', 'service': 'one-more', 'version': '1'}]}
        answer = server.post('/v1/zones/east/manifest?mesh=*', more)
        self.assertEqual((answer.status, answer.code), (413, 'body-too-large'))


class Digests(SyncCase):
    """Kept incrementally, equal to one from scratch after every kind of write, and after a restart."""

    def digest(self, zone, server):
        return server.get(f'/v1/zones/{zone}').json()['digest']

    def test_every_write(self):
        server = Server()
        self.addCleanup(server.close)

        def same(seen=set()):
            for zone in ('east', 'west'):
                digest = self.digest(zone, server)
                self.assertEqual(digest, digest_of(server.stream(f'?zone={zone}')[0]))
                seen.add((zone, digest))
            return len(seen)

        path = lease_path('a', 'east')
        server.put(lease_path('w', 'west'), config())
        for act in (lambda: server.put(path, config()), lambda: server.put(path, config(6380)),
                    lambda: server.put(path + '?version=7', config(6380)),
                    lambda: server.put(lease_path('a', 'east', 'other'), config()), lambda: server.put(lease_path('b', 'east')),
                    lambda: server.put(lease_path('a', 'east', kind='MeshExternalService'), config()), lambda: server.delete(path),
                    lambda: server.put(path), lambda: server.delete(path + '?purge=true'), lambda: server.put(path, config())):
            self.assertIn(act().status, (200, 201))
            same()
        body, media = encode([universal(name) for name in names(9)], 'ndjson')
        self.assertEqual(self.post('east', body, media, server=server, maxRelease=100).status, 200, "the last of mesh 'other' goes")
        count = same()
        server.kill()
        server.start()
        self.assertEqual(same(), count, 'as before')

    def test_of_nothing(self):
        zone = self.zone()
        self.assertEqual(self.sync(zone, [])['digest'], NONE)
        self.sync(zone, [universal('a')])
        self.sync(zone, [], maxRelease=100)
        self.assertEqual(json.loads(self.server.get(f'/v1/zones/{zone}').body)['digest'], NONE)


if __name__ == '__main__':
    unittest.main()

"""Zones over HTTP: connections and epochs, fencing, frozen leases, quarantines that are held, and what is refused."""
import hashlib
import os
import time
import unittest

from harness import PLURALS, Server, ServerCase, config, eventually, lease_path, outcome, vip

NO_DIGEST = 'sha256:' + '0' * 64


def epoch(number):
    return {'Holdfast-Zone-Epoch': str(number)}


def file_digest(server):
    with open(os.path.join(server.data_dir, 'data.mdb'), 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


class ZoneCase(ServerCase):
    """Each test has a zone of its own."""

    def setUp(self):
        self.zone = self.name()[:63].rstrip('-')
        self.path = f'/v1/zones/{self.zone}'

    def put(self, instance, headers=None):
        return self.server.put(self.path + '/connection', {'instance': instance}, headers)

    def connect(self, instance, kind, number, headers=None):
        """Connects; the answer must be of that kind and epoch."""
        answer = self.put(instance, headers)
        self.assertEqual(answer.status, 200, answer)
        connection = answer.json()
        self.assertEqual((connection['connection'], connection['epoch'], connection['state'], connection['zone']),
                         (kind, number, 'online', self.zone))
        return connection

    def disconnect(self, headers=None):
        return self.server.delete(self.path + '/connection', headers)

    def read(self):
        answer = self.server.get(self.path)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def lease(self, service='redis', **more):
        return lease_path(service, self.zone, **more)

    def acquire(self, service='redis', **more):
        answer = self.server.put(self.lease(service, **more), config())
        self.assertIn(answer.status, (200, 201), answer)
        return answer.json()

    def assertFileStays(self, act):
        """Runs `act`; neither the revision nor a byte of the database may change."""
        before = file_digest(self.server)
        result = self.assertWritesNothing(act)
        self.assertEqual(file_digest(self.server), before, 'the database changed')
        return result


class Connections(ZoneCase):
    def test_first_then_refresh(self):
        first = self.connect('cp-1', 'first', 1)
        self.assertEqual((first['sync'], first['leases'], first['digest']), ('full', 0, NO_DIGEST))
        self.assertEqual((first['revision'], first['storeEpoch']), (self.server.revision(), 1))
        again = self.assertFileStays(lambda: [self.connect('cp-1', 'refresh', 1) for _ in range(3)])
        self.assertEqual(again[0], {**first, 'connection': 'refresh'})

    def test_a_connection_is_no_change_of_a_lease(self):
        self.acquire()
        since = self.server.revision()

        def come_and_go():
            for kind, instance, number in (('first', 'a', 1), ('reconnect', 'b', 2), ('reconnect', 'c', 3)):
                self.connect(instance, kind, number)
            self.disconnect()
        self.assertWritesNothing(come_and_go)
        self.assertEqual(self.server.get(f'/v1/changes?since={since}').json()['changes'], [])

    def test_the_same_instance_after_it_was_offline(self):
        self.connect('cp-1', 'first', 1)
        self.assertEqual(self.disconnect().status, 200)
        self.connect('cp-1', 'reconnect', 2)
        self.connect('cp-1', 'refresh', 2)
        self.assertEqual(self.read()['reconnects'], 1)

    def test_a_new_instance_supersedes_the_one_before(self):
        self.connect('cp-1', 'first', 1)
        self.connect('cp-2', 'reconnect', 2)
        refused = self.assertFileStays(lambda: self.put('cp-1'))
        self.assertProblem(refused, 409, 'stale-epoch', 'cp-1', 'superseded', '2')
        self.disconnect()
        self.assertProblem(self.put('cp-1'), 409, 'stale-epoch')
        self.assertEqual((self.read()['state'], self.read()['instance']), ('offline', 'cp-2'))
        self.connect('cp-3', 'reconnect', 3)

    def test_eight_superseded_instances_are_remembered(self):
        for i in range(10):
            self.connect(f'cp-{i}', 'reconnect' if i else 'first', i + 1)
        for i in range(1, 9):
            self.assertProblem(self.put(f'cp-{i}'), 409, 'stale-epoch', f'cp-{i}')
        self.connect('cp-9', 'refresh', 10)
        self.connect('cp-0', 'reconnect', 11)

    def test_sync_is_incremental_when_the_store_knows_the_zone(self):
        self.acquire()
        self.assertEqual(self.connect('a', 'first', 1)['sync'], 'full', 'it has leases, but it never connected')
        known = self.connect('b', 'reconnect', 2)
        self.assertEqual((known['sync'], known['leases']), ('incremental', 1))
        self.assertNotEqual(known['digest'], NO_DIGEST)
        self.assertEqual(known['digest'], self.read()['digest'])
        self.server.delete(self.lease())
        empty = self.connect('c', 'reconnect', 3)
        self.assertEqual((empty['sync'], empty['leases'], empty['digest']), ('full', 0, NO_DIGEST))

    def test_a_disconnection_that_is_repeated_writes_nothing(self):
        self.connect('a', 'first', 1)
        offline = self.disconnect().json()
        self.assertEqual((offline['state'], offline['epoch'], offline['instance']), ('offline', 1, 'a'))
        self.assertEqual(self.assertFileStays(self.disconnect).json(), offline)
        self.assertEqual(self.read(), offline)

    def test_a_zone_that_never_connected_cannot_disconnect(self):
        self.assertProblem(self.disconnect(), 404, 'not-found', self.zone)
        self.acquire()
        self.assertProblem(self.disconnect(), 404, 'not-found', self.zone)
        self.assertProblem(self.server.delete('/v1/zones/global/connection'), 404, 'not-found', 'global')

    def test_instances_are_compared_byte_by_byte(self):
        for i, instance in enumerate(('a', 'A', 'a ', 'ä', 'x' * 128, 'x' * 127, '\u2603 "\\\n')):
            self.connect(instance, 'reconnect' if i else 'first', i + 1)
            self.assertEqual(self.read()['instance'], instance)

    def test_conditions_are_not_looked_at(self):
        self.connect('a', 'first', 1, {'If-Match': 'nonsense', 'If-None-Match': '*'})
        self.assertEqual(self.disconnect({'If-Match': '"0"'}).status, 200)


class Reading(ZoneCase):
    def test_what_a_zone_shows(self):
        self.assertProblem(self.server.get(self.path), 404, 'not-found', self.zone)
        created = self.acquire()
        zone = self.read()
        self.assertEqual((zone['state'], zone['epoch'], zone['instance'], zone['reconnects'], zone['lastSync']),
                         ('unmanaged', 0, None, 0, None))
        self.assertEqual((zone['createdAt'], zone['changedAt']), (created['createdAt'], created['createdAt']))
        self.connect('a', 'first', 1)
        for kind in PLURALS:
            for mesh in ('one', 'two'):
                self.acquire(kind=kind, mesh=mesh)
        self.server.delete(self.lease())
        zone = self.read()
        self.assertEqual((zone['state'], zone['epoch'], zone['instance']), ('online', 1, 'a'))
        self.assertEqual(zone['leases'], {'active': 6, 'quarantined': 1})
        self.assertEqual(zone['createdAt'], created['createdAt'])
        self.assertGreaterEqual(zone['changedAt'], zone['createdAt'])

    def test_the_digest_follows_the_active_leases(self):
        self.acquire('a')
        one = self.read()['digest']
        self.acquire('b')
        two = self.read()['digest']
        self.assertNotEqual(one, two)
        self.server.put(self.lease('b'), config(port=1))
        self.assertNotIn(self.read()['digest'], (one, two))
        self.server.put(self.lease('b'), config())
        self.assertEqual(self.read()['digest'], two)
        self.server.delete(self.lease('b'))
        self.assertEqual(self.read()['digest'], one)

    def test_the_list_has_every_zone_by_name(self):
        for zone in (self.zone + '-b', self.zone + '-a', self.zone):
            self.server.put(lease_path('redis', zone))
        answer = self.server.get('/v1/zones').json()
        names = [zone['zone'] for zone in answer['items']]
        self.assertEqual(names, sorted(names))
        self.assertLessEqual({self.zone, self.zone + '-a', self.zone + '-b'}, set(names))
        self.assertEqual(answer['revision'], self.server.revision())
        self.assertIn(self.read(), answer['items'])
        self.assertEqual(self.server.get('/v1/status').json()['zones'], len(names))


class Fencing(ZoneCase):
    def test_writes_of_leases_are_fenced(self):
        self.connect('a', 'first', 1)
        self.assertEqual(self.server.put(self.lease(), config(), epoch(1)).status, 201)
        self.connect('b', 'reconnect', 2)

        def late():
            for method, query, body in (('PUT', '', config(port=1)), ('PUT', '', config()), ('DELETE', '', None),
                                        ('DELETE', '?purge=true', None), ('DELETE', '?force=true', None)):
                for stale in (0, 1, 3, 2**64 - 1):
                    answer = self.server.request(method, self.lease() + query, body, epoch(stale))
                    self.assertProblem(answer, 409, 'stale-epoch', '2', str(stale))
        self.assertFileStays(late)
        self.assertEqual(self.server.put(self.lease(), config(port=1), epoch(2)).status, 200)
        self.assertEqual(outcome(self.server.put(self.lease(), config(port=1))), 'unchanged', 'an older control plane states none')
        self.assertEqual(self.server.delete(self.lease(), epoch(2)).status, 200)

    def test_each_kind_is_fenced(self):
        self.connect('a', 'first', 1)
        for kind in PLURALS:
            self.assertProblem(self.server.put(self.lease(kind=kind), None, epoch(0)), 409, 'stale-epoch')

    def test_connections_are_fenced(self):
        self.assertProblem(self.put('a', epoch(1)), 409, 'stale-epoch', '0')
        self.connect('a', 'first', 1, epoch(0))
        self.assertProblem(self.put('b', epoch(0)), 409, 'stale-epoch')
        self.assertProblem(self.put('a', epoch(0)), 409, 'stale-epoch')
        self.connect('a', 'refresh', 1, epoch(1))
        self.connect('b', 'reconnect', 2, epoch(1))
        self.assertFileStays(lambda: self.assertProblem(self.disconnect(epoch(1)), 409, 'stale-epoch', '2', '1'))
        self.assertEqual(self.disconnect(epoch(2)).json()['state'], 'offline')
        self.assertProblem(self.disconnect(epoch(1)), 409, 'stale-epoch')

    def test_another_zones_epoch_does_not_matter(self):
        self.connect('a', 'first', 1)
        self.assertEqual(self.server.put(lease_path('redis', self.zone + '-2'), None, epoch(0)).status, 201)


class Frozen(ZoneCase):
    def freeze(self):
        self.connect('a', 'first', 1)
        self.assertEqual(self.disconnect().status, 200)

    def test_an_offline_zone_releases_nothing(self):
        for number, kind in enumerate(PLURALS, 1):
            with self.subTest(kind):
                self.connect(kind, 'reconnect' if number > 1 else 'first', number)
                self.acquire('active', kind=kind)
                self.acquire('released', kind=kind)
                released = self.server.delete(self.lease('released', kind=kind)).json()
                self.disconnect()

                def refuse():
                    for service, query in (('active', ''), ('active', '?purge=true'), ('active', '?force=false'),
                                           ('released', '?purge=true')):
                        answer = self.server.delete(self.lease(service, kind=kind) + query)
                        self.assertProblem(answer, 409, 'zone-offline', self.zone, 'force')
                    again = self.server.delete(self.lease('released', kind=kind))
                    self.assertEqual((again.status, again.json()), (200, released), 'it is released already')
                    self.assertProblem(self.server.delete(self.lease('none', kind=kind)), 404, 'not-found')
                self.assertFileStays(refuse)
                forced = self.server.delete(self.lease('active', kind=kind) + '?force=true')
                self.assertEqual((forced.status, forced.json()['state']), (200, 'quarantined'))
                purged = self.server.delete(self.lease('released', kind=kind) + '?force=true&purge=true')
                self.assertEqual(purged.status, 200)
                self.assertEqual(self.server.get(self.lease('released', kind=kind)).status, 404)

    def test_an_offline_zone_acquires(self):
        first = self.acquire('old')
        self.server.delete(self.lease('old'))
        self.freeze()
        self.assertOutcome(self.server.put(self.lease('new'), config()), 201, 'created')
        self.assertOutcome(self.server.put(self.lease('new'), config(port=1)), 200, 'updated')
        self.assertEqual(vip(self.assertOutcome(self.server.put(self.lease('old'), config()), 200, 'restored')), vip(first))

    def test_force_lifts_neither_epoch_nor_condition(self):
        self.acquire()
        self.freeze()
        self.assertProblem(self.server.delete(self.lease() + '?force=true', epoch(0)), 409, 'stale-epoch')
        self.assertProblem(self.server.delete(self.lease() + '?force=true', {'If-Match': '"0"'}), 412, 'precondition-failed')
        self.assertProblem(self.server.delete(self.lease(), {'If-Match': '"0"'}), 412, 'precondition-failed')
        self.assertProblem(self.server.delete(self.lease() + '?force=yes'), 400, 'invalid-parameter', 'force')

    def test_the_thaw(self):
        self.acquire()
        self.freeze()
        self.connect('b', 'reconnect', 2)
        self.assertEqual(self.server.delete(self.lease()).status, 200)

    def test_another_zone_is_not_frozen(self):
        self.freeze()
        other = lease_path('redis', self.zone + '-2')
        self.server.put(other)
        self.assertEqual(self.server.delete(other).status, 200)


class Quarantine(unittest.TestCase):
    def test_it_is_held_while_the_zone_is_offline_and_as_long_again_after(self):
        server = Server('--quarantine', '1s')
        self.addCleanup(server.close)

        def is_gone(service, zone):
            return server.get(lease_path(service, zone)).status == 404

        server.put(lease_path('redis', 'west'))
        for _ in range(100):  # until it goes offline before the quarantine is over
            server.put('/v1/zones/east/connection', {'instance': 'a'})
            server.put(lease_path('redis', 'east'))
            held = server.delete(lease_path('redis', 'east')).json()
            server.delete('/v1/zones/east/connection')
            if not is_gone('redis', 'east'):
                break
        server.delete(lease_path('redis', 'west'))
        eventually(lambda: is_gone('redis', 'west'))  # which was released later
        lease = eventually(lambda: (read := server.get(lease_path('redis', 'east')).json())['quarantinedUntil'] !=
                           held['quarantinedUntil'] and read)
        self.assertEqual(lease, {**held, 'quarantinedUntil': lease['quarantinedUntil']}, 'its revision too')
        self.assertGreater(lease['quarantinedUntil'], held['quarantinedUntil'])
        again = server.put(lease_path('redis', 'east'))
        self.assertEqual((outcome(again), vip(again)), ('restored', vip(held)))
        start = time.monotonic()
        server.delete(lease_path('redis', 'east') + '?force=true')
        server.put('/v1/zones/east/connection', {'instance': 'a'})
        eventually(lambda: is_gone('redis', 'east'))
        self.assertGreaterEqual(time.monotonic() - start, 0.99)


class Retired(ZoneCase):
    def retire(self, query='', headers=None):
        return self.server.delete(f'{self.path}?confirm={self.zone}{query}', headers)

    def offline(self, *services):
        for service in services:
            self.acquire(service)
        self.connect('a', 'first', 1)
        self.disconnect()

    def test_its_leases_go_and_it_is_listed_no_more(self):
        self.offline('one', 'two')
        self.assertProblem(self.server.delete(self.lease('one')), 409, 'zone-offline')
        answer = self.retire()
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json(), {'zone': self.zone, 'state': 'retired', 'epoch': 1, 'released': 2, 'purged': 0, 'quarantined': 2,
                                         'revision': self.server.revision()})
        self.assertProblem(self.server.get(self.path), 404, 'not-found', 'retired at epoch 1')
        self.assertNotIn(self.zone, [zone['zone'] for zone in self.server.get('/v1/zones').json()['items']])
        self.assertEqual(self.server.get(self.lease('one')).json()['state'], 'quarantined')
        self.server.lines(f'msg="zone retired" zone={self.zone} epoch=1 released=2 purged=0')
        self.assertProblem(self.retire(), 404, 'not-found', 'retired before')
        self.assertEqual(self.retire('&purge=true').json()['purged'], 2)
        self.assertEqual(self.server.get(self.lease('one')).status, 404)

    def test_what_is_late_is_fenced_off_and_who_comes_back_goes_on(self):
        self.offline('one')
        self.assertEqual(self.retire('&purge').json()['purged'], 1)
        self.assertProblem(self.server.put(self.lease('late'), config(), epoch(1)), 409, 'stale-epoch', 'retired')
        self.assertProblem(self.server.post(f'{self.path}/sync?mode=full&mesh=*', {'items': [config(name='late')]}, epoch(1)), 409, 'stale-epoch')
        self.assertProblem(self.disconnect(), 404, 'not-found', 'retired')
        self.connect('b', 'reconnect', 2)
        self.assertEqual(self.server.put(self.lease('new'), config(), epoch(2)).status, 201)
        self.assertEqual(self.read()['state'], 'online')

    def test_a_lease_without_an_epoch_brings_it_back(self):
        self.offline('one')
        self.retire()
        self.assertOutcome(self.server.put(self.lease('one'), config()), 200, 'restored')
        zone = self.read()
        self.assertEqual((zone['state'], zone['epoch'], zone['leases']['active']), ('offline', 2, 1))

    def test_not_while_it_is_online_nor_by_mistake(self):
        self.acquire()
        self.connect('a', 'first', 1)
        self.assertFileStays(lambda: self.assertProblem(self.retire(), 409, 'zone-online', 'online'))
        self.disconnect()
        for query, words in (('', 'missing'), ('?confirm=', 'confirm'), ('?confirm=other', 'another name')):
            self.assertProblem(self.server.delete(self.path + query), 400, 'invalid-parameter', words)
        self.assertProblem(self.server.delete(f'{self.path}?confirm={self.zone}&purge=1'), 400, 'invalid-parameter')
        self.assertProblem(self.retire(headers=epoch(2)), 409, 'stale-epoch')
        self.assertProblem(self.server.delete('/v1/zones/global?confirm=global'), 400, 'invalid-name', 'global')
        self.assertProblem(self.server.delete('/v1/zones/nowhere?confirm=nowhere'), 404, 'not-found')
        self.assertEqual(self.read()['leases']['active'], 1)
        self.assertEqual(self.retire(headers=epoch(1)).status, 200)

    def test_zones_by_state_are_metrics(self):
        def count(state):
            return self.server.metric(f'holdfast_zones{{state="{state}"}}')
        self.offline('one')
        before = count('offline'), count('retired'), self.server.get('/v1/status').json()['zones']
        self.retire()
        self.assertEqual((count('offline'), count('retired'), self.server.get('/v1/status').json()['zones']),
                         (before[0] - 1, before[1] + 1, before[2] - 1))

    def test_a_forced_release_ends_although_the_zone_is_away(self):
        server = Server('--quarantine', '1s')
        self.addCleanup(server.close)
        for service in ('held', 'forced'):
            server.put(lease_path(service, 'east'))
        server.put('/v1/zones/east/connection', {'instance': 'a'})
        server.delete('/v1/zones/east/connection')
        until = server.delete(lease_path('forced', 'east') + '?force=true').json()['quarantinedUntil']
        eventually(lambda: server.get(lease_path('forced', 'east')).status == 404)
        ended = server.get('/v1/changes?since=0').json()['changes'][-1]
        self.assertEqual((ended['type'], ended['service']), ('expired', 'forced'))
        self.assertGreaterEqual(ended['at'], until)


class Lasting(unittest.TestCase):
    def test_a_restart_keeps_it_all(self):
        server = Server()
        self.addCleanup(server.close)
        for instance in ('a', 'b'):
            server.put('/v1/zones/east/connection', {'instance': instance})
        server.put('/v1/zones/west/connection', {'instance': 'a'})
        server.put(lease_path('redis', 'west'), config(), epoch(1))
        server.delete('/v1/zones/west/connection')
        server.put(lease_path('redis', 'never'))
        before = server.get('/v1/zones').json()
        for stop in (server.stop, server.kill):
            stop()
            server.start()
            self.assertEqual(server.get('/v1/zones').json(), before)
            self.assertEqual(server.put('/v1/zones/east/connection', {'instance': 'b'}).json()['connection'], 'refresh')
            self.assertEqual(server.put('/v1/zones/east/connection', {'instance': 'a'}).code, 'stale-epoch')
            self.assertEqual(server.delete(lease_path('redis', 'west')).code, 'zone-offline')
        known = server.put('/v1/zones/west/connection', {'instance': 'a'}).json()
        self.assertEqual((known['connection'], known['sync'], known['epoch']), ('reconnect', 'incremental', 2))


class BadInput(ZoneCase):
    def test_bodies(self):
        rows = [
            ('{}', 400, 'invalid-parameter', 'instance'), ('{"instance":1}', 400, 'invalid-parameter', 'instance'),
            ('{"instance":null}', 400, 'invalid-parameter', 'instance'), ('{"instance":["a"]}', 400, 'invalid-parameter', 'instance'),
            ('{"instance":""}', 400, 'invalid-parameter', '0 bytes'), ('{"Instance":"a"}', 400, 'invalid-parameter', 'Instance'),
            ('{"instance":"a","epoch":1}', 400, 'invalid-parameter', 'epoch'),
            ({'instance': 'x' * 129}, 400, 'invalid-parameter', '129 bytes'), ({'instance': 'ä' * 65}, 400, 'invalid-parameter', '130 bytes'),
        ]
        for body, status, code, culprit in rows:
            with self.subTest(body):
                self.assertProblem(self.server.put(self.path + '/connection', body), status, code, culprit)
        self.assertEqual(self.server.get(self.path).status, 404, 'nothing was made of it')

    def test_epochs_that_are_no_numbers(self):
        self.connect('a', 'first', 1)
        for text in ('', 'one', '-1', '+1', '1.0', '0x1', '1 2', '18446744073709551616'):
            with self.subTest(text):
                headers = {'Holdfast-Zone-Epoch': text}
                self.assertProblem(self.put('a', headers), 400, 'invalid-parameter', 'Holdfast-Zone-Epoch')
                self.assertProblem(self.disconnect(headers), 400, 'invalid-parameter', 'Holdfast-Zone-Epoch')
        self.assertEqual(self.server.get(self.path, {'Holdfast-Zone-Epoch': 'one'}).status, 200, 'reads are not fenced')

    def test_names(self):
        for name in ('East', '-east', 'east-', 'a_b%20', 'x' * 64, 'e%2Fst', '%C3%A4'):
            with self.subTest(name):
                path = f'/v1/zones/{name}'
                self.assertProblem(self.server.get(path), 400, 'invalid-name', 'zone')
                self.assertProblem(self.server.put(path + '/connection', {'instance': 'a'}), 400, 'invalid-name', 'zone')
                self.assertProblem(self.server.delete(path + '/connection'), 400, 'invalid-name', 'zone')

    def test_global_cannot_connect(self):
        self.server.put(lease_path('web', 'global', kind='MeshMultiZoneService'))
        answer = self.server.put('/v1/zones/global/connection', {'instance': 'a'})
        self.assertProblem(answer, 400, 'invalid-name', 'global', 'connect')
        self.assertEqual(self.server.get('/v1/zones/global').json()['state'], 'unmanaged')

    def test_paths_and_methods(self):
        self.assertEqual(self.server.get(self.path + '/connection').status, 405)
        self.assertEqual(self.server.put(self.path, {'instance': 'a'}).status, 405)
        self.assertEqual(self.server.post('/v1/zones', {}).status, 405)
        self.assertEqual(self.server.get(self.path + '/else').status, 404)
        self.assertProblem(self.server.get('/v1/zones?size=1'), 400, 'invalid-parameter', 'size')


if __name__ == '__main__':
    unittest.main()

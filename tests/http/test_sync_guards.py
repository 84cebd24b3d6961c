"""What keeps a confused zone from destroying its own addresses: guard, offline zones, epochs; and many zones at once."""
import threading
import unittest

from harness import lease_path, parallel
from syncing import NDJSON, SyncCase, encode, identity, names, outcomes, universal

GUARD = (409, 'mass-release-guard')


class Guard(SyncCase):
    def full_of(self, count):
        """A zone with so many leases, and their documents."""
        zone, items = self.zone(), [universal(name) for name in names(count)]
        self.sync(zone, items, 'ndjson', returns='none')
        return zone, items

    def test_thresholds(self):
        table = [  # leases, releases, maxRelease, accepted
            (20, 10, None, True), (20, 10, 1, True), (20, 10, 0, False), (20, 1, 0, False), (20, 11, None, False), (20, 11, 0, False),
            (20, 11, 54, False), (20, 11, 55, True), (20, 11, 100, True), (20, 19, 94, False), (20, 19, 95, True), (60, 12, None, True),
            (60, 13, None, False), (60, 13, 21, False), (60, 13, 22, True), (60, 59, 100, True), (10, 5, None, True), (10, 6, None, False),
            (10, 9, 89, False), (10, 9, 90, True), (2, 1, None, True), (3, 2, None, False), (3, 2, 67, True),
        ]
        for leases, releases, percent, accepted in table:
            zone, items = self.full_of(leases)
            for form in ('list', 'ndjson'):
                with self.subTest(f'{releases} of {leases}, maxRelease={percent}, {form}'):
                    kept = items[:leases - releases]
                    if accepted:
                        answer = self.sync(zone, kept, form, maxRelease=percent, dryRun='true')
                        self.assertEqual(answer['summary']['released'], releases)
                    else:
                        problem = self.refused(zone, kept, *GUARD, str(releases), form=form, maxRelease=percent)
                        self.assertEqual((problem['summary']['released'], problem['summary']['unchanged']), (releases, leases - releases))
            if accepted:
                self.sync(zone, items[:leases - releases], maxRelease=percent)
                self.assertEqual(len(self.active(zone)), leases - releases)

    def test_a_refusal_is_never_lost(self):
        """The committer may refuse a sync before whoever handed it over goes on: what it said must stand."""
        zone, items = self.full_of(12)
        body, media = encode([items[0], universal('new')], 'ndjson')  # what is new is tried in a write
        for _ in range(400):
            answer = self.post(zone, body, media, check=False)
            self.assertEqual((answer.status, answer.code), GUARD, answer)

    def test_the_summary_is_what_it_would_have_been(self):
        zone, items = self.full_of(30)
        changed = [universal('s00', port=81), universal('new'), universal('new')]
        problem = self.refused(zone, changed + items[1:3], *GUARD)
        allowed = self.sync(zone, changed + items[1:3], maxRelease=100, dryRun='true')
        self.assertEqual(problem['summary'], allowed['summary'])
        self.assertEqual((allowed['summary']['released'], allowed['summary']['rejected']), (27, 1))
        dry = self.refused(zone, changed + items[1:3], *GUARD, dryRun='true')
        self.assertEqual(dry, problem)

    def test_an_empty_snapshot(self):
        for count in (1, 3, 20):
            zone, items = self.full_of(count)
            for form in ('list', 'kubernetes'):
                for percent in (None, 0, 99):
                    problem = self.refused(zone, [], *GUARD, form=form, maxRelease=percent)
                    self.assertEqual(problem['summary']['released'], count)
                self.refused(zone, [], *GUARD, form=form, force='true')
            self.assertEqual(self.sync(zone, [], maxRelease=100)['summary']['released'], count)
            self.assertEqual(self.sync_unchanged(zone, [])['summary']['released'], 0, 'nothing is left to be guarded')
            self.assertEqual(self.sync(zone, items)['summary']['restored'], count)
        self.assertEqual(self.sync_unchanged(self.zone(), [])['summary']['released'], 0)

    def test_a_delta_is_guarded_too(self):
        zone, _ = self.full_of(20)
        gone = [{'mesh': 'default', 'service': name} for name in names(20)]
        for form in ('list', 'ndjson'):
            self.assertEqual(self.refused(zone, [], *GUARD, mode='delta', removed=gone[:11], form=form)['summary']['released'], 11)
        self.assertEqual(self.sync(zone, [], mode='delta', removed=gone[:10])['summary']['released'], 10)
        problem = self.refused(zone, [], *GUARD, '1 of 10 active leases, after 10 of 20', mode='delta', removed=gone[10:11])
        self.assertEqual(problem['summary']['released'], 1, 'what went before is not of this sync')
        self.assertEqual(self.sync(zone, [], mode='delta', removed=gone[10:19], maxRelease=95)['summary']['released'], 9)
        self.assertEqual(self.sync(zone, [], mode='delta', removed=gone, maxRelease=100)['summary']['released'], 1, 'the last one')

    def test_small_steps(self):
        """A zone is not worn away by lists that each lack a little."""
        zone, items = self.full_of(200)
        released = [len(items) - n for n in range(190, 0, -10)
                    if self.post(zone, *encode(items[:n], 'ndjson'), returns='none').status == 200]
        self.assertEqual(released, [10, 20, 30, 40], 'a fifth of what was there at first')
        self.assertEqual(len(self.active(zone)), 160)
        problem = self.refused(zone, items[:159], *GUARD, '1 of 160 active leases, after 40 of 200', form='ndjson')
        self.assertEqual(self.refused(zone, items[:159], *GUARD, form='ndjson', dryRun='true'), problem)
        self.assertEqual(self.sync(zone, items[:180], 'ndjson', returns='none')['summary']['restored'], 20, 'half of them come back')
        self.assertEqual(self.sync(zone, items[:160], 'ndjson', returns='none')['summary']['released'], 20)
        self.refused(zone, items[:159], *GUARD, form='ndjson')
        self.assertEqual(self.sync(zone, items[:159], 'ndjson', returns='none', maxRelease=100)['summary']['released'], 1)
        self.assertEqual(self.sync(zone, items[:128], 'ndjson', returns='none')['summary']['released'], 31, 'what was meant is settled')

    def test_each_mesh_and_kind(self):
        zone = self.zone()
        meshes = {mesh: [universal(name, mesh) for name in names(20)] for mesh in ('m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8')}
        every = [item for items in meshes.values() for item in items]
        self.sync(zone, every, 'ndjson', returns='none')
        for form in ('list', 'ndjson'):
            without = [item for item in every if item['mesh'] != 'm7']
            problem = self.refused(zone, without, *GUARD, 'm7', 'MeshService', 'lists none', form=form)
            self.assertEqual(problem['summary']['released'], 20)
            self.refused(zone, without, *GUARD, form=form, maxRelease=99)
            fewer = without + meshes['m7'][:9]
            self.refused(zone, fewer, *GUARD, '11 of 20 active leases of kind MeshService in mesh "m7"', form=form)
        self.refused(zone, [], *GUARD, 'm3', mode='delta', removed=[{'mesh': 'm3', 'service': name} for name in names(11)])
        self.assertEqual(self.sync(zone, without + meshes['m7'][:10], 'ndjson', returns='none')['summary']['released'], 10)

    def test_the_last_service_of_a_mesh(self):
        zone, items = self.full_of(5)
        lonely = universal('lonely', 'small')
        self.sync(zone, items + [lonely])
        self.refused(zone, items, *GUARD, '1 of 1', 'small')
        self.assertEqual(self.sync(zone, [], mode='delta', removed=[{'mesh': 'small', 'service': 'lonely'}])['summary']['released'], 1)
        self.sync(zone, items + [lonely])
        self.assertEqual(self.sync(zone, items, maxRelease=100)['summary']['released'], 1)

    def test_only_active_leases_in_scope_count(self):
        zone = self.zone()
        self.sync(zone, [universal(name, 'small') for name in names(20)] + [universal(name, 'large') for name in names(99)], 'ndjson',
                  returns='none')
        kept = [universal(name, 'small') for name in names(9)]
        self.refused(zone, kept, *GUARD, mesh='small')
        both = kept + [universal(name, 'large') for name in names(99)]
        self.refused(zone, both, *GUARD, '11 of 20 active leases of kind MeshService in mesh "small"', form='ndjson')
        self.assertEqual(self.sync(zone, both, 'ndjson', returns='none', maxRelease=55)['summary']['released'], 11)
        self.refused(zone, [universal(name, 'large') for name in names(70)], *GUARD, form='ndjson', mesh='large')


class Offline(SyncCase):
    def setUp(self):
        self.mine = self.zone()
        self.connect(self.mine, 'one')
        self.sync(self.mine, [universal(name) for name in names(5)])
        self.disconnect(self.mine)

    def test_a_sync_that_would_release_is_refused_whole(self):
        items = [universal('s00', port=81), universal('new')]
        for form in ('list', 'ndjson'):
            self.refused(self.mine, items, 409, 'zone-offline', form=form)
            self.refused(self.mine, items, 409, 'zone-offline', form=form, dryRun='true')
        self.refused(self.mine, [universal('new')], 409, 'zone-offline', mode='delta', removed=[{'mesh': 'default', 'service': 's04'}])
        self.assertEqual(len(self.active(self.mine)), 5)

    def test_a_sync_that_releases_nothing_is_done(self):
        answer = self.sync(self.mine, [universal(name) for name in names(6)])
        self.assertEqual((answer['summary']['created'], answer['summary']['unchanged']), (1, 5))
        self.assertEqual(self.server.get(f'/v1/zones/{self.mine}').json()['state'], 'offline', 'a sync is no connection')
        answer = self.sync(self.mine, [universal('s00', port=81)], mode='delta')
        self.assertEqual(answer['summary']['updated'], 1)

    def test_force(self):
        self.refused(self.mine, [universal('s00')], *GUARD, force='true')
        answer = self.sync(self.mine, [universal('s00')], force='true', maxRelease=80)
        self.assertEqual(answer['summary']['released'], 4)
        self.assertEqual(sorted(self.active(self.mine)), ['s00'])

    def test_online_again(self):
        self.connect(self.mine, 'two')
        self.assertEqual(self.sync(self.mine, [universal('s00')], maxRelease=80)['summary']['released'], 4)


class Epochs(SyncCase):
    def test_a_zone_that_never_connected_has_epoch_0(self):
        zone = self.zone()
        self.assertEqual(self.sync(zone, [universal('a')], epoch=0)['summary']['created'], 1)
        self.refused(zone, [universal('a'), universal('b')], 409, 'stale-epoch', epoch=1)

    def test_fencing(self):
        zone = self.zone()
        old = self.connect(zone, 'one')['epoch']
        items = [universal(name) for name in names(3)]
        self.sync(zone, items, epoch=old)
        new = self.connect(zone, 'two')
        self.assertEqual((new['epoch'], new['sync'], new['leases']), (old + 1, 'incremental', 3))
        self.assertEqual(self.sync_unchanged(zone, items, epoch=new['epoch'])['digest'], new['digest'])
        for epoch in (old, new['epoch'] + 1, 0, 2**64 - 1):
            for form in ('list', 'ndjson'):
                self.refused(zone, items, 409, 'stale-epoch', form=form, epoch=epoch)
                self.refused(zone, items[:1], 409, 'stale-epoch', form=form, epoch=epoch, dryRun='true')
                self.refused(zone, items[:1], 409, 'stale-epoch', form=form, epoch=epoch, mode='delta')
        self.assertEqual(self.sync(zone, items[:2])['summary']['released'], 1, 'without the header a write is not fenced')

    def test_out_of_form(self):
        zone = self.zone()
        for epoch in ('x', '-1', '1.5', '0x1', '18446744073709551616', ''):
            with self.subTest(epoch):
                self.refused(zone, [universal('a')], 400, 'invalid-parameter', 'Holdfast-Zone-Epoch', epoch=epoch)


class Many(SyncCase):
    """Zones at once. A sync may be answered with 503, and is repeated then; nothing else goes wrong."""
    FLAGS = ('--threads', '4', '--sync-memory', '4MiB')

    def until_done(self, zone, body, media, connection, **query):
        """The answer, and how often it was 503 before."""
        for attempt in range(500):
            answer = self.post(zone, body, media, connection=connection, **query)
            if answer.status != 503:
                return answer, attempt
            self.assertTrue(answer.header('Retry-After'), answer)
            threading.Event().wait(0.05)
        raise AssertionError(f'503 again and again: {answer}')

    def test_eight_zones_of_two_hundred(self):
        zones = [f'many-{i}' for i in range(8)]
        bodies = [encode([universal(f'{zone}-{i}') for i in range(200)], 'ndjson') for zone in zones]
        before, stop, single = self.server.revision(), threading.Event(), []

        def acquire(connection):
            while not stop.is_set():
                single.append(self.server.put(lease_path(f'single-{len(single)}', 'elsewhere'), {'spec': {}}, connection=connection).status)

        connection = self.server.connect()
        writer = threading.Thread(target=acquire, args=(connection,))
        writer.start()
        try:
            answers = parallel(self.server, 8, lambda i, c: self.until_done(zones[i], *bodies[i], c)[0])
        finally:
            stop.set()
            writer.join()
            connection.close()
        self.assertEqual(set(single), {201})
        self.assertEqual([a.status for a in answers], [200] * 8, answers)
        self.assertEqual([a.json()['summary']['created'] for a in answers], [200] * 8)
        leases = self.server.stream()[0]
        self.assertEqual(len({lease['vips'][0]['ip'] for lease in leases}), 1600 + len(single))
        self.assertEqual(len({identity(lease) + (lease['zone'],) for lease in leases}), 1600 + len(single))
        self.assertEqual(self.server.revision(), before + 1600 + len(single))
        before = self.server.revision()
        again = parallel(self.server, 8, lambda i, c: self.until_done(zones[i], *bodies[i], c)[0].json())
        self.assertEqual([(a['summary']['unchanged'], a['digest']) for a in again], [(200, a.json()['digest']) for a in answers])
        self.assertEqual(self.server.revision(), before)

    def test_syncs_of_one_zone_are_serialised(self):
        zone = self.zone()
        body, media = encode([universal(name) for name in names(99)], 'ndjson')
        answers = [a.json() for a, _ in parallel(self.server, 6, lambda _, c: self.until_done(zone, body, media, c))]
        self.assertEqual(sorted(a['summary']['created'] for a in answers), [0] * 5 + [99])
        self.assertEqual(sorted(a['summary']['unchanged'] for a in answers), [0] + [99] * 5)
        self.assertEqual(len({str(list(outcomes(a))) + a['digest'] for a in answers}), 1)

    def test_full_syncs_that_contradict_each_other(self):
        """Each alone is done whole: afterwards the zone has the set of one of them."""
        zone = self.zone()
        sets = [[f's{i}', *(f'common-{n}' for n in range(9))] for i in range(6)]
        bodies = [encode([universal(name) for name in each], 'ndjson') for each in sets]
        for _ in range(3):
            answers = parallel(self.server, 6, lambda i, c: self.until_done(zone, *bodies[i], c)[0].status)
            self.assertEqual(answers, [200] * 6)
            active = sorted(lease['service'] for lease in self.server.stream(f'?zone={zone}&state=active')[0])
            self.assertIn(active, [sorted(each) for each in sets])

    def test_twelve_zones_in_little_memory(self):
        zone = self.zone()
        body, _ = encode([universal(f's-{i}') for i in range(500)], 'ndjson')
        answers = parallel(self.server, 12, lambda i, c: self.until_done(f'{zone}-{i}', body, NDJSON, c, returns='none')[0].status)
        self.assertEqual(answers, [200] * 12)


if __name__ == '__main__':
    unittest.main()

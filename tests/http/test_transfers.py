"""Transfers: leases go to other identities with everything they have, all of them or none."""
import json
import resource
import threading
import unittest

from harness import PLURALS, Server, eventually, lease_path, vip
from moving import HOUR, MoveCase, named, previous, to_another
from syncing import NDJSON, names, outcomes, universal

MOST = 100_000
FORMS = ('list', 'ndjson')


def without(lease, *members):
    return {name: value for name, value in lease.items() if name not in members}


class Transfers(MoveCase):
    def zone_of(self, count):
        """A zone with so many leases, s00 and on."""
        zone = self.zone()
        self.sync(zone, [universal(name) for name in names(count)], returns='none')
        return zone

    def lease(self, zone, service, **more):
        return self.server.get(lease_path(service, zone, **more)).json()

    def test_everything_goes_along(self):
        for form in FORMS:
            for kind in PLURALS:
                with self.subTest(f'{form} {kind}'):
                    zone = self.zone()
                    self.acquire(lease_path('a', zone, kind=kind) + '?version=v7', universal('a'))
                    self.acquire(lease_path('a', zone, kind=kind) + '?version=v8', universal('a', port=81))
                    before = self.moved(zone, kind=kind, **HOUR)
                    since, ips = self.server.revision(), [vip(before), *previous(before)]
                    answer = self.transferred([to_another('a', zone, 'b', kind=kind)], form=form)
                    self.assertEqual(answer['results'], [{'from': named('a', zone, kind=kind), 'to': named('b', zone, kind=kind),
                                                          'vips': before['vips']}])
                    self.assertEqual(answer['revision'], since + 1)
                    after = self.lease(zone, 'b', kind=kind)
                    changed = ('service', 'revision', 'modifiedAt')
                    self.assertEqual(without(after, *changed), without(before, *changed), 'VIPs, generation, version, time of creation')
                    self.assertEqual((after['service'], after['generation'], after['version']), ('b', 2, 'v8'))
                    self.assertEqual(self.server.get(lease_path('a', zone, kind=kind)).status, 404)
                    for ip in ips:
                        self.assertEqual(self.address(ip), ('leased', 'b'))
                        self.assertEqual(self.holders(ip), [('b', True), ('a', False)])
                    [change] = self.changes(since, zone)
                    self.assertEqual((change['type'], change['cause'], change['by'], change['service'], change['from'], change['vips']),
                                     ('transferred', 'request', 'anonymous', 'b', named('a', zone, kind=kind), before['vips']))
                    self.assertEqual(change['previousVips'], before['previousVips'])
                    self.assertOutcome(self.server.put(lease_path('b', zone, kind=kind), universal('b', port=81)), 200, 'updated')
        self.assertVerified()

    def test_the_same_configuration_under_a_new_name_is_unchanged(self):
        zone = self.zone()
        document = {'labels': {'team': 'shop'}, 'spec': {'ports': [{'port': 80}]}}
        self.acquire(lease_path('a', zone), document)
        self.transferred([to_another('a', zone, 'b')])
        self.assertOutcome(self.server.put(lease_path('b', zone), document), 200, 'unchanged')

    def test_no_move_is_counted(self):
        samples = [f'holdfast_vip_changes_total{{cause="{cause}"}}' for cause in ('request', 'admin', 'sync')]
        zone, before = self.zone_of(2), [self.server.metric(sample) for sample in samples]
        self.transferred([to_another('s00', zone, 'a'), to_another('s01', zone, 'b')])
        self.assertEqual([self.server.metric(sample) for sample in samples], before)

    def test_a_quarantine_goes_along(self):
        zone = self.zone_of(1)
        before = self.server.delete(lease_path('s00', zone)).json()
        self.transferred([to_another('s00', zone, 'back')])
        after = self.lease(zone, 'back')
        self.assertEqual((after['state'], after['quarantinedUntil'], after['vips']),
                         ('quarantined', before['quarantinedUntil'], before['vips']))
        self.assertEqual(self.address(vip(before)), ('quarantined', 'back'))
        self.assertOutcome(self.server.put(lease_path('back', zone)), 200, 'restored')

    def test_a_whole_zone_is_renamed(self):
        """A zone, all of whose leases go to a zone that nobody knows yet, without a gap and without a new address."""
        zone, new = self.zone_of(30), self.zone()
        before = self.active(zone)
        items = [to_another(name, zone, name, new) for name in names(30)]
        self.assertProblem(self.assertUntouched(lambda: self.transfer(items)), 409, 'mass-release-guard', '30 of 30', zone, 'maxRelease')
        self.transferred(items, '?maxRelease=100&return=none')
        self.assertEqual((self.active(zone), self.active(new)), ({}, before))
        found = {name: self.server.get(f'/v1/zones/{name}').json() for name in (zone, new)}
        self.assertEqual([found[name]['leases']['active'] for name in (zone, new)], [0, 30])
        again = self.sync_unchanged(new, [universal(name) for name in names(30)])
        self.assertEqual(again['summary']['unchanged'], 30)
        self.assertEqual(self.server.delete(f'/v1/zones/{zone}?confirm={zone}').json()['released'], 0)

    def test_meshes_are_merged(self):
        zone = self.zone()
        self.sync(zone, [universal('a', 'one'), universal('b', 'one'), universal('a', 'two')])
        item = {'from': named('a', zone, 'one'), 'to': named('a1', zone, 'two')}
        self.transferred([item, {'from': named('b', zone, 'one'), 'to': named('b', zone, 'two')}], '?maxRelease=100')
        self.assertEqual({(mesh, service) for _, mesh, service in self.leases(zone)}, {('two', 'a'), ('two', 'a1'), ('two', 'b')})
        self.assertVerified()

    def test_bad_items(self):
        """One bad item refuses all of them; the problem has its number."""
        zone, edge, other = self.zone_of(4), *(self.pooled_zone()[0] for _ in range(2))
        self.acquire(lease_path('e', edge))
        self.acquire(lease_path('q', zone))
        self.server.delete(lease_path('q', zone))
        good, second = to_another('s00', zone, 'new'), to_another('s01', zone, 'newer')
        there = named('s01', zone)
        table = [
            ('onto itself', [good, to_another('s01', zone, 's01')], 2, 400, 'invalid-parameter', 'itself'),
            ('onto an existing lease', [good, to_another('s01', zone, 's02')], 2, 409, 'lease-exists', 's02'),
            ('onto one in quarantine', [good, to_another('s01', zone, 'q')], 2, 409, 'lease-exists', '"q"'),
            ('in a circle', [to_another('s00', zone, 's01'), to_another('s01', zone, 's00')], 1, 409, 'lease-exists', 's01'),
            ('in a chain', [to_another('s00', zone, 'x'), to_another('s01', zone, 's00')], 2, 409, 'lease-exists', 's00'),
            ('from one twice', [good, second, to_another('s00', zone, 'x')], 3, 400, 'invalid-parameter', 's00'),
            ('the same item twice', [good, second, good], 3, 400, 'invalid-parameter', 's00'),
            ('two onto one', [good, second, to_another('s02', zone, 'new')], 3, 400, 'invalid-parameter', 'new'),
            ('without a lease', [good, to_another('none', zone, 'x')], 2, 404, 'not-found', 'none'),
            ('to whom the pool does not belong', [good, to_another('e', edge, 'e', other)], 2, 422, 'address-outside-pool', edge),
            ('a name that is none', [good, {'from': there, 'to': named('New', zone)}], 2, 400, 'invalid-name', 'service'),
            ('a kind that is none', [good, {'from': there, 'to': named('x', zone, kind='Pod')}], 2, 400, 'invalid-parameter', 'kind'),
            ('no zone', [good, {'from': {'mesh': 'default', 'service': 'x'}, 'to': there}], 2, 400, 'invalid-parameter', 'zone'),
            ('no target', [good, second, {'from': there}], 3, 400, 'invalid-parameter', '"to"'),
            ('no source', [{'to': there}], 1, 400, 'invalid-parameter', '"from"'),
            ('a target that is no object', [good, {'from': there, 'to': 'x'}], 2, 400, 'invalid-parameter', '"to"'),
            ('a member too many', [good, {**second, 'force': True}], 2, 400, 'invalid-parameter', 'force'),
            ('a member of a side too many', [good, {'from': there, 'to': {**named('x', zone), 'pool': 'p'}}], 2, 400, 'invalid-parameter', 'pool'),
            ('no object', [good, 7], 2, 400, 'invalid-json', 'object'),
        ]
        for form in FORMS:
            for name, items, number, status, code, culprit in table:
                with self.subTest(f'{name}, {form}'):
                    answer = self.assertUntouched(lambda: self.transfer(items, '?maxRelease=100', form=form))
                    self.assertProblem(answer, status, code, f'item {number}: ', culprit)
                    self.assertEqual(answer.json()['item'], number)

    def test_bad_bodies_and_parameters(self):
        zone = self.zone_of(1)
        good = json.dumps(to_another('s00', zone, 'new'))
        table = [
            ('', 'application/json', 400, 'invalid-json'), ('{', 'application/json', 400, 'invalid-json'),
            ('[]', 'application/json', 400, 'invalid-json'), ('{}', 'application/json', 400, 'invalid-parameter'),
            ('{"items":[]}', 'application/json', 400, 'invalid-parameter'), ('{"items":{}}', 'application/json', 400, 'invalid-parameter'),
            (f'{{"items":[{good}],"next":null}}', 'application/json', 400, 'invalid-parameter'),
            (f'{{"items":[{good}],"removed":[{good}]}}', 'application/json', 400, 'invalid-parameter'),
            (f'{{"items":[{good}', 'application/json', 400, 'invalid-json'), (f'{{"items":[{good}]}}x', 'application/json', 400, 'invalid-json'),
            ('', NDJSON, 400, 'invalid-parameter'), ('\n\n', NDJSON, 400, 'invalid-parameter'),
            (good + '\n{"from":', NDJSON, 400, 'invalid-json'), (good, 'text/plain', 415, 'unsupported-media-type'),
        ]
        for body, media, status, code in table:
            with self.subTest(f'{body[:20]} {media}'):
                answer = self.assertUntouched(lambda: self.server.post('/v1/transfers', body, {'Content-Type': media}))
                self.assertProblem(answer, status, code)
                self.assertNotIn('item', answer.json())
        answer = self.server.post('/v1/transfers', good + '\n\n{"from":}\n', {'Content-Type': NDJSON})
        self.assertProblem(answer, 400, 'invalid-json', 'item 2: ')
        for query, code in (('?maxRelease=101', 'invalid-parameter'), ('?maxRelease=x', 'invalid-parameter'), ('?dryRun=1', 'invalid-parameter'),
                            ('?force=no', 'invalid-parameter'), ('?return=changed', 'invalid-parameter'), ('?mode=full', 'invalid-parameter')):
            answer = self.assertUntouched(lambda: self.transfer([json.loads(good)], query))
            self.assertProblem(answer, 400, code)
        self.assertProblem(self.transfer([json.loads(good)], epoch='x'), 400, 'invalid-parameter', 'Holdfast-Zone-Epoch')

    def test_repeating_it_is_not_found(self):
        zone = self.zone_of(1)
        self.transferred([to_another('s00', zone, 'new')])
        self.assertProblem(self.transfer([to_another('s00', zone, 'new')]), 404, 'not-found', 's00', 'transferred before')

    def test_a_dry_run_writes_nothing(self):
        zone, other = self.zone_of(3), self.zone()
        items = [to_another(name, zone, name, other) for name in names(3)]
        dry = self.assertUntouched(lambda: self.transferred(items, '?dryRun=true&maxRelease=100'))
        done = self.transferred(items, '?maxRelease=100')
        self.assertEqual({**dry, 'dryRun': False}, done)
        answer = self.assertUntouched(lambda: self.transfer(items, '?dryRun=true'))
        self.assertProblem(answer, 404, 'not-found')

    def test_fencing(self):
        zone, other = self.zone_of(2), self.zone()
        self.connect(zone, 'one')
        self.connect(zone, 'two')
        item = to_another('s00', zone, 'new')
        self.assertProblem(self.assertUntouched(lambda: self.transfer([item], epoch=1)), 409, 'stale-epoch', 'item 1: ', '2')
        for items in ([item, to_another('s01', zone, 's01', other)], [item, to_another('s00', other, 'x')]):
            answer = self.assertUntouched(lambda: self.transfer(items, epoch=2))
            self.assertProblem(answer, 400, 'invalid-parameter', 'item 2: ', 'zone')
        self.transferred([item], epoch=2)

    def test_the_guard(self):
        """What leaves a zone, or a mesh and kind in it, counts as released there, with what left lately."""
        zone, other = self.zone_of(20), self.zone()
        items = [to_another(name, zone, name, other) for name in names(20)]
        self.assertProblem(self.assertUntouched(lambda: self.transfer(items[:11])), 409, 'mass-release-guard', '11 of 20', zone)
        self.assertProblem(self.transfer(items[:1], '?maxRelease=0'), 409, 'mass-release-guard')
        self.assertNotIn('item', self.transfer(items[:11]).json())
        self.transferred(items[:10])
        self.assertProblem(self.transfer(items[10:11]), 409, 'mass-release-guard', '1 of 10')
        self.refused(zone, [universal(name) for name in names(11, 20)], 409, 'mass-release-guard', '1 of 10 active leases, after 10 of 20')
        within = [to_another(name, zone, name + '-new') for name in names(10, 20)]
        self.transferred(within, '?maxRelease=0')
        self.assertProblem(self.transfer([{'from': named('s10-new', zone), 'to': named('s10', zone, 'another')}]), 409, 'mass-release-guard',
                           'mesh "default"')
        self.transferred([to_another(name + '-new', zone, name, other) for name in names(10, 20)], '?maxRelease=100')

    def test_a_zone_that_is_away(self):
        zone, other = self.zone_of(2), self.zone()
        self.connect(zone, 'one')
        self.disconnect(zone)
        item = to_another('s00', zone, 's00', other)
        self.assertProblem(self.assertUntouched(lambda: self.transfer([item])), 409, 'zone-offline', 'item 1: ', zone, 'force=true')
        self.transferred([item], '?force=true')
        self.transferred([to_another('s01', zone, 'new')])
        self.assertEqual(set(self.active(zone)), {'new'}, 'it stays in its zone')


class Renames(MoveCase):
    def test_a_service_that_shows_the_address_of_one_that_is_gone(self):
        """In a full sync it is no longer listed, in a delta it is removed."""
        for mode in ('full', 'delta'):
            zone, prefix = self.pooled_zone()
            self.sync(zone, [universal('api.shop'), universal('web')])
            before, since = self.leases(zone), self.server.revision()
            new = universal('api.shop-v2', port=81, vips=[f'{prefix}0'])
            items, removed = ([new, universal('web')], None) if mode == 'full' else ([new], [{'mesh': 'default', 'service': 'api.shop'}])
            asked = {'mode': mode, 'removed': removed, 'renames': 'true'}
            dry = self.assertUntouched(lambda: self.sync(zone, items, dryRun='true', **asked))
            answer = self.sync(zone, items, **asked)
            self.assertEqual(dry['results'], answer['results'])
            self.assertEqual((answer['summary']['transferred'], answer['summary']['released']), (1, 0))
            result = next(r for r in answer['results'] if r['service'] == 'api.shop-v2')
            self.assertEqual((result['outcome'], result['vips'], result['from']),
                             ('transferred', [{'ip': f'{prefix}0'}], named('api.shop', zone, kind='MeshService')))
            self.assertNotIn('claimRefused', result)
            after = self.leases(zone)
            self.assertEqual({service for _, _, service in after}, {'api.shop-v2', 'web'})
            new_lease, old_lease = (found['MeshService', 'default', service]
                                    for found, service in ((after, 'api.shop-v2'), (before, 'api.shop')))
            self.assertEqual((new_lease['vips'], new_lease['createdAt'], new_lease['generation']), (old_lease['vips'], old_lease['createdAt'], 2))
            [change] = self.changes(since, zone)
            self.assertEqual((change['type'], change['cause'], change['from']['service']), ('transferred', 'sync', 'api.shop'))
            self.assertEqual(self.sync_unchanged(zone, [new, universal('web')], renames='true')['summary']['unchanged'], 2)

    def test_unless_it_is_asked_for_it_is_a_refused_claim(self):
        zone, prefix = self.pooled_zone()
        self.sync(zone, [universal('a'), universal('web')])
        for renames in (None, 'false'):
            answer = self.sync(zone, [universal('b', vips=[f'{prefix}0']), universal('web')], dryRun='true', renames=renames)
            self.assertEqual((answer['summary']['transferred'], answer['summary']['released'], answer['summary']['created']), (0, 1, 1))
            self.assertEqual(answer['results'][0]['claimRefused'], [{'address': f'{prefix}0', 'reason': 'address-taken'}])

    def test_only_one_to_one(self):
        zone, prefix = self.pooled_zone()
        self.sync(zone, [universal('a'), universal('b'), universal('c')])
        claims = [f'{prefix}{i}' for i in range(3)]
        table = [
            ('two show one', [universal('x', vips=claims[:1]), universal('y', vips=claims[:1]), universal('b'), universal('c')],
             {'x': 'created', 'y': 'created', 'a': 'released'}),
            ('one shows two', [universal('x', vips=claims[:2]), universal('c')], {'x': 'created', 'a': 'released', 'b': 'released'}),
            ('one that is still there', [universal('x', vips=claims[:1]), *map(universal, 'abc')], {'x': 'created'}),
            ('all of them', [universal(name, vips=[claim]) for name, claim in zip('xyz', claims)],
             {'x': 'transferred', 'y': 'transferred', 'z': 'transferred'}),
        ]
        for name, items, expected in table:
            found = outcomes(self.sync(zone, items, dryRun='true', renames='true', maxRelease=100))
            self.assertEqual({**found, **expected}, found, name)
        self.sync(zone, table[-1][1], renames='true', maxRelease=0)
        self.assertEqual(self.active(zone), dict(zip('xyz', claims)), 'the guard counts no rename')

    def test_a_bad_value(self):
        self.refused(self.zone(), [universal('a')], 400, 'invalid-parameter', 'renames', renames='maybe')


class Large(MoveCase):
    """As many leases as one transfer may have."""

    def lines(self, count, old='old', new='new'):
        one = '{"from":{"mesh":"default","zone":"%s","service":"s%06d"},"to":{"mesh":"default","zone":"%s","service":"s%06d"}}\n'
        return ''.join(one % (old, i, new, i) for i in range(count))

    def test_as_many_as_there_may_be_and_one_more(self):
        body = ''.join(f'{{"name":"s{i:06}","spec":{{}}}}\n' for i in range(MOST))
        answer = self.server.post('/v1/zones/old/sync?mode=full&mesh=*&return=none', body, {'Content-Type': NDJSON})
        self.assertEqual(answer.json()['summary']['created'], MOST, answer)
        since, headers = self.server.revision(), {'Content-Type': NDJSON}
        target = '/v1/transfers?maxRelease=100'
        answer = self.assertUntouched(lambda: self.server.post(target, self.lines(MOST + 1), headers))
        self.assertProblem(answer, 413, 'body-too-large', str(MOST))
        answer = self.assertUntouched(lambda: self.server.post(target + '&dryRun=true&return=none', self.lines(MOST), headers))
        self.assertEqual((answer.status, answer.json()['transferred']), (200, MOST), answer)
        answer = self.server.post(target, self.lines(MOST), headers)
        self.assertEqual((answer.status, answer.json()['transferred'], answer.json()['revision']), (200, MOST, since + MOST), answer)
        self.assertEqual(len(answer.json()['results']), MOST)
        found = {name: self.server.get(f'/v1/zones/{name}').json()['leases']['active'] for name in ('old', 'new')}
        self.assertEqual(found, {'old': 0, 'new': MOST})
        self.assertEqual(self.server.metric('holdfast_sync_memory_bytes'), 0, 'its memory is given back')
        self.assertVerified()


if __name__ == '__main__':
    unittest.main()

"""Sync: a zone's whole set in one transaction, in every form; unchanged input writes nothing; who gets which address."""
import hashlib
import json
import unittest

from harness import Server, config, lease_path, vip
from syncing import (FORMS, NDJSON, SyncCase, by_service, encode, imported, ips, kubernetes, names, outcomes, shuffled, universal)


class Forms(SyncCase):
    def test_every_form_acquires_and_then_is_unchanged(self):
        for form in FORMS:
            with self.subTest(form):
                zone, prefix = self.pooled_zone()
                items = [universal(name) for name in reversed(names(5))]
                before = self.server.revision()
                answer = self.sync(zone, items, form)
                self.assertEqual([r['service'] for r in answer['results']], list(reversed(names(5))), 'in the order of the body')
                self.assertEqual({s: ips(r) for s, r in by_service(answer).items()},
                                 {name: [f'{prefix}{i}'] for i, name in enumerate(names(5))}, 'addresses in the order of identities')
                self.assertEqual(answer['summary'], self.summary(created=5))
                self.assertEqual((answer['revision'], self.server.revision()), (before + 5, before + 5))
                again = self.sync_unchanged(zone, items, form)
                self.assertEqual((again['summary'], again['revision'], again['digest']),
                                 (self.summary(unchanged=5), answer['revision'], answer['digest']))
                self.assertEqual([r['vips'] for r in again['results']], [r['vips'] for r in answer['results']])

    @staticmethod
    def summary(**counts):
        return {**dict.fromkeys(('created', 'adopted', 'unchanged', 'updated', 'restored', 'released', 'foreign', 'rejected',
                                 'transferred', 'releaseSkipped'), 0), **counts}

    def test_the_forms_are_one_configuration(self):
        zone = self.zone()
        items = [universal(name) for name in names(5)]
        self.sync(zone, items)
        for form in FORMS:
            self.assertEqual(self.sync_unchanged(zone, shuffled(items), form)['summary'], self.summary(unchanged=5), form)
        emptied = [{**item, 'status': {}, 'modificationTime': '2026-05-01T00:00:00Z'} for item in items]
        self.assertEqual(self.sync_unchanged(zone, emptied)['summary'], self.summary(unchanged=5))
        self.assertEqual(self.sync_unchanged(zone, [kubernetes(item) for item in items], 'ndjson')['summary'], self.summary(unchanged=5))

    def test_a_sync_and_an_acquire_are_one(self):
        zone = self.zone()
        _, lease = self.acquire(lease_path('one', zone), universal('one'))
        self.assertEqual(self.sync_unchanged(zone, [universal('one')])['results'][0]['vips'], lease['vips'])
        self.sync(zone, [universal('one'), universal('two')])
        answer = self.assertWritesNothing(lambda: self.server.put(lease_path('two', zone), universal('two')))
        self.assertOutcome(answer, 200, 'unchanged')

    def test_the_feed_has_what_changed_one_revision_each(self):
        zone = self.zone()
        since = self.server.revision()
        self.sync(zone, [universal(name) for name in names(3)])
        self.sync(zone, [universal('s00', port=81), universal('s01')])
        self.sync(zone, [universal('s00', port=81), universal('s01'), universal('s02')])
        changes = self.server.get(f'/v1/changes?since={since}&zone={zone}').json()['changes']
        self.assertEqual([c['revision'] for c in changes], list(range(since + 1, since + 7)))
        self.assertEqual(sorted(c['type'] for c in changes[:3]), ['acquired'] * 3)
        self.assertEqual(sorted((c['type'], c['service']) for c in changes[3:5]), [('released', 's02'), ('updated', 's00')])
        self.assertEqual((changes[5]['type'], changes[5]['service']), ('restored', 's02'))

    def test_return(self):
        zone = self.zone()
        self.sync(zone, [universal(name) for name in names(3)])
        body, media = encode([universal('s00'), universal('s01', port=81), universal('s03')])
        for returns, services in ((None, ['s01', 's03', 's02']), ('changed', ['s01', 's03', 's02']), ('none', []),
                                  ('all', ['s00', 's01', 's03', 's02'])):
            answer = self.post(zone, body, media, returns=returns, dryRun='true').json()
            self.assertEqual([r['service'] for r in answer['results']], services, returns)
            self.assertEqual(answer['summary'], self.summary(created=1, unchanged=1, updated=1, released=1), returns)

    def test_identity(self):
        zone, other = self.zone(), 'elsewhere'
        own = {'kuma.io/zone': zone}
        table = [  # document, and kind, mesh, service; zone None if foreign
            ({'name': 'plain'}, ('MeshService', 'default', 'plain')),
            ({'type': 'MeshService', 'name': 'typed', 'mesh': 'm'}, ('MeshService', 'm', 'typed')),
            ({'name': 'x-1', 'labels': {'kuma.io/display-name': 'displayed'}}, ('MeshService', 'default', 'displayed')),
            ({'metadata': {'name': 'x-2', 'annotations': {'kuma.io/display-name': 'annotated'}}}, ('MeshService', 'default', 'annotated')),
            ({'metadata': {'name': 'x-3', 'labels': {'kuma.io/display-name': 'label-wins'},
                           'annotations': {'kuma.io/display-name': 'not-this'}}}, ('MeshService', 'default', 'label-wins')),
            ({'kind': 'MeshService', 'metadata': {'name': 'k', 'namespace': 'ns'}}, ('MeshService', 'default', 'k.ns')),
            ({'metadata': {'name': 'k', 'namespace': 'kuma-system', 'labels': {'k8s.kuma.io/namespace': 'real'}}},
             ('MeshService', 'default', 'k.real')),
            ({'metadata': {'name': 'g', 'namespace': 'system', 'labels': {'kuma.io/origin': 'global', **own}}}, ('MeshService', 'default', 'g')),
            ({'metadata': {'name': 'u', 'namespace': 'system', 'labels': {'kuma.io/env': 'universal'}}}, ('MeshService', 'default', 'u')),
            ({'metadata': {'name': 'both', 'namespace': 'system', 'labels': {**own, 'kuma.io/origin': 'global', 'k8s.kuma.io/namespace': 'ns'}}},
             ('MeshService', 'default', 'both.ns')),
            ({'metadata': {'name': 'meshed', 'labels': {'kuma.io/mesh': 'm'}}}, ('MeshService', 'm', 'meshed')),
            ({'name': 'member-wins', 'mesh': 'm', 'labels': {'kuma.io/mesh': 'other'}}, ('MeshService', 'm', 'member-wins')),
            ({'name': 'mine', 'labels': own}, ('MeshService', 'default', 'mine')),
        ]
        answer = self.sync(zone, [document for document, _ in table], 'ndjson')
        self.assertEqual([(r['kind'], r['mesh'], r['service']) for r in answer['results']], [expected for _, expected in table])
        self.assertEqual(answer['summary']['created'], len(table))
        self.assertEqual(sorted(self.leases(zone)), sorted(expected for _, expected in table))
        foreign = self.sync(zone, [{'name': 'h-1', 'labels': {'kuma.io/zone': other, 'kuma.io/display-name': 'far'}}], mode='delta')
        self.assertEqual([(r['service'], r['outcome'], r['vips']) for r in foreign['results']], [('far', 'foreign', None)])

    def test_it_lasts(self):
        server = Server()
        self.addCleanup(server.close)
        items = [universal(name) for name in names(20)]
        first = self.sync('east', items, 'ndjson', server=server)
        server.kill()
        server.start()
        again = self.sync_unchanged('east', shuffled(items), server=server)
        self.assertEqual((again['revision'], again['digest'], again['summary']['unchanged']), (first['revision'], first['digest'], 20))
        self.assertEqual({s: r['vips'] for s, r in by_service(again).items()}, {s: r['vips'] for s, r in by_service(first).items()})

    def test_the_zone_tells_of_its_last_sync(self):
        zone = self.zone()
        answer = self.sync(zone, [universal('a'), universal('b')])
        told = self.server.get(f'/v1/zones/{zone}').json()
        self.assertEqual((told['lastSync']['summary'], told['lastSync']['mode'], told['lastSync']['revision']),
                         (answer['summary'], 'full', answer['revision']))
        self.assertEqual((told['leases'], told['digest']), ({'active': 2, 'quarantined': 0}, answer['digest']))


class Full(SyncCase):
    def test_what_is_not_listed_is_released_and_what_comes_back_is_restored(self):
        zone, prefix = self.pooled_zone()
        items = [universal(name) for name in names(4)]
        self.sync(zone, items)
        answer = self.sync(zone, items[:2])
        self.assertEqual([(r['service'], r['outcome'], ips(r)) for r in answer['results']],
                         [('s00', 'unchanged', [f'{prefix}0']), ('s01', 'unchanged', [f'{prefix}1']),
                          ('s02', 'released', [f'{prefix}2']), ('s03', 'released', [f'{prefix}3'])])
        self.assertEqual([lease['state'] for lease in self.leases(zone).values()], ['active'] * 2 + ['quarantined'] * 2)
        self.sync_unchanged(zone, items[:2])
        answer = self.sync(zone, items[:2] + [universal('s02'), universal('s03', port=81), universal('s04')])
        self.assertEqual({s: (r['outcome'], ips(r)[0]) for s, r in by_service(answer).items()},
                         {'s00': ('unchanged', f'{prefix}0'), 's01': ('unchanged', f'{prefix}1'), 's02': ('restored', f'{prefix}2'),
                          's03': ('restored', f'{prefix}3'), 's04': ('created', f'{prefix}4')})
        generations = {service: lease['generation'] for (_, _, service), lease in self.leases(zone).items()}
        self.assertEqual(generations, {'s00': 1, 's01': 1, 's02': 1, 's03': 2, 's04': 1})

    def test_a_changed_configuration_keeps_its_address(self):
        zone, prefix = self.pooled_zone()
        self.sync(zone, [universal(name) for name in names(3)])
        answer = self.sync(zone, [universal('s00'), universal('s01', port=81), universal('s02')])
        self.assertEqual(outcomes(answer), {'s00': 'unchanged', 's01': 'updated', 's02': 'unchanged'})
        lease = self.server.get(lease_path('s01', zone)).json()
        self.assertEqual((vip(lease), lease['generation'], lease['revision']), (f'{prefix}1', 2, answer['revision']))

    def test_the_scope_by_mesh(self):
        zone = self.zone()
        self.sync(zone, [universal(name, mesh) for mesh in ('m1', 'm2') for name in ('a', 'b')], 'ndjson', returns='none')
        answer = self.sync(zone, [universal('a', 'm1')], mesh='m1')
        self.assertEqual([(r['mesh'], r['service'], r['outcome']) for r in answer['results']],
                         [('m1', 'a', 'unchanged'), ('m1', 'b', 'released')])
        states = {(mesh, service): lease['state'] for (_, mesh, service), lease in self.leases(zone).items()}
        self.assertEqual([pair for pair, state in states.items() if state == 'quarantined'], [('m1', 'b')])

    def test_the_scope_by_kind(self):
        zone = self.zone()
        for kind in ('MeshService', 'MeshExternalService'):
            for name in ('a', 'b'):
                self.acquire(lease_path(name, zone, kind=kind), config())
        answer = self.sync(zone, [{**config(name='a'), 'type': 'MeshExternalService'}], kind='MeshExternalService')
        self.assertEqual([(r['kind'], r['service'], r['outcome']) for r in answer['results']],
                         [('MeshExternalService', 'a', 'updated'), ('MeshExternalService', 'b', 'released')])
        self.assertEqual([k for k, lease in self.leases(zone).items() if lease['state'] == 'quarantined'],
                         [('MeshExternalService', 'default', 'b')])

    def test_what_lies_outside_the_scope_is_rejected_and_the_rest_done(self):
        zone = self.zone()
        self.sync(zone, [universal('old', 'm1'), universal('other', 'm2')])
        for form in FORMS:
            items = [universal('a', 'm1'), universal('other', 'm2'), {**universal('x', 'm1'), 'type': 'MeshExternalService'}]
            answer = self.sync(zone, items, form, mesh='m1', dryRun='true')
            for n in (2, 3):
                self.rejected(answer, n, 'invalid-parameter', form)
            self.assertEqual(answer['summary'], Forms.summary(created=1, released=1, rejected=2), form)

    def test_foreign_documents_are_looked_up(self):
        origin, zone = self.zone(), self.zone()
        there = [universal(name, labels={'kuma.io/zone': origin}) for name in ('a', 'b')]
        first = self.sync(origin, there)
        own = [universal('a', labels={'kuma.io/zone': zone}), universal('c')]
        imports = [imported(document, origin) for document in there] + [imported(universal('none'), origin)]
        revision = self.server.revision()
        answer = self.sync(zone, own + imports)
        self.assertEqual([(r['service'], r['outcome']) for r in answer['results']],
                         [('a', 'created'), ('c', 'created'), ('a', 'foreign'), ('b', 'foreign'), ('none', 'foreign')])
        self.assertEqual([r['vips'] for r in answer['results'][2:]], [r['vips'] for r in first['results']] + [None])
        self.assertEqual((answer['summary'], answer['revision']), (Forms.summary(created=2, foreign=3), revision + 2))
        self.assertEqual(self.sync_unchanged(zone, shuffled(own + imports), 'ndjson')['summary'], Forms.summary(unchanged=2, foreign=3))
        self.assertEqual(len(self.leases(zone)), 2)
        back = self.sync_unchanged(origin, there + [imported(document, zone) for document in own])
        self.assertEqual([r['vips'] for r in back['results'][2:]], [r['vips'] for r in answer['results'][:2]], 'one VIP for everyone')


class Delta(SyncCase):
    def test_only_what_is_named(self):
        for form in FORMS:
            zone = self.zone()
            self.sync(zone, [universal(name) for name in names(5)])
            removed = [{'mesh': 'default', 'service': 's03'}, {'kind': 'MeshService', 'mesh': 'default', 'service': 's04'}]
            answer = self.sync(zone, [universal('s01', port=81), universal('s09'), universal('s02')], form, removed, mode='delta')
            self.assertEqual([(r['service'], r['outcome']) for r in answer['results']],
                             [('s01', 'updated'), ('s09', 'created'), ('s02', 'unchanged'), ('s03', 'released'), ('s04', 'released')], form)
            self.assertEqual(sorted(self.active(zone)), ['s00', 's01', 's02', 's09'], form)

    def test_what_is_removed_twice_is_unchanged(self):
        zone = self.zone()
        self.sync(zone, [universal('a'), universal('b')])
        gone = [{'mesh': 'default', 'service': 'a'}]
        self.assertEqual(self.sync(zone, [], mode='delta', removed=gone)['summary'], Forms.summary(released=1))
        for removed in (gone, [{'mesh': 'default', 'service': 'never-there'}]):
            for form in FORMS:
                answer = self.assertWritesNothing(lambda f=form, r=removed: self.sync(zone, [], f, mode='delta', removed=r))
                self.assertEqual(answer['summary'], Forms.summary(unchanged=1), (form, removed))

    def test_kind_and_mesh_restrict(self):
        zone = self.zone()
        items = [universal('a', 'm1'), universal('a', 'm2'), {**universal('a', 'm1'), 'type': 'MeshExternalService'}]
        self.assertEqual(self.sync(zone, items, mode='delta', dryRun='true')['summary'], Forms.summary(created=3), 'all kinds and meshes')
        answer = self.sync(zone, items, mode='delta', mesh='m1', kind='MeshService', dryRun='true')
        self.assertEqual(answer['summary'], Forms.summary(created=1, rejected=2))
        answer = self.sync(zone, items, mode='delta', mesh='m1', dryRun='true')
        self.assertEqual(answer['summary'], Forms.summary(created=2, rejected=1))

    def test_removed_of_each_kind_and_mesh(self):
        zone = self.zone()
        for kind in ('MeshService', 'MeshExternalService'):
            for mesh in ('m1', 'm2'):
                self.acquire(lease_path('a', zone, mesh, kind), config())
        self.sync(zone, [], 'ndjson', mode='delta', removed=[{'kind': 'MeshExternalService', 'mesh': 'm2', 'service': 'a'}])
        self.assertEqual([k for k, lease in self.leases(zone).items() if lease['state'] == 'quarantined'],
                         [('MeshExternalService', 'm2', 'a')])

    def test_a_delta_may_be_a_page(self):
        zone = self.zone()
        body = {'items': [universal('a')], 'next': 'http://x/2', 'total': 9, 'metadata': {'continue': 'x'}}
        self.assertEqual(self.post(zone, json.dumps(body), mode='delta').json()['summary'], Forms.summary(created=1))

    def test_an_empty_one_does_nothing(self):
        zone = self.zone()
        self.sync(zone, [universal('a')])
        for form in ('list', 'kubernetes'):  # NDJSON cannot say that there is nothing
            self.assertEqual(self.sync_unchanged(zone, [], form, mode='delta')['summary'], Forms.summary(), form)


class Addresses(SyncCase):
    """Restores come before claims, and claims before fresh allocations."""

    def test_a_later_claimer_keeps_its_address(self):
        zone, prefix = self.pooled_zone()
        answer = self.sync(zone, [universal('a-fresh'), universal('z-claims', vips=[f'{prefix}0'])])
        self.assertEqual({s: (r['outcome'], ips(r)[0]) for s, r in by_service(answer).items()},
                         {'a-fresh': ('created', f'{prefix}1'), 'z-claims': ('adopted', f'{prefix}0')})
        self.assertNotIn('claimRefused', by_service(answer)['z-claims'])

    def test_a_quarantined_lease_that_comes_back_keeps_its_address(self):
        zone, prefix = self.pooled_zone(30)
        self.sync(zone, [universal(name) for name in names(4)])
        self.sync(zone, [universal('s00')], maxRelease=75)
        items = [universal('a-claims', vips=[f'{prefix}3']), universal('s00'), universal('s03')]
        answer = self.sync(zone, items)
        found = by_service(answer)
        self.assertEqual((found['s03']['outcome'], ips(found['s03'])), ('restored', [f'{prefix}3']))
        self.assertEqual(found['a-claims']['problem']['code'], 'pool-exhausted', 'quarantined addresses are not given away')

    def test_claims_that_cannot_be_had(self):
        zone, prefix = self.pooled_zone(reserved=[])
        self.sync(zone, [universal('holder')])
        items = [universal('holder'), universal('a', vips=[f'{prefix}0']), universal('b', vips=['192.168.7.7']),
                 universal('c', vips=[f'{prefix}9']), universal('d', vips=[f'{prefix}9'])]
        found = by_service(self.sync(zone, items))
        self.assertEqual({s: (found[s]['outcome'], found[s].get('claimRefused')) for s in ('holder', 'a', 'b')},
                         {'holder': ('unchanged', None), 'a': ('created', [{'address': f'{prefix}0', 'reason': 'address-taken'}]),
                          'b': ('created', [{'address': '192.168.7.7', 'reason': 'outside-pool'}])})
        self.assertEqual(sorted((found[s]['outcome'], found[s].get('claimRefused', [])) for s in ('c', 'd')),
                         [('adopted', []), ('created', [{'address': f'{prefix}9', 'reason': 'address-taken'}])], 'one of two')
        self.assertEqual(len({ips(r)[0] for r in found.values()}), 5)

    def test_an_unchanged_service_that_claims_another_address(self):
        zone, prefix = self.pooled_zone()
        self.sync(zone, [universal('a')])
        refused = [{'address': f'{prefix}7', 'reason': 'lease-exists'}]
        for wanted in ('all', 'changed'):
            result = self.sync_unchanged(zone, [universal('a', vips=[f'{prefix}7'])], returns=wanted)['results'][0]
            self.assertEqual((result['outcome'], ips(result), result.get('claimRefused')), ('unchanged', [f'{prefix}0'], refused))

    def test_a_pool_that_is_exhausted_rejects_only_what_finds_no_room(self):
        zone, prefix = self.pooled_zone(30)
        answer = self.sync(zone, [universal(name) for name in reversed(names(6))], 'ndjson')
        self.assertEqual(outcomes(answer), {name: 'created' if i < 4 else 'rejected' for i, name in enumerate(names(6))})
        for line in (1, 2):
            self.rejected(answer, line, 'pool-exhausted', 'ndjson')
        self.assertEqual(self.active(zone), {name: f'{prefix}{i}' for i, name in enumerate(names(4))})

    def test_a_kind_without_a_pool_is_rejected(self):
        server = Server()
        self.addCleanup(server.close)
        self.assertEqual(server.delete('/v1/pools/meshexternalservice').status, 200)
        items = [universal('a'), {**universal('b'), 'type': 'MeshExternalService'}]
        answer = self.sync('east', items, mode='delta', server=server)
        self.rejected(answer, 2, 'no-pool', 'list')
        self.assertEqual(answer['summary'], Forms.summary(created=1, rejected=1))

    def test_both_families(self):
        zone = self.zone()
        self.server.put(f'/v1/pools/{zone}', {'cidrs': ['10.250.0.0/24', 'fd00:250::/64'], 'zones': [zone], 'kinds': ['MeshService']})
        found = by_service(self.sync(zone, [universal('a'), universal('b', vips=['fd00:250::', '10.250.0.0'])]))
        self.assertEqual((ips(found['b']), ips(found['a'])), (['10.250.0.0', 'fd00:250::'], ['10.250.0.1', 'fd00:250::1']))


class DryRun(SyncCase):
    def scenario(self):
        """A zone and a list with every outcome."""
        zone, prefix = self.pooled_zone(28)
        self.sync(zone, [universal(name) for name in names(6)])
        self.sync(zone, [universal(name) for name in names(5)])
        items = [universal('s00'), universal('s01', port=81), universal('s05'), universal('t-new'), universal('u', vips=[f'{prefix}9']),
                 universal('s02'), universal('s02'), universal('far', labels={'kuma.io/zone': 'far'}), {'spec': {}}]
        return zone, items

    def test_it_answers_what_the_real_one_does(self):
        for form in FORMS:
            zone, items = self.scenario()
            items = items[:-1] if form == 'list' else items  # with and without a skipped release
            dry = self.sync_unchanged(zone, items, form, dryRun='true')
            real = self.sync(zone, items, form)
            self.assertEqual(dry, {**real, 'dryRun': True}, form)
            self.assertGreater(dry['revision'], 0)
            for name in ('created', 'adopted', 'unchanged', 'updated', 'restored', 'foreign', 'rejected'):
                self.assertGreaterEqual(real['summary'][name], 1, (form, name))
            skipped = real['summary']['releaseSkipped'], real['summary']['released']
            self.assertEqual(skipped, (0, 2) if form == 'list' else (2, 0), form)

    def test_delta(self):
        zone, items = self.scenario()
        more = {'mode': 'delta', 'removed': [{'mesh': 'default', 'service': 's03'}, {'mesh': 'default', 'service': 'none'}]}
        dry = self.assertWritesNothing(lambda: self.sync(zone, items, dryRun='true', **more))
        self.assertEqual(dry, {**self.sync(zone, items, **more), 'dryRun': True})

    def test_of_an_unchanged_zone(self):
        zone = self.zone()
        real = self.sync(zone, [universal('a')])
        dry = self.sync_unchanged(zone, [universal('a')], dryRun='true')
        self.assertEqual((dry['revision'], dry['digest']), (real['revision'], real['digest']))


class Fingerprints(SyncCase):
    def test_equal_lines_of_two_zones_stay_apart(self):
        one, two = self.zone(), self.zone()
        line = json.dumps(universal('same'))
        first = self.sync(one, [line], 'ndjson')
        self.assertEqual(outcomes(self.sync(two, [line], 'ndjson')), {'same': 'created'})
        self.assertEqual(outcomes(self.sync_unchanged(one, [line], 'ndjson')), {'same': 'unchanged'})
        other = self.sync_unchanged(two, [line], 'ndjson')
        self.assertNotEqual(ips(first['results'][0]), ips(other['results'][0]))

    def test_equal_bytes_of_a_released_lease_restore_it(self):
        zone = self.zone()
        body = json.dumps(universal('a')) + '\n' + json.dumps(universal('b')) + '\n'
        self.post(zone, body, NDJSON)
        self.server.delete(lease_path('b', zone))
        self.assertEqual(outcomes(self.post(zone, body, NDJSON).json()), {'a': 'unchanged', 'b': 'restored'})

    def test_the_mesh_of_an_unchanged_line_is_looked_at(self):
        zone = self.zone()
        line = json.dumps(universal('a', 'm1'))
        self.post(zone, line + '\n', NDJSON)
        self.rejected(self.post(zone, line + '\n', NDJSON, mesh='m2').json(), 1, 'invalid-parameter', 'ndjson')

    def test_the_lease_has_the_fingerprint_of_the_canonical_configuration(self):
        zone = self.zone()
        self.sync(zone, [{'type': 'MeshService', 'name': 'a', 'spec': {'b': 1, 'a': []}, 'labels': {'x': 'y', 'kuma.io/zone': zone}}])
        text = '{"kind":"MeshService","labels":{"x":"y"},"spec":{"a":[],"b":1}}'
        expected = 'sha256:' + hashlib.sha256(text.encode()).hexdigest()
        self.assertEqual(self.server.get(lease_path('a', zone)).json()['fingerprint'], expected)


if __name__ == '__main__':
    unittest.main()

"""Claims and whose a document is, over HTTP: what is heard, what is refused and how that is told, in a PUT as in a sync.

The table is read by kuma-import too, which must make the same of it (test_kuma_places.py).
"""
import unittest

from harness import lease_path
from placing import CLAIMS, PLACES, claiming, labelled
from syncing import SyncCase, by_service, ips, universal


def told(refused):
    """The header's form of what a sync says."""
    return ', '.join(f'"{one["address"]}";reason={one["reason"]}' for one in refused) or None


class Claims(SyncCase):
    def test_the_same_in_a_put_and_in_a_sync(self):
        for n, (name, status, had, refused) in enumerate(CLAIMS):
            with self.subTest(name):
                zone, prefix = self.pooled_zone(24)
                document = claiming(f'a{n}', status, prefix)
                wanted = [{**one, 'address': one['address'].replace('P.', prefix)} for one in refused]
                dry = self.sync(zone, [document], dryRun='true')['results'][0]
                answer = self.server.put(lease_path(f'a{n}', zone), document)
                self.assertEqual(answer.header('Holdfast-Claim-Refused'), told(wanted))
                self.assertEqual(answer.header('Holdfast-Outcome'), 'adopted' if had else 'created')
                self.assertEqual((dry['outcome'], dry.get('claimRefused', [])), (answer.header('Holdfast-Outcome'), wanted))
                if had:
                    self.assertEqual([vip['ip'] for vip in answer.json()['vips']], [had.replace('P.', prefix)])

    def test_an_unchanged_put_tells_too(self):
        """Of bytes that are known and are not parsed, of others that the memo knows, and of new ones."""
        path = lease_path('same', self.zone())
        first = universal('same', vips=['241.0.0.0'])
        mine = self.server.put(path, first).json()['vips'][0]['ip']
        for vips, refused in (([mine], None), (['241.99.0.1'], '"241.99.0.1";reason=lease-exists'), ([], None),
                              ([mine, 'x'], '"x";reason=not-an-address')):
            document = universal('same', vips=vips)
            for _ in range(3):
                answer = self.server.put(path, document)
                self.assertEqual((answer.header('Holdfast-Outcome'), answer.header('Holdfast-Claim-Refused')), ('unchanged', refused))
        stored = universal('same', port=81, vips=['241.99.0.1'])
        for expected in ('updated', 'unchanged', 'unchanged'):
            answer = self.server.put(path, stored)
            self.assertEqual((answer.header('Holdfast-Outcome'), answer.header('Holdfast-Claim-Refused')),
                             (expected, '"241.99.0.1";reason=lease-exists'))
        self.assertIsNone(self.server.put(path).header('Holdfast-Claim-Refused'), 'an empty body claims nothing')

    def test_a_refused_request_says_nothing_of_claims(self):
        answer = self.server.put(lease_path('no', self.zone()) + '?pool=absent', universal('no', vips=['junk']))
        self.assertEqual((answer.status, answer.header('Holdfast-Claim-Refused')), (422, None))

    def test_addresses_of_the_cluster(self):
        """They are not heard, not refused, and not counted as if they had been kept."""
        zone = self.zone()
        controlled = {'kuma.io/managed-by': 'k8s-controller', 'kuma.io/origin': 'zone'}
        headless = {'k8s.kuma.io/is-headless-service': 'true', 'kuma.io/origin': 'zone'}
        self.server.put('/v1/pools/cluster', {'cidrs': ['10.43.0.0/16']})
        documents = [universal('one', vips=['10.43.0.1'], labels=controlled), universal('two', vips=['10.43.0.2'], labels=headless),
                     universal('copy', vips=['10.43.0.3'], labels={**controlled, 'kuma.io/origin': 'global', 'kuma.io/zone': zone})]
        found = by_service(self.sync(zone, documents))
        self.assertEqual({s: (r['outcome'], r.get('claimRefused'), r.get('clusterAddresses')) for s, r in found.items()},
                         {'one': ('created', None, True), 'two': ('created', None, True), 'copy': ('adopted', None, None)})
        before = self.server.metric('holdfast_sync_reallocations_avoided_total')
        documents[0]['status']['vips'][0]['ip'] = '10.43.9.9'
        answer = self.sync_unchanged(zone, documents, returns='changed')
        self.assertEqual((answer['summary']['unchanged'], answer['results']), (3, []))
        self.assertEqual(self.server.metric('holdfast_sync_reallocations_avoided_total'), before)
        answer = self.server.put(lease_path('three', zone), universal('three', vips=['10.43.0.4'], labels=controlled))
        self.assertEqual((answer.header('Holdfast-Outcome'), answer.header('Holdfast-Claim-Refused')), ('created', None))


class Places(SyncCase):
    def test_whose_a_document_is(self):
        zone = self.zone()
        for name, labels, home in PLACES:
            with self.subTest(name):
                result = self.sync(zone, [labelled('a', labels)], mode='delta', dryRun='true')['results'][0]
                self.assertEqual((result['outcome'], result.get('zone')), ('adopted', None) if home is None else ('foreign', home))

    def test_what_is_of_global_has_one_vip_for_everyone(self):
        copy = universal('shared', labels={'kuma.io/origin': 'global'}, vips=['243.0.0.9'])
        copy['type'] = 'MeshMultiZoneService'
        zones, kind = [self.zone(), self.zone()], {'kind': 'MeshMultiZoneService'}
        for zone in zones:
            result = self.sync_unchanged(zone, [copy], **kind)['results'][0]
            self.assertEqual((result['outcome'], result['zone'], result['vips'], result['claimRefused'][0]['reason']),
                             ('foreign', 'global', None, 'foreign'))
        own = self.sync('global', [copy], **kind)['results'][0]
        self.assertEqual((own['outcome'], ips(own)), ('adopted', ['243.0.0.9']))
        for zone in zones:
            result = self.sync_unchanged(zone, [copy], **kind)['results'][0]
            self.assertEqual((result['outcome'], result['zone'], ips(result), result.get('claimRefused')),
                             ('foreign', 'global', ['243.0.0.9'], None))


if __name__ == '__main__':
    unittest.main()

"""What kuma-import and kuma-drift make of whose a document is, of its claims, and of what uses a VIP and is no service."""
import json

from front_kuma import KumaCase, config_map, document, kubernetes
from harness import lease_path
from placing import CLAIMS, PLACES, claiming, labelled

# What the import says of a claim that the server refuses for this reason.
VERDICTS = {'not-an-address': 'rejected', 'second-of-family': 'conflict', 'outside-pool': 'out-of-pool'}
LEGACY = {'0:backend': '240.0.0.1', '0:Bad_Name': '240.0.0.2', '1:example.com': '240.0.0.3', '2:web.mesh': '240.0.0.4', '7:new': '240.0.0.5'}


def in_cluster(name, ip, headless=False, zone='east'):
    item = kubernetes(name, ip, zone)
    item['metadata']['labels'].update({'kuma.io/origin': 'zone', 'kuma.io/managed-by': 'k8s-controller',
                                       'k8s.kuma.io/is-headless-service': str(headless).lower()})
    return item


class Places(KumaCase):
    def test_a_document_lives_where_a_sync_finds_it(self):
        documents = [labelled(f'a{n}', labels) for n, (_, labels, _) in enumerate(PLACES)]
        told = self.adopt('--zone', 'east', '--json', self.list(*documents)).json()
        self.assertEqual([item['zone'] for item in told['items']], [home or 'east' for _, _, home in PLACES])
        path = self.list(document('a', '241.0.0.1'), document('b', '241.0.0.2', 'west'))
        self.assertDone(self.adopt('--zone', 'east', path), 0, '1 of them lives in another zone than east, and is filed there')
        self.assertNotIn('another zone', self.adopt(path).out)

    def test_the_name_of_an_annotation(self):
        item = kubernetes('x-5w8f', '241.0.0.1')
        item['metadata']['annotations'] = {'kuma.io/display-name': 'cart'}
        self.assertDone(self.adopt('--apply', self.list(item)), 0)
        self.assertEqual(self.vips(), {('east', 'cart.shop'): ['241.0.0.1']})

    def test_claims_are_what_a_sync_takes_for_them(self):
        self.server.put('/v1/pools/own', {'cidrs': ['10.7.7.0/24']})
        path = self.list(*[claiming(f'a{n}', status, '10.7.7.') for n, (_, status, _, _) in enumerate(CLAIMS)])
        items = self.adopt('--zone', 'east', '--json', path).json()['items']
        self.assertDone(self.adopt('--zone', 'east', '--apply', path), 1)
        leases, had_all = self.vips(), {}
        for n, (name, _, had, refused) in enumerate(CLAIMS):
            verdict = VERDICTS[refused[-1]['reason']] if refused else 'would adopt' if had else 'no-vip'
            self.assertEqual(items[n]['verdict'], verdict, name)
            if verdict == 'would adopt':
                had_all['east', f'a{n}'] = [had.replace('P.', '10.7.7.')]
                self.assertEqual(items[n]['vips'], had_all['east', f'a{n}'], name)
        self.assertEqual(leases, had_all)
        self.assertEqual(self.drift('--zone', 'east', '--json', path).json()['counts']['same'], len(had_all))

    def test_every_item_has_a_verdict(self):
        path = self.file({'items': [document('a', '241.0.0.1'), document('b', '241.0.0.2', mesh='other'), {'type': 'Dataplane', 'name': 'dp'},
                                    config_map(''), config_map({}, 'm2'), document('c')]})
        told = self.adopt('--zone', 'east', '--mesh', 'default', '--json', path).json()
        self.assertEqual([item['verdict'] for item in told['items']], ['would adopt', 'skipped', 'skipped', 'skipped', 'skipped', 'no-vip'])


class Cluster(KumaCase):
    def test_addresses_of_a_cluster_are_no_vips(self):
        self.server.put('/v1/pools/cluster', {'cidrs': ['10.43.0.0/16']})
        own = [in_cluster('web', '10.43.0.1'), in_cluster('redis-0', '10.42.0.5', headless=True)]
        path = self.list(*own, document('copy', '241.0.0.7', labels={'kuma.io/origin': 'global', 'kuma.io/managed-by': 'k8s-controller'}))
        result = self.assertDone(self.adopt('--apply', '--json', path), 0)
        self.assertEqual((list(result.verdicts().values()), result.json()['hint']), (['skipped', 'skipped', 'adopted'], None))
        self.assertEqual(self.vips(), {('east', 'copy'): ['241.0.0.7']})
        moved = self.list(in_cluster('web', '10.43.9.9'), in_cluster('redis-0', '10.42.7.7', headless=True))
        self.assertEqual(self.assertDone(self.drift('--quiet', moved), 0).out, '')
        self.assertDone(self.drift(moved), 0, '2 more show addresses of a Kubernetes cluster')

    def test_the_copy_elsewhere_has_the_vip(self):
        """The same service as its own zone, global and another zone show it, in any order."""
        copy = kubernetes('web', '241.0.0.7')
        copy['metadata']['labels'].update({'kuma.io/origin': 'global', 'kuma.io/managed-by': 'k8s-controller'})
        items = [in_cluster('web', '10.43.0.1'), in_cluster('web', '10.43.0.1'), copy]
        for order in (items, items[::-1], [items[0], copy, items[1]]):
            self.assertEqual(sorted(item['verdict'] for item in self.adopt('--json', self.list(*order)).json()['items']),
                             ['skipped', 'skipped', 'would adopt'])


class InUse(KumaCase):
    """What Kuma uses and no lease can hold is never given away."""

    def assertKept(self, *addresses):
        for address in addresses:
            self.assertEqual(self.server.get(f'/v1/addresses/{address}').json()['state'], 'reserved', address)
            self.assertEqual(self.server.put(lease_path('thief', 'west') + f'?address={address}').status, 409)

    def test_in_a_pool_that_is_there_it_is_reserved(self):
        entries = {name: address.replace('240.', '241.') for name, address in LEGACY.items()}
        path, kept = self.file(config_map(entries)), [f'241.0.0.{n}' for n in (2, 3, 4, 5)]
        told = self.assertUntouched(lambda: self.assertDone(self.adopt('--zone', 'east', '--json', path), 1))
        self.assertEqual(told.verdicts(), {'backend': 'would adopt', 'Bad_Name': 'rejected', 'example.com': 'would reserve',
                                           'web.mesh': 'would reserve', 'new': 'would reserve'})
        done = self.assertDone(self.adopt('--zone', 'east', '--apply', '--json', path), 1)
        self.assertEqual(done.verdicts(), {'backend': 'adopted', 'Bad_Name': 'rejected', 'example.com': 'reserved', 'web.mesh': 'reserved',
                                           'new': 'reserved'})
        self.assertEqual(self.server.get('/v1/pools/meshservice').json()['reserved'], ['241.0.0.2-241.0.0.5'])
        self.assertKept(*kept)
        again = self.assertUntouched(lambda: self.adopt('--zone', 'east', '--apply', '--json', path))
        self.assertEqual(again.verdicts(), {'backend': 'right', 'Bad_Name': 'rejected', 'example.com': 'reserved', 'web.mesh': 'reserved',
                                            'new': 'reserved'})

    def test_the_hint_reserves_it(self):
        twice = document('twice', ['240.0.0.9', '240.0.0.10'])
        several = [document('differs', '240.0.0.20'), document('differs', '240.0.0.21')]
        path, listed = self.file(config_map(LEGACY)), self.list(twice, *several, document('fine', '240.0.0.30'), name='list.json')
        told = self.adopt('--zone', 'east', '--json', path, listed).json()
        self.assertEqual(told['hint'], 'holdfast pools create kuma --cidr 240.0.0.0/8 --reserve 240.0.0.2-240.0.0.5 --reserve 240.0.0.9-240.0.0.10 '
                                       '--reserve 240.0.0.20-240.0.0.21')
        self.assertDone(self.run_command(*told['hint'].split()[1:]), 0)
        self.assertDone(self.adopt('--zone', 'east', '--apply', path, listed), 1)
        self.assertEqual(self.vips(), {('east', 'backend'): ['240.0.0.1'], ('east', 'fine'): ['240.0.0.30']})
        self.assertKept(*[f'240.0.0.{n}' for n in (2, 3, 4, 5, 9, 10, 20, 21)])

    def test_an_address_that_a_service_has_as_well_is_not_reserved(self):
        path = self.file(config_map({'0:backend': '241.0.0.1', '1:backend.mesh': '241.0.0.1', '1:elsewhere': '192.168.0.1', '1:none': ''}))
        for apply, verdict in ([], 'would adopt'), (['--apply'], 'adopted'):
            self.assertEqual(self.assertDone(self.adopt('--zone', 'east', *apply, '--json', path), 0).verdicts(),
                             {'backend': verdict, 'backend.mesh': 'skipped', 'elsewhere': 'skipped', 'none': 'skipped'})
        self.server.put(lease_path('holder', 'west') + '?address=241.0.0.9')
        result = self.assertDone(self.adopt('--zone', 'east', '--json', self.file(config_map({'0:b': '241.0.0.2', '1:host': '241.0.0.9'}))), 1)
        self.assertEqual(result.verdicts(), {'b': 'would adopt', 'host': 'conflict'})

    def test_hosts_alone(self):
        path = self.file(config_map({'1:example.com': '241.0.0.3'}))
        self.assertDone(self.adopt('--apply', path), 0, 'reserved  1')
        self.assertKept('241.0.0.3')
        self.assertDone(self.drift(path), 2, 'the input has no service')


class TagFirst(KumaCase):
    CONFIG = {'v': {
        'backend': {'oe': [{'t': {'version': '1'}, 'ap': [{'a': '241.0.0.1', 'p': 80, 'o': 'svc'}]},
                           {'ap': [{'a': '241.0.0.1', 'p': 80, 'o': 'svc'}, {'a': '241.0.0.5', 'd': 'b.mesh', 'p': 80, 'o': 'virtual-outbound:vo'}]}]},
        'web_shop_svc_80': {'oe': [{'ap': [{'a': '10.43.0.9', 'd': 'web.shop.svc', 'p': 80, 'o': 'k8s'}, {'a': '241.0.0.2', 'p': 80, 'o': 'svc'}]}]},
        'httpbin': {'oe': [{'ap': [{'a': '241.0.0.6', 'd': 'httpbin.org', 'p': 443, 'o': 'host:external-service'}]}]},
        'idle': {}}}

    def test_services_and_the_rest(self):
        expected = {'backend': 'adopted', 'b.mesh': 'reserved', 'web_shop_svc_80': 'adopted', 'web.shop.svc': 'skipped', 'httpbin': 'no-vip',
                    'httpbin.org': 'reserved', 'idle': 'no-vip'}
        result = self.assertDone(self.adopt('--zone', 'east', '--apply', '--json', self.file(config_map(self.CONFIG))), 0)
        self.assertEqual(result.verdicts(), expected)
        self.assertEqual(self.vips(), {('east', 'backend'): ['241.0.0.1'], ('east', 'web_shop_svc_80'): ['241.0.0.2']})
        self.assertEqual(self.server.get('/v1/pools/meshservice').json()['reserved'], ['241.0.0.5-241.0.0.6'])
        self.assertDone(self.drift('--zone', 'east', self.file(config_map(self.CONFIG))), 0, '0 of 2')

    def test_the_bare_content(self):
        path = self.file(self.CONFIG)
        self.assertDone(self.adopt('--zone', 'east', path), 2, '--mesh')
        self.assertDone(self.adopt('--zone', 'east', '--mesh', 'default', path), 0, 'would adopt    2')

    def test_a_service_that_is_called_v(self):
        """The oldest form has names without numbers."""
        path = self.file(config_map(json.dumps({'v': '241.0.0.1'})))
        self.assertEqual(self.adopt('--zone', 'east', '--json', path).verdicts(), {'v': 'would adopt'})

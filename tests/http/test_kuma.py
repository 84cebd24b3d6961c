"""kuma-import and kuma-drift against the real server and a fake of Kuma's API.

HOLDFAST_SAMPLES may name more documents to import, lists in JSON with `:` between them.
"""
import copy
import json
import os

from between import Between
from front import ROOT
from front_kuma import KumaCase, config_map, document, kubernetes
from harness import config, fill, lease_path, vip

SAMPLES = [os.path.join(ROOT, 'tests', 'data', name) for name in sorted(os.listdir(os.path.join(ROOT, 'tests', 'data')))
           if name.endswith('.json')]
MORE = [path for path in os.environ.get('HOLDFAST_SAMPLES', '').split(os.pathsep) if path]
MASS = 5000


class Import(KumaCase):
    def test_dry_run_writes_nothing_and_apply_adopts(self):
        path = self.list(document('a', '241.0.0.9'), document('b', '241.5.6.7', 'west'), document('c'),
                         document('x', '242.0.0.3', kind='MeshExternalService'),
                         document('m', '243.0.0.4', None, kind='MeshMultiZoneService', labels={'kuma.io/origin': 'global'}))
        told = self.assertUntouched(lambda: self.assertDone(self.adopt('--json', path), 0)).json()
        self.assertTrue(told['dryRun'])
        self.assertEqual(told['counts'], {'would adopt': 4, 'right': 0, 'would reserve': 0, 'reserved': 0, 'out-of-pool': 0, 'conflict': 0, 'no-vip': 1,
                                          'skipped': 0, 'rejected': 0, 'failed': 0})
        self.assertUntouched(lambda: self.assertDone(self.adopt(path), 0, 'would adopt  4', 'nothing was written'))
        told = self.assertDone(self.adopt('--apply', '--json', path), 0).json()
        self.assertEqual((told['dryRun'], told['counts']['adopted']), (False, 4))
        expected = {('east', 'a'): ['241.0.0.9'], ('west', 'b'): ['241.5.6.7'], ('east', 'x'): ['242.0.0.3'], ('global', 'm'): ['243.0.0.4']}
        self.assertEqual(self.vips(), expected)
        again = self.assertUntouched(lambda: self.assertDone(self.adopt('--apply', '--json', path), 0)).json()
        self.assertEqual((again['counts']['adopted'], again['counts']['right']), (0, 4))
        self.assertUntouched(lambda: self.assertDone(self.drift(path), 0, '0 of 4 services'))

    def test_what_was_adopted_is_unchanged_when_its_zone_sends_it(self):
        sent = [document('a', '241.0.0.9'), kubernetes('b', '241.0.0.8')]
        self.assertDone(self.adopt('--apply', self.list(*sent)), 0)
        for one in sent:
            one['status'] = {}
        summary = self.server.post('/v1/zones/east/sync?mode=full&mesh=*', {'items': sent}).json()['summary']
        self.assertEqual((summary['unchanged'], summary['updated'], summary['created']), (2, 0, 0))

    def test_both_forms_of_a_document_and_every_shape_of_input(self):
        def universal(n):
            return document(f'u{n}', f'241.0.1.{n}')

        def native(n):
            return kubernetes(f'k{n}', f'241.0.2.{n}')
        shapes = [{'total': 2, 'items': [universal(0), native(0)], 'next': None}, {'kind': 'List', 'items': [universal(1), native(1)]},
                  {'kind': 'MeshServiceList', 'metadata': {'continue': ''}, 'items': [native(2)]}, native(3), [universal(4), native(4)],
                  {'total': 0, 'items': []}, {'total': 0, 'items': None}, json.dumps(universal(5)) + '\n' + json.dumps(native(5)) + '\n',
                  json.dumps({'items': [universal(6)]}) + json.dumps({'items': [native(6)]}), json.dumps(universal(7), indent=2)]
        paths = [self.file(content, f'{n}.json') for n, content in enumerate(shapes)]
        self.list(native(8), name='--more.json')
        self.assertDone(self.adopt('--apply', *paths, '--more.json'), 2, 'unknown argument')
        self.assertDone(self.adopt('--apply', *paths, './--more.json', '-', stdin=json.dumps(native(9))), 0, 'adopted  15')
        expected = {('east', f'u{n}'): [f'241.0.1.{n}'] for n in (0, 1, 4, 5, 6, 7)}
        expected.update({('east', f'k{n}.shop'): [f'241.0.2.{n}'] for n in (0, 1, 2, 3, 4, 5, 6, 8, 9)})
        self.assertEqual(self.vips(), expected)

    def test_samples(self):
        """Real documents, each with an address in use."""
        documents, n = [], 0
        for path in SAMPLES + MORE:
            with open(path, encoding='utf-8') as file:
                items = json.load(file)['items']
            for item in items:
                if item.get('kind', item.get('type')) == 'MeshService' and not item.get('status'):
                    item['status'] = {'vips': [{'ip': f'241.77.{n // 256}.{n % 256}'}]}
                    n += 1
                documents.append(item)
        path = self.file({'items': documents})
        self.assertDone(self.adopt(path), 2, 'do not name their zone', '--zone')
        told = self.adopt('--zone', 'home', '--json', path).json()
        self.assertGreater(told['counts']['would adopt'], 5)
        done = self.adopt('--apply', '--zone', 'home', '--json', path).json()
        self.assertEqual(done['counts']['adopted'], told['counts']['would adopt'])
        self.assertEqual([item['verdict'].replace('would adopt', 'adopted') for item in told['items']],
                         [item['verdict'] for item in done['items']])
        leases = {(lease['zone'], lease['mesh'], lease['service']): [vip['ip'] for vip in lease['vips']] for lease in self.server.stream()[0]}
        wanted = [item for item in done['items'] if item['verdict'] == 'adopted']
        self.assertEqual(leases, {(item['zone'], item['mesh'], item['service']): item['vips'] for item in wanted})
        again = self.assertUntouched(lambda: self.adopt('--apply', '--zone', 'home', '--json', path)).json()
        self.assertEqual((again['counts']['adopted'], again['counts']['right']), (0, len(wanted)))

    def test_out_of_every_pool(self):
        path = self.list(document('old', '240.0.0.5'), document('six', 'fd00:beef::1'), document('fine', '241.0.0.9'))
        result = self.assertDone(self.adopt('--apply', path), 1, 'old', '240.0.0.5 is in no pool', 'adopted      1', 'out-of-pool  2')
        self.assertIn('holdfast pools create kuma --cidr 240.0.0.0/8', result.out)
        self.assertEqual(self.vips(), {('east', 'fine'): ['241.0.0.9']})
        # The pool of the hint states no selector, so it is nobody's first choice; what is adopted goes there all the same.
        self.server.put('/v1/pools/kuma', {'cidrs': ['240.0.0.0/8', 'fd00:beef::/64']})
        result = self.assertDone(self.adopt('--apply', '--json', path), 0)
        self.assertEqual((result.json()['counts']['adopted'], result.json()['hint']), (2, None))
        leases = self.vips()
        self.assertEqual(leases['east', 'old'][0], '240.0.0.5')
        self.assertIn('fd00:beef::1', leases['east', 'six'])
        self.assertTrue(vip(self.server.put(lease_path('fresh'))).startswith('241.'))

    def test_the_hint_overlaps_no_pool(self):
        self.server.put('/v1/pools/kuma', {'cidrs': ['240.0.0.0/12']})
        told = self.adopt('--json', self.list(document('a', '240.200.0.1'), document('b', '10.1.2.3'))).json()
        self.assertEqual(told['hint'], 'holdfast pools create kuma-2 --cidr 10.1.0.0/16 --cidr 240.200.0.0/16')
        self.assertDone(self.run_command(*told['hint'].split()[1:]), 0)
        self.assertEqual(self.adopt('--json', self.list(document('a', '240.200.0.1'), document('b', '10.1.2.3'))).status, 0)

    def test_held_by_another(self):
        fill(self.server, ['holder'], 'west', {'spec': {}, 'status': {'vips': [{'ip': '241.0.0.9'}]}})
        self.server.put(lease_path('gone', 'west') + '?address=241.0.0.10')
        self.server.delete(lease_path('gone', 'west'))
        pool = self.server.get('/v1/pools/meshservice').json()
        self.server.put('/v1/pools/meshservice', {'cidrs': pool['cidrs'], 'kinds': pool['kinds'], 'reserved': ['241.0.0.11']})
        path = self.list(document('a', '241.0.0.9'), document('b', '241.0.0.10'), document('c', '241.0.0.11'), document('d', '241.0.0.12'))
        result = self.assertDone(self.adopt('--apply', '--json', path), 1)
        self.assertEqual(result.verdicts(), {'a': 'conflict', 'b': 'conflict', 'c': 'conflict', 'd': 'adopted'})
        details = [item['detail'] for item in result.json()['items']]
        self.assertIn('held by MeshService holder of zone west', details[0])
        self.assertIn('in quarantine for MeshService gone', details[1])
        self.assertIn('reserved', details[2])
        self.assertEqual(self.vips(), {('west', 'holder'): ['241.0.0.9'], ('east', 'd'): ['241.0.0.12']})

    def test_its_lease_has_another_vip(self):
        self.server.put(lease_path('a') + '?address=241.0.0.1')
        self.server.put(lease_path('q') + '?address=241.0.0.2')
        self.server.delete(lease_path('q'))
        path = self.list(document('a', '241.0.0.9'), document('q', '241.0.0.10'))
        result = self.assertUntouched(lambda: self.assertDone(self.adopt('--apply', '--json', path), 1))
        self.assertEqual([item['holdfast'] for item in result.json()['items']], [['241.0.0.1'], ['241.0.0.2']])
        self.assertEqual(result.verdicts(), {'a': 'conflict', 'q': 'conflict'})

    def test_a_lease_in_quarantine_with_the_same_vip_comes_back(self):
        self.server.put(lease_path('q') + '?address=241.0.0.2')
        self.server.delete(lease_path('q'))
        path = self.list(document('q', '241.0.0.2'))
        self.assertUntouched(lambda: self.assertDone(self.adopt('--all', path), 0, 'would adopt', 'in quarantine and comes back'))
        self.assertDone(self.adopt('--apply', path), 0, 'adopted  1')
        self.assertEqual(self.vips(), {('east', 'q'): ['241.0.0.2']})

    def test_two_services_of_one_vip(self):
        path = self.list(document('z', '241.0.0.9'), document('a', '241.0.0.9'), document('w', '241.0.0.9', 'west'))
        for apply in ([], ['--apply']):
            result = self.assertDone(self.adopt(*apply, '--json', path), 1)
            self.assertEqual(result.verdicts(), {'z': 'adopted' if apply else 'would adopt', 'a': 'conflict', 'w': 'conflict'})
        self.assertEqual(self.vips(), {('east', 'z'): ['241.0.0.9']})

    def test_one_service_twice(self):
        path = self.list(document('same', '241.0.0.9'), document('same', '241.0.0.9'), document('two', '241.0.0.1'), document('two', '241.0.0.2'))
        result = self.assertDone(self.adopt('--apply', '--json', path), 1)
        self.assertEqual([item['verdict'] for item in result.json()['items']], ['adopted', 'skipped', 'conflict', 'conflict'])
        self.assertEqual(self.vips(), {('east', 'same'): ['241.0.0.9']})

    def test_both_families_or_neither(self):
        self.server.put('/v1/pools/dual', {'cidrs': ['10.9.0.0/16', 'fd00:9::/64'], 'meshes': ['dual']})
        self.server.put(lease_path('other', mesh='dual') + '?address=fd00:9::77')
        path = self.list(document('both', ['10.9.0.1', 'fd00:9:0::1'], mesh='dual'), document('half', ['10.9.0.2', 'fd00:9::77'], mesh='dual'),
                         document('lost', ['10.9.0.3', 'fd00:aaaa::1'], mesh='dual'), document('four', ['10.9.0.4', '10.9.0.5'], mesh='dual'),
                         document('apart', ['241.0.0.3', 'fd00:9::3'], mesh='dual'), document('one', '10.9.0.6', mesh='dual'))
        verdicts = {'both': 'adopted', 'half': 'conflict', 'lost': 'conflict', 'four': 'conflict', 'apart': 'conflict', 'one': 'adopted'}
        result = self.assertDone(self.adopt('--json', path), 1)
        self.assertEqual(result.verdicts(), {name: word.replace('adopted', 'would adopt') for name, word in verdicts.items()})
        self.assertEqual(self.assertDone(self.adopt('--apply', '--json', path), 1).verdicts(), verdicts)
        leases = self.vips()
        self.assertEqual(leases['east', 'both'], ['10.9.0.1', 'fd00:9::1'])
        self.assertEqual(leases['east', 'one'][0], '10.9.0.6')
        self.assertEqual({service for _, service in leases}, {'other', 'both', 'one'})
        self.assertDone(self.drift(self.list(document('both', ['10.9.0.1', 'fd00:9:0::1'], mesh='dual'))), 0)

    def test_what_the_server_refuses(self):
        path = self.list(document('Bad_Name', '241.0.0.1'), document('a', '241.0.0.2', 'Bad Zone'), document('b', '241.0.0.3', mesh='-'),
                         document('c', 'backend.mesh'), document('$(touch hacked)`touch hacked`', '241.0.0.5'),
                         document('e', '241.0.0.6', '../../pools/meshservice'), document('d', '241.0.0.4'))
        result = self.assertDone(self.adopt('--apply', '--json', path), 1)
        self.assertEqual(list(result.verdicts().values()), ['rejected'] * 6 + ['adopted'])
        self.assertEqual(self.vips(), {('east', 'd'): ['241.0.0.4']})
        self.assertFalse(os.path.exists(os.path.join(self.directory, 'hacked')))
        table = self.assertDone(self.adopt(self.list(document('\x1b[31mred\x07\u009b', '241.0.0.7'))), 1)
        self.assertFalse(any(ord(letter) < 32 and letter != '\n' or 127 <= ord(letter) < 160 for letter in table.out), table.out)

    def test_a_large_document(self):
        """Its letters are what quoting is for."""
        text = 'quote " backslash \\ tab \t line \n at @ umlaut ü \u0001 ' * 2500
        sent = [document('large', '241.0.0.1', labels={'note': text}), document('small', '241.0.0.2', labels={'note': text[:200]}),
                document('huge', '241.0.0.3', labels={'note': text * 4})]
        result = self.assertDone(self.adopt('--apply', '--json', self.list(*sent)), 1)
        self.assertEqual(result.verdicts(), {'large': 'adopted', 'small': 'adopted', 'huge': 'rejected'})
        summary = self.server.post('/v1/zones/east/sync?mode=delta', {'items': sent[:2]}).json()['summary']
        self.assertEqual(summary['unchanged'], 2)

    def test_a_mesh_alone(self):
        path = self.list(document('a', '241.0.0.1'), document('b', '241.0.0.2', mesh='other'))
        self.assertEqual(self.assertDone(self.adopt('--mesh=other', '--json', path), 0).verdicts(), {'a': 'skipped', 'b': 'would adopt'})

    def test_pages_as_files(self):
        """All of them, or a word of warning."""
        page = {'total': 2, 'items': [document('a', '241.0.0.1')], 'next': 'http://kuma/meshes/default/meshservices?offset=1'}
        first, second = self.file(page), self.file({'total': 2, 'items': [document('b', '241.0.0.2')], 'next': None}, 'second.json')
        self.assertDone(self.adopt(first), 0, 'more pages follow', 'would adopt  1')
        self.assertEqual(self.assertDone(self.adopt(first, second), 0, 'would adopt  2').err, '')
        chunk = {'kind': 'List', 'metadata': {'continue': 'x'}, 'items': [kubernetes('a', '241.0.0.1')]}
        self.assertDone(self.drift(self.file(chunk)), 0, 'more pages follow')

    def test_zones(self):
        path = self.list(document('a', '241.0.0.1', None), document('b', '241.0.0.2', 'west'), document('c', None, None))
        self.assertDone(self.adopt(path), 2, '1 of 2 services', 'a is the first', '--zone')
        self.assertEqual(self.assertDone(self.adopt('--zone', 'home', path), 0).err, '')
        self.server.put(lease_path('there', 'east'))
        for apply in ([], ['--apply']):
            self.assertDone(self.adopt(*apply, '--zone', 'hmoe', self.list(document('z', '241.9.0.1', None), name='z.json')), 0, 'careful: the server does not know zone "hmoe", but east; is')
        result = self.assertDone(self.adopt('--zone', 'home', '--json', path), 0)
        self.assertEqual([item['zone'] for item in result.json()['items']], ['home', 'west', 'home'])


class ConfigMaps(KumaCase):
    @staticmethod
    def plain(n):
        return {'0:backend': f'241.0.{n}.1', '0:web_shop_svc_80': f'241.0.{n}.2', '1:example.com': f'241.0.{n}.3', '2:web.mesh': f'241.0.{n}.4'}

    def with_outbounds(self, n):
        return {key: {'address': ip, 'outbounds': [{'Port': 80, 'TagSet': {'kuma.io/service': key[2:]}, 'Origin': ''}]}
                for key, ip in self.plain(n).items()}

    def test_every_form(self):
        other = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'kube-root-ca.crt'}, 'data': {'ca.crt': 'x'}}
        forms = [config_map(self.plain(0), 'm0'), {'kind': 'List', 'items': [other, config_map(self.with_outbounds(1), 'm1')]},
                 {'type': 'Config', 'name': 'kuma-m2-dns-vips', 'config': json.dumps(self.plain(2))}]
        paths = [self.file(content, f'{n}.json') for n, content in enumerate(forms)]
        self.assertDone(self.adopt(paths[0]), 2, '--zone')
        told = self.assertDone(self.adopt('--zone', 'east', '--apply', '--json', *paths), 0).json()
        items = [(item['mesh'], item['service'], item['verdict']) for item in told['items'] if item['kind'] == 'MeshService']
        self.assertEqual(items, [(f'm{n}', service, verdict) for n in range(3) for service, verdict in (
            ('backend', 'adopted'), ('web_shop_svc_80', 'adopted'), ('example.com', 'reserved'), ('web.mesh', 'reserved'))])
        for n in range(3):
            lease = self.server.get(lease_path('backend', mesh=f'm{n}')).json()
            self.assertEqual((lease['vips'], lease['fingerprint']), ([{'ip': f'241.0.{n}.1'}], None))
        answer = self.server.put(lease_path('backend', mesh='m0'), config())
        self.assertEqual((self.assertOutcome(answer, 200, 'updated')['vips']), [{'ip': '241.0.0.1'}])
        self.assertDone(self.drift('--zone', 'east', *paths), 0, '0 of 6')

    def test_the_bare_content(self):
        plain = self.file(self.plain(0))
        self.assertDone(self.adopt('--zone', 'east', plain), 2, '--mesh')
        self.assertDone(self.adopt('--zone', 'east', '--mesh', 'default', plain), 0, 'would adopt    2', 'would reserve  2', 'a host name, which is not a service')
        self.assertDone(self.adopt('--zone', 'east', '--mesh', 'default', '--apply', self.file(self.with_outbounds(0))), 0, 'adopted   2', 'reserved  2')
        self.assertEqual(self.vips(), {('east', 'backend'): ['241.0.0.1'], ('east', 'web_shop_svc_80'): ['241.0.0.2']})

    def test_the_oldest_form(self):
        path = self.file(config_map({'backend': '241.0.0.1', 'redis': '241.0.0.2', 'Bad': '241.0.0.3', 'none': ''}, 'mesh-1'))
        result = self.assertDone(self.adopt('--zone', 'east', '--apply', '--json', path), 1)
        self.assertEqual(result.verdicts(), {'backend': 'adopted', 'redis': 'adopted', 'Bad': 'rejected', 'none': 'no-vip'})
        self.assertEqual({item['mesh'] for item in result.json()['items']}, {'mesh-1'})

    def test_what_is_no_config(self):
        self.assertDone(self.adopt('--zone', 'east', self.file(config_map('not json'))), 2, 'kuma-default-dns-vips', 'not a JSON object')
        self.assertDone(self.adopt('--zone', 'east', '--json', self.file(config_map(''))), 2, 'the input has no service')


class KumaApi(KumaCase):
    def documents(self, count=25):
        return [document(f's{i}', f'241.0.1.{i}', 'east' if i % 2 else 'west') for i in range(count)]

    def test_all_pages_of_all_meshes_and_kinds(self):
        kuma = self.kuma(*self.documents(), document('x', '242.0.0.1', kind='MeshExternalService'), document('o', '241.0.2.1', mesh='other'),
                         document('m', '243.0.0.1', kind='MeshMultiZoneService'), meshes=['default', 'other', 'empty'])
        kuma.page = 12
        result = self.assertDone(self.adopt('--kuma-url', kuma.url + '/', '--json'), 0)
        self.assertEqual(result.json()['counts']['would adopt'], 28)
        kuma.public = None
        result = self.assertDone(self.adopt('--kuma-url', kuma.url, '--mesh', 'default', '--json'), 0)
        self.assertEqual(result.json()['counts']['would adopt'], 27)
        self.assertEqual(self.assertDone(self.adopt('--kuma-url', kuma.url, '--mesh', 'other', '--json'), 0).verdicts(), {'o': 'would adopt'})
        self.assertDone(self.adopt('--kuma-url', kuma.url, '--apply'), 0, 'adopted  28')
        self.assertEqual(self.vips()['west', 's24'], ['241.0.1.24'])
        kuma.kinds = {'meshservices'}
        self.assertDone(self.drift('--kuma-url', kuma.url), 0, '0 of 26')

    def test_with_files(self):
        kuma = self.kuma(document('a', '241.0.0.1'))
        result = self.assertDone(self.adopt('--kuma-url', kuma.url, '--json', self.list(document('b', '241.0.0.2'))), 0)
        self.assertEqual(result.verdicts(), {'a': 'would adopt', 'b': 'would adopt'})

    def test_tokens(self):
        kuma = self.kuma(*self.documents())
        kuma.token, kuma.page, kuma.public = 'se.cr-et', 10, 'http://127.0.0.1:1'
        url = ['--kuma-url', kuma.url]
        self.assertDone(self.adopt(*url), 2, 'wants a token', '--kuma-token-file')
        self.assertDone(self.adopt(*url, '--kuma-token-file', self.file('wrong', 'token')), 2, 'does not accept the token')
        self.assertDone(self.adopt(*url, '--kuma-token-file', self.file('', 'token')), 2, 'does not hold a token')
        self.assertDone(self.adopt(*url, '--kuma-token-file', self.file('a b"\n', 'token')), 2, 'does not hold a token')
        self.assertDone(self.adopt(*url, '--kuma-token-file', 'missing'), 2, 'cannot be read')
        kuma.requests.clear()
        self.assertDone(self.adopt(*url, '--kuma-token-file', self.file('se.cr-et\n', 'token'), HOLDFAST_TOKEN='ours'), 0, 'would adopt  25')
        self.assertEqual({authorization for _, _, authorization in kuma.requests}, {'Bearer se.cr-et'})

    def assertNothing(self, kuma, status, *words):
        return self.assertUntouched(lambda: self.assertDone(self.adopt('--apply', '--kuma-url', kuma.url), status, *words))

    def test_answers_that_cannot_be_used(self):
        kuma = self.kuma(*self.documents())
        kuma.page = 10
        answers = {'no JSON': ((200, 'text/html', b'<html>gateway</html>'), 2, ['not a list in JSON', 'text/html']),
                   'no list': (kuma.json(200, {'hello': 'there'}), 2, ['not a list in JSON']),
                   'cut off': ((200, 'application/json', b'{"items":[{"type":"MeshService"'), 2, ['not a list in JSON']),
                   'trouble': (kuma.problem(503, 'later'), 3, ['HTTP 503']), 'a redirection': ((302, 'text/html', b''), 2, ['redirection']),
                   'another refusal': (kuma.problem(400, 'no'), 2, ['HTTP 400'])}
        for name, (answer, status, words) in answers.items():
            for when in ('first', 'midway'):
                with self.subTest(name, when=when):
                    kuma.hook = lambda path, query: answer if when == 'first' or query.get('offset') == '20' else None
                    self.assertNothing(kuma, status, *words)
        kuma.hook = lambda path, query: kuma.problem(404, 'no')
        self.assertNothing(kuma, 2, 'HTTP 404')
        kuma.hook = None
        self.assertDone(self.adopt('--kuma-url', kuma.url + '/gui'), 2, 'HTTP 404')
        kuma.kinds = set()
        self.assertNothing(kuma, 2, 'HTTP 404')

    def test_pages_without_end(self):
        kuma = self.kuma(*self.documents(5))
        kuma.page = 2
        for follow in (lambda query: '2', lambda query: str(int(query.get('offset', 0)) + 2)):
            kuma.requests.clear()
            kuma.hook = lambda path, query: kuma.json(200, {'total': 5, 'items': kuma.documents[:2], 'next': f'{kuma.url}{path}?offset={follow(query)}'}) \
                if path.endswith('meshservices') else None
            self.assertNothing(kuma, 2, 'do not end')
            self.assertLess(len(kuma.requests), 50)
        kuma.hook = lambda path, query: kuma.json(200, {'total': 5, 'items': kuma.documents[:2], 'next': kuma.url + '/elsewhere'})
        self.assertNothing(kuma, 2, 'cannot be followed')

    def test_nobody_there(self):
        self.assertDone(self.adopt('--kuma-url', 'http://127.0.0.1:1'), 3, 'Kuma at http://127.0.0.1:1 cannot be reached')
        path = self.list(document('a', '241.0.0.1'))
        for command in ('kuma-import', 'kuma-drift'):
            self.assertDone(self.run_command(command, path, HOLDFAST_URL='http://127.0.0.1:1'), 3, 'cannot be reached')


class Meanwhile(KumaCase):
    """What happens while the command runs; a proxy knows when."""

    def between(self, hook):
        between = Between(self.server.port, hook)
        self.addCleanup(between.close)
        return between

    def test_what_is_taken_between_check_and_adoption_is_not_replaced(self):
        def hook(method, target):
            if method == 'PUT' and not taken:
                taken.append(self.server.put(lease_path('thief', 'west') + '?address=241.0.0.1'))
                taken.append(self.server.put(lease_path('b') + '?address=241.0.0.9'))
        taken = []
        between = self.between(hook)
        path = self.list(document('a', '241.0.0.1'), document('b', '241.0.0.2'), document('c', '241.0.0.3'))
        result = self.assertDone(self.adopt('--apply', '--json', path, HOLDFAST_URL=between.url, HOLDFAST_TOKEN='o"u\\rs'), 1,
                                 '2 addresses were taken between the check and the adoption')
        self.assertEqual(result.verdicts(), {'a': 'conflict', 'b': 'conflict', 'c': 'adopted'})
        self.assertIn('since it was checked: address: 241.0.0.1 is bound to', result.json()['items'][0]['detail'])
        self.assertEqual(self.vips(), {('west', 'thief'): ['241.0.0.1'], ('east', 'b'): ['241.0.0.9'], ('east', 'c'): ['241.0.0.3']})
        self.assertGreater(len(between.requests), 4)
        self.assertEqual({authorization for _, _, authorization in between.requests}, {'Bearer o"u\\rs'})

    def test_the_server_goes_away_midway(self):
        puts = []

        def hook(method, target):
            if method == 'PUT':
                puts.append(target)
                if len(puts) > 5:
                    raise ConnectionError
        between = self.between(hook)
        path = self.list(*(document(f's{i}', f'241.0.0.{i}') for i in range(40)))
        result = self.assertDone(self.adopt('--apply', '--json', path, HOLDFAST_URL=between.url), 3, 'cannot be reached')
        counts = result.json()['counts']
        self.assertEqual((counts['adopted'], counts['failed']), (5, 35))
        self.assertEqual(len(self.vips()), 5)
        self.assertDone(self.adopt('--apply', path), 0, 'adopted  35', 'right    5')
        self.assertEqual(self.vips(), {('east', f's{i}'): [f'241.0.0.{i}'] for i in range(40)})


class Arguments(KumaCase):
    ALONE = False

    def test_wrong_ones(self):
        path = self.list(document('a', '241.0.0.1'))
        for command in ('kuma-import', 'kuma-drift'):
            for args, word in ((['--nonsense', path], '--nonsense'), (['--zone'], '--zone'), (['--zone=', path], '--zone'), (['--zone', 'A b', path], '--zone'),
                               (['--mesh=../x', path], '--mesh'), (['--json=yes', path], '--json'), ([], 'nothing to read'), (['--kuma-url', 'kuma:5681'], '--kuma-url'),
                               (['--kuma-url', 'http://kuma/?a=b'], '--kuma-url'), (['--kuma-url', 'http://kuma/"'], '--kuma-url'),
                               (['--kuma-token-file', path, path], '--kuma-token-file'), (['missing.json'], 'missing.json'),
                               ([self.directory], self.directory), (['-', '-'], 'more than once'), ([''], 'unknown argument')):
                with self.subTest(command, args=args):
                    self.assertDone(self.run_command(command, *args), 2, word)
            self.assertDone(self.run_command(command, '--help'), 0, 'Usage: holdfast ' + command, 'Exit status')
        self.assertDone(self.adopt('--quiet', path), 2)
        self.assertDone(self.drift('--apply', path), 2)

    def test_input_that_cannot_be_read(self):
        for content, words in (('', ['input.json is empty']), ('not json', ['input.json', 'is not JSON']), ('{"items": [', ['input.json', 'is not JSON']),
                               ('{"items": [1]}', ['input.json', 'number']), ({'hello': 'there'}, ['neither a resource nor a list']),
                               ({'kind': 'Status', 'message': 'forbidden'}, ['error', 'forbidden']),
                               ({'type': '/std-errors', 'status': 404, 'title': 'x'}, ['neither a resource'])):
            with self.subTest(content=content):
                self.assertDone(self.adopt('--zone', 'east', self.list(document('a', '241.0.0.1'), name='good.json'), self.file(content)), 2, *words)
        self.assertDone(self.adopt('-', stdin=''), 2, 'standard input is empty')
        result = self.assertDone(self.adopt('--json', self.file({'items': [{'type': 'Dataplane', 'name': 'dp'}, document('a')]})), 0)
        self.assertEqual(result.verdicts(), {'dp': 'skipped', 'a': 'no-vip'})

    def test_input_without_a_service_is_no_good_news(self):
        for content in ({'items': []}, {'items': [{'type': 'Dataplane', 'name': 'dp'}]}, {'total': 0, 'items': None}):
            for command, *args in (['kuma-drift', '--quiet'], ['kuma-drift', '--json'], ['kuma-import'], ['kuma-import', '--apply']):
                self.assertEqual(self.assertDone(self.run_command(command, *args, self.file(content)), 2, 'the input has no service').out, '')
        self.assertDone(self.drift('--quiet', '--mesh', 'other', self.list(document('a', '241.0.0.1'))), 2, 'the input has no service of mesh other')


class Drift(KumaCase):
    def shuffled(self, documents):
        """What an allocator that forgets makes of it: everybody's VIP is another's."""
        documents = copy.deepcopy(documents)
        states = [document['status'] for document in documents]
        for one, state in zip(documents, states[1:] + states[:1]):
            one['status'] = state
        return documents

    def test_what_has_moved(self):
        documents = [document(f's{i}', f'241.0.1.{i}', 'east' if i % 2 else 'west', modificationTime='2026-06-01T12:00:00Z') for i in range(9)]
        kuma, path = self.kuma(), self.list(*documents)
        self.assertDone(self.adopt('--apply', path), 0)
        self.assertDone(self.drift(path), 0, '0 of 9 services')
        quiet = self.assertDone(self.drift('--quiet', path), 0)
        self.assertEqual((quiet.out, quiet.err), ('', ''))
        self.assertEqual(self.assertDone(self.drift('--quiet', '--json', path), 0).out, '')
        kuma.documents = self.shuffled(documents[:6]) + documents[6:] + [document('new', '241.9.9.9'), document('waits')]
        result = self.assertUntouched(lambda: self.assertDone(self.drift('--json', '--kuma-url', kuma.url), 1)).json()
        self.assertEqual(result['counts'], {'moved': 6, 'taken': 0, 'no-lease': 1, 'rejected': 0, 'same': 3, 'no-vip': 1, 'skipped': 0})
        moved = [item for item in result['items'] if item['verdict'] == 'moved']
        self.assertEqual([(item['service'], item['kuma'], item['holdfast']) for item in moved],
                         [(f's{i}', [f'241.0.1.{(i + 1) % 6}'], [f'241.0.1.{i}']) for i in range(6)])
        for item in moved:
            lease = self.server.get(lease_path(item['service'], item['zone'])).json()
            self.assertEqual((item['since'], item['kumaModifiedAt']), (lease['createdAt'], '2026-06-01T12:00:00Z'))
        self.assertDone(self.drift('--quiet', '--kuma-url', kuma.url), 1, 's5', '241.0.1.0', '6 of 10 services', '1 has no lease')

    def test_no_lease_is_no_move(self):
        self.server.put(lease_path('q') + '?address=241.0.0.2')
        self.server.put(lease_path('r') + '?address=241.0.0.3')
        for name in 'qr':
            self.server.delete(lease_path(name))
        path = self.list(document('q', '241.0.0.2'), document('new', '10.0.0.1'))
        self.assertDone(self.drift(path), 0, 'no-lease', 'in quarantine', '2 have no lease')
        self.assertDone(self.drift(self.list(document('r', '241.0.0.9'))), 1, 'moved', '241.0.0.3')

    def test_who_has_no_lease_while_another_has_its_vip(self):
        self.server.put(lease_path('holder', 'west') + '?address=241.0.0.9')
        self.server.put(lease_path('gone', 'west') + '?address=241.0.0.10')
        self.server.delete(lease_path('gone', 'west'))
        pool = self.server.get('/v1/pools/meshservice').json()
        self.server.put('/v1/pools/meshservice', {'cidrs': pool['cidrs'], 'kinds': pool['kinds'], 'reserved': ['241.0.0.11']})
        path = self.list(document('a', '241.0.0.9'), document('b', '241.0.0.10'), document('c', '241.0.0.11'), document('d', '241.0.0.12'))
        result = self.assertUntouched(lambda: self.assertDone(self.drift('--json', path), 1))
        self.assertEqual(result.verdicts(), {'a': 'taken', 'b': 'taken', 'c': 'taken', 'd': 'no-lease'})
        self.assertEqual(result.json()['counts']['taken'], 3)
        for item, words in zip(result.json()['items'], ('held by MeshService holder of zone west', 'in quarantine for MeshService gone', 'reserved in pool')):
            self.assertIn(words, item['detail'])
        self.assertDone(self.drift('--quiet', path), 1, 'taken', '0 of 4 services with a VIP in Kuma have moved; 3 have their VIPs taken by others; 1 has no lease')

    def test_listed_twice(self):
        self.server.put(lease_path('a') + '?address=241.0.0.1')
        path = self.list(document('a', '241.0.0.1'), document('a', '241.0.0.1'), document('a', '241.0.0.2'))
        result = self.assertDone(self.drift('--json', path), 1)
        self.assertEqual([item['kuma'] for item in result.json()['items']], [['241.0.0.2']])


class Mass(KumaCase):
    def test_thousands(self):
        documents = [document(f's{i}', f'241.3.{i // 256}.{i % 256}', 'east' if i % 2 else 'west', labels={'note': 'x' * 300}) for i in range(MASS)]
        kuma = self.kuma(*documents)
        self.assertDone(self.adopt('--apply', '--kuma-url', kuma.url), 0, f'adopted  {MASS}')
        self.assertEqual(self.vips(), {(one['labels']['kuma.io/zone'], one['name']): [one['status']['vips'][0]['ip']] for one in documents})
        self.assertDone(self.drift('--kuma-url', kuma.url), 0, f'0 of {MASS}')

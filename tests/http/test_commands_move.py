"""The front command: moves, transfers and renames."""
import json
import unittest

from between import Between
from front import CommandCase, Fake, ask, complete, run
from harness import config, lease_path, vip


def pair(service, to, zone='east', mesh='default'):
    return {'from': {'mesh': mesh, 'zone': zone, 'service': service}, 'to': {'mesh': mesh, 'zone': zone, 'service': to}}


class MovingCase(CommandCase):
    def between(self, hook, server=None):
        between = Between((server or self.server).port, hook)
        self.addCleanup(between.close)
        return between

    def lease(self, service, zone='east', **more):
        """The lease; None if there is none."""
        answer = self.server.get(lease_path(service, zone, **more), check=False)
        return answer.json() if answer.status == 200 else None

    def wrote_nothing(self, status, words, *args, **more):
        self.assertWritesNothing(lambda: self.refused(status, words, *args, **more))


class Moves(MovingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put('/v1/pools/both', {'cidrs': ['10.7.0.0/24', 'fd00:7::/64'], 'zones': ['no-zone']})

    def test_both_addresses_and_until_when(self):
        old = vip(self.server.put(lease_path('kept'), config()))
        lines = self.run_ok('leases', 'move', 'east', 'kept', '--pool', 'both', '--overlap', '1h').out.splitlines()
        lease = self.lease('kept')
        new, until = ','.join(v['ip'] for v in lease['vips']), lease['previousVips'][0]['until'][:19] + 'Z'
        self.assertEqual(lines, [f'moved: kept of zone east from {old} to {new}, in pool both', f'{old} works as well until {until} at the earliest'])
        self.assertIn(f'kept of zone east is at {new} already, in pool both; nothing was changed',
                      self.assertWritesNothing(lambda: self.run_ok('leases', 'move', 'east', 'kept', '--pool', 'both', '--overlap', '1h').out))
        self.assertRegex(self.run_ok('leases', 'show', 'east', 'kept').out, rf'(?m)^previous vip +{old} until {until} at the earliest$')
        self.assertRegex(self.run_ok('leases', 'vip', old).out, rf'(?m)^previous +until {until} at the earliest; the lease has {new} now$')
        self.assertRegex(self.run_ok('pools', 'show', 'meshservice').out, r' \d of the leased kept by leases that were moved away')
        answer = self.run_ok('leases', 'move', 'east', 'kept', '--address', '10.7.0.77', '--address', 'fd00:7::77', '--overlap=2h', '--json').json()
        self.assertEqual(([v['ip'] for v in answer['vips']], len(answer['previousVips'])), (['10.7.0.77', 'fd00:7::77'], 3))

    def test_without_an_overlap_it_asks(self):
        old = vip(self.server.put(lease_path('asked', mesh='m', kind='MeshExternalService'), config()))
        args = 'leases', 'move', 'east', 'asked', '--mesh', 'm', '--kind', 'MeshExternalService', '--address', '242.0.0.99'
        self.wrote_nothing(2, 'a move without an overlap needs confirmation', *args)
        result = self.assertWritesNothing(lambda: ask(*args, server=self.server, answer='n'))
        self.assertEqual(result.status, 1)
        self.assertIn(f'Move MeshExternalService asked of zone east, mesh m, away from {old}, without an overlap? {old} is free at once', result.out)
        self.assertIn(f'to 242.0.0.99, in pool meshexternalservice\n{old} no longer belongs to it', ask(*args, server=self.server, answer='y').out)
        self.assertIn('is at 242.0.0.99 already', self.run_ok(*args, '--yes').out)

    def test_only_as_it_was(self):
        for name, query in (('tagged', ''), ('versioned', '?version=v7')):
            etag = self.server.put(lease_path(name) + query, config()).header('ETag')
            tag = self.run_ok('leases', 'show', 'east', name).out.split('\ntag ')[1].split('\n')[0].strip()
            self.assertEqual(f'"{tag}"', etag)
            self.wrote_nothing(1, 'precondition-failed: ', 'leases', 'move', 'east', name, '--overlap', '1h', '--if-match', '1')
            self.run_ok('leases', 'move', 'east', name, '--overlap', '1h', '--if-match', tag)
        self.wrote_nothing(1, 'invalid-parameter: If-Match', 'leases', 'move', 'east', 'tagged', '--overlap', '1h', '--if-match', '"x')

    def test_a_zone_that_is_offline(self):
        self.server.put('/v1/zones/ice/connection', {'instance': 'i'})
        self.server.put(lease_path('frozen', 'ice'), config())
        self.server.delete('/v1/zones/ice/connection')
        args = 'leases', 'move', 'ice', 'frozen', '--overlap', '1h'
        self.wrote_nothing(1, 'zone-offline: ', *args)
        self.assertTrue(run(*args, server=self.server).err.endswith(' (--force)\n'))
        self.assertIn('moved: frozen', self.run_ok(*args, '--force').out)

    def test_what_is_refused(self):
        self.server.put(lease_path('one'), config())
        taken = vip(self.server.put(lease_path('two'), config()))
        self.server.put(lease_path('three'), config())
        self.server.delete(lease_path('three'))
        for words, args in (('not-found: ', ('east', 'nobody')), ('invalid-name: ', ('..', 'one')), ('address-taken: ', ('east', 'one', '--address', taken)),
                            ('lease-exists: ', ('east', 'three')), ('invalid-address: ', ('east', 'one', '--address', 'x')), ('no-pool: ', ('east', 'one', '--pool', 'nix')),
                            ('invalid-parameter: ', ('east', 'one', '--address', '10.7.0.1', '--address', '10.7.0.2')),
                            ('address-outside-pool: ', ('east', 'one', '--pool', 'both', '--address', '241.0.0.200'))):
            self.wrote_nothing(1, 'holdfast leases: ' + words, 'leases', 'move', *args, '--overlap', '1h')

    def test_bad_arguments(self):
        fake = Fake({})
        self.addCleanup(fake.close)
        self.refused_each(2, lambda line: f'holdfast {line.split()[0]}: ', (
            'leases move', 'leases move east', 'leases move east a b --overlap 1h', 'leases move east a --overlap', 'leases move east a --overlap 1w',
            'leases move east a --overlap 367d', 'leases move east a --to-zone x', 'leases move east a --dry-run', 'leases show east a --overlap 1h',
            'leases transfer', 'leases transfer a b', 'leases transfer a b c', 'leases transfer a b c d', 'leases transfer a b c d e --yes',
            'leases transfer a b a b --yes', 'leases transfer a b c d --max-release 101 --yes', 'leases transfer a b c d --max-release x --yes',
            'leases transfer a b c d --to-kind Service', 'leases transfer --file', 'leases transfer a --file f', 'leases transfer --file f --mesh m',
            'leases transfer --file /nowhere --yes', 'leases transfer --file / --dry-run', 'leases transfer --file - --yes', 'leases purge a b --file x',
            'zones rename', 'zones rename a --yes'), server=fake)
        self.assertEqual(fake.seen, [])


class Transfers(MovingCase):
    def test_one(self):
        old = self.server.put(lease_path('api.shop', mesh='m') + '?version=v', config()).json()
        args = 'leases', 'transfer', 'east', 'api.shop', 'east', 'api.shop-v2', '--mesh', 'm'
        self.wrote_nothing(2, 'a transfer needs confirmation', *args)
        result = self.assertWritesNothing(lambda: ask(*args, server=self.server, answer='n'))
        self.assertIn('Transfer api.shop of zone east, mesh m, to api.shop-v2 of zone east, mesh m? The addresses go along', result.out)
        self.assertIn('would transfer 1 lease', self.assertWritesNothing(lambda: self.run_ok(*args, '--dry-run').out))
        self.assertIn('transferred: 1 lease, each with its address, at revision', ask(*args, server=self.server, answer='y').out)
        new = self.lease('api.shop-v2', mesh='m')
        self.assertEqual([new[name] for name in ('vips', 'generation', 'version', 'createdAt')], [old[name] for name in ('vips', 'generation', 'version', 'createdAt')])
        self.assertIsNone(self.lease('api.shop', mesh='m'))
        self.wrote_nothing(1, 'it may have been transferred before', *args, '--yes')
        answer = self.run_ok('leases', 'transfer', 'east', 'api.shop-v2', 'west', 'api', '--mesh', 'm', '--to-mesh', 'n', '--yes', '--max-release', 100, '--json').json()
        self.assertEqual((answer['transferred'], answer['results'][0]['to']), (1, {'kind': 'MeshService', 'mesh': 'n', 'zone': 'west', 'service': 'api'}))

    def test_many_from_a_file(self):
        names = [f'bulk-{i}' for i in range(30)]
        for name in names:
            self.server.put(lease_path(name, 'bulk'), config())
        lines = '\n'.join(json.dumps(pair(name, name + '-new', 'bulk')) for name in names)
        self.assertEqual(self.run_ok('leases', 'transfer', '--file', '-', '--dry-run', input=lines).out, 'would transfer 30 leases, each with its address; nothing was written\n')
        self.assertRegex(self.run_ok('leases', 'transfer', '--file', '-', '--yes', input=lines).out, r'^transferred: 30 leases, each with its address, at revision \d+\n$')
        whole = json.dumps({'items': [pair(name + '-new', name, 'bulk') for name in names[:3]]}, indent=1)
        table = self.run_ok('leases', 'transfer', '--file', '/dev/stdin', '--yes', input=whole).table()
        self.assertEqual((table[0], table[1][:2], len(table)), (['FROM', 'TO', 'VIP'], ['bulk-0-new of zone bulk, mesh default', 'bulk-0 of zone bulk, mesh default'], 5))

    def test_what_is_refused_as_a_whole(self):
        for name in ('a', 'b', 'c'):
            self.server.put(lease_path(f'bad-{name}'), config())
        for words, items in (('not-found: item 2: ', [pair('bad-a', 'x'), pair('nobody', 'y')]), ('lease-exists: item 2: ', [pair('bad-a', 'x'), pair('bad-b', 'bad-c')]),
                             ('lease-exists: item 1: ', [pair('bad-a', 'bad-b'), pair('bad-b', 'bad-a')]), ('invalid-parameter: item 1: ', [pair('bad-a', 'bad-a')]),
                             ('invalid-parameter: item 2: ', [pair('bad-a', 'x'), pair('bad-a', 'y')]), ('invalid-parameter: item 2: ', [pair('bad-a', 'x'), pair('bad-b', 'x')]),
                             ('invalid-name: ', [pair('bad-a', 'No')]), ('invalid-', [{'from': {}, 'to': {}}])):
            self.wrote_nothing(1, words, 'leases', 'transfer', '--file', '-', '--yes', input='\n'.join(json.dumps(item) for item in items))
            self.wrote_nothing(1, words, 'leases', 'transfer', '--file', '-', '--dry-run', input=json.dumps({'items': items}))
        for text in ('', '{"items":[]}', '{', '[1]', 'null', '{"from":{}}', '{"items":[{"from":1,"to":{}}]}'):
            self.wrote_nothing(2, 'holdfast leases: standard input', 'leases', 'transfer', '--file', '-', '--yes', input=text)

    def test_the_guard_and_a_zone_that_is_offline(self):
        self.server.put('/v1/zones/shut/connection', {'instance': 'i'})
        for i in range(20):
            self.server.put(lease_path(f's{i}', 'shut'), config())
        lines = '\n'.join(json.dumps({'from': {'mesh': 'default', 'zone': 'shut', 'service': f's{i}'}, 'to': {'mesh': 'default', 'zone': 'open', 'service': f's{i}'}})
                          for i in range(12))
        args = 'leases', 'transfer', '--file', '-', '--yes'
        self.wrote_nothing(1, 'mass-release-guard: ', *args, input=lines)
        self.assertTrue(run(*args, server=self.server, input=lines).err.endswith('(--max-release 100, if that is meant)\n'))
        self.server.delete('/v1/zones/shut/connection')
        self.wrote_nothing(1, 'zone-offline: ', *args, '--max-release', '100', input=lines)
        self.run_ok(*args, '--max-release', '100', '--force', input=lines)


class Renames(MovingCase):
    def setUp(self):
        self.old, self.new = self.name()[:50] + '-old', self.name()[:50] + '-new'

    def fill(self):
        """Leases of two kinds and meshes, one of them in quarantine."""
        paths = [lease_path('a', self.old), lease_path('b', self.old, mesh='m'), lease_path('c', self.old, kind='MeshExternalService'), lease_path('d', self.old)]
        for path in paths:
            self.server.put(path, config())
        self.server.delete(paths[-1])
        return self.of(self.old)

    def of(self, zone):
        return {(lease['kind'], lease['mesh'], lease['service']): (lease['vips'], lease['state']) for lease in self.server.stream(f'?zone={zone}')[0]}

    def test_all_of_a_zone(self):
        before = self.fill()
        self.wrote_nothing(2, 'renaming a zone needs confirmation', 'zones', 'rename', self.old, self.new)
        result = self.assertWritesNothing(lambda: ask('zones', 'rename', self.old, self.new, server=self.server, answer='n'))
        self.assertIn(f'Rename zone {self.old} to {self.new}: transfer 4 leases (1 of them in quarantine), each with its address?', result.out)
        self.assertEqual(self.assertWritesNothing(lambda: self.run_ok('zones', 'rename', self.old, self.new, '--dry-run').out),
                         f'would rename zone {self.old} to {self.new}: 4 leases (1 of them in quarantine), each with its address; nothing was written\n')
        out = ask('zones', 'rename', self.old, self.new, server=self.server, answer='y').out
        self.assertIn(f'renamed: zone {self.old} to {self.new}, 4 leases', out)
        self.assertIn(f'next: start it under the name {self.new}; when {self.new} is online, retire the old name: holdfast zones retire {self.old}', out)
        self.assertEqual((self.of(self.old), self.of(self.new)), ({}, before))
        result = self.assertWritesNothing(lambda: run('zones', 'rename', self.old, self.new, '--yes', server=self.server))
        self.assertEqual((result.status, result.out), (0, ''))
        self.assertIn('has no leases; there is nothing to rename', result.err)
        self.run_ok('zones', 'retire', self.old, '--yes')
        self.wrote_nothing(1, f'not-found: zone "{self.old}" is unknown', 'zones', 'rename', self.old, self.new, '--yes')

    def test_a_part(self):
        self.fill()
        answer = self.run_ok('zones', 'rename', self.old, self.new, '--mesh', 'm', '--yes', '--json').json()
        self.assertEqual((answer['transferred'], [item['to']['service'] for item in answer['results']]), (1, ['b']))
        self.run_ok('zones', 'rename', self.old, self.new, '--kind', 'MeshService', '--mesh', 'default', '--yes')
        self.assertEqual((list(self.of(self.old)), len(self.of(self.new))), ([('MeshExternalService', 'default', 'c')], 3))

    def test_the_state_of_the_zone(self):
        """Online, it would go on under its old name; offline, it is renamed as a whole."""
        self.fill()
        self.server.put(f'/v1/zones/{self.old}/connection', {'instance': 'i'})
        for more in ('--yes', '--dry-run'):
            self.wrote_nothing(1, f'zone-online: zone {self.old} is online', 'zones', 'rename', self.old, self.new, more)
        self.assertIn(f'next: stop the control plane of {self.old}', self.run_ok('zones', 'rename', self.old, self.new, '--yes', '--force').out)
        self.server.put(f'/v1/zones/{self.new}/connection', {'instance': 'i'})
        self.server.delete(f'/v1/zones/{self.new}/connection')
        self.run_ok('zones', 'rename', self.new, self.old, '--yes')
        self.assertEqual(len(self.of(self.old)), 4)

    def test_names_that_both_have(self):
        self.fill()
        self.server.put(lease_path('a', self.new), config())
        self.server.put(lease_path('b', self.new), config())
        for more in ('--yes', '--dry-run'):
            self.wrote_nothing(1, f'lease-exists: zone {self.new} has 1 lease of the same name already: a (mesh default)', 'zones', 'rename', self.old, self.new, more)
        self.server.delete(lease_path('a', self.new) + '?purge=true')
        self.run_ok('zones', 'rename', self.old, self.new, '--yes')
        self.assertEqual(len(self.of(self.new)), 5)
        self.wrote_nothing(1, 'invalid-name: ', 'zones', 'rename', self.new, 'No', '--yes')

    def test_leases_that_come_and_go_meanwhile(self):
        self.fill()
        gone = [lease_path('d', self.old), None]

        def hook(method, target):
            if method == 'POST' and gone:
                path = gone.pop(0)
                if path:
                    self.server.delete(path + '?purge=true')
                else:
                    self.server.put(lease_path('late', self.old), config())
        between = self.between(hook)
        result = run('zones', 'rename', self.old, self.new, '--yes', server=between.url)
        self.assertEqual((result.status, len(self.of(self.new)), list(self.of(self.old))), (1, 3, [('MeshService', 'default', 'late')]), result)
        self.assertIn(f'1 lease came to zone {self.old} meanwhile, such as late of zone {self.old}: stop its control plane, and run this again', result.err)
        self.run_ok('zones', 'rename', self.old, self.new, '--yes')
        self.assertEqual(len(self.of(self.new)), 4)

    def test_completion(self):
        self.fill()
        self.assertEqual(complete('zones', 'rename', self.old[:-3], server=self.server), [self.old])
        self.assertEqual(complete('zones', 'rename', self.old, self.old[:-3], server=self.server), [self.old])
        self.assertEqual(complete('zones', 'rename', 'a', 'b', '--', server=self.server), ['--dry-run', '--force', '--help', '--json', '--kind', '--mesh', '--yes'])
        self.assertEqual(complete('leases', 'transfer', self.old, 'a', self.old[:-3], server=self.server), [self.old])
        self.assertEqual(complete('leases', 'move', self.old, 'a', '--po', server=self.server), ['--pool'])
        self.assertEqual(complete('leases', 'transfer', '--f', server=self.server), ['--file', '--force'])
        self.assertEqual(complete('pools', 'migrate', 'meshs', server=self.server), ['meshservice'])
        self.assertEqual(complete('pools', 'migrate', 'meshservice', 'meshe', server=self.server), ['meshexternalservice'])


if __name__ == '__main__':
    unittest.main()

"""The front command: what all commands share, and zones, leases and pools."""
import glob
import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

import front
from front import CommandCase, Fake, ask, run
from harness import Server, config, lease_path

STATUS = {'version': '0.1.0', 'format': 4, 'storeId': 'ab', 'storeEpoch': 1, 'revision': 3, 'compactedRevision': 0,
          'leases': {'active': 0, 'quarantined': 0}, 'pools': 3, 'zones': 0, 'changes': 3, 'usedBytes': 4096, 'mapBytes': 8192,
          'createdAt': '2026-01-31T12:00:00.000Z', 'startedAt': '2026-01-31T12:00:00.000Z', 'uptimeSeconds': 1}
CONFIGURED = 'cidrs', 'strategy', 'quarantineSeconds', 'reserved', 'kinds', 'meshes', 'zones'


class Front(CommandCase):
    def test_it_lists_its_commands(self):
        for args in (('--help',), ('help',)):
            out = self.run_ok(*args).out
            for command in ('changes', 'leases', 'pools', 'status', 'zones'):
                self.assertRegex(out, rf'(?m)^  {command} +[A-Z]')
        for args in (('help', 'help'), ('--help', 'help'), ('help', '--help')):
            self.assertEqual(self.run_ok(*args).out, out)
        self.assertEqual(self.run_ok('--help', 'zones').out, self.run_ok('zones', '--help').out)
        self.refused(2, '"foo" is not a command', '--help', 'foo')
        self.assertEqual(run().status, 2)
        for bad in ('nix', '../run', 'lib.sh', '-x', 'zones;id'):
            self.assertEqual(self.refused(2, 'is not a command', bad).status, 2)

    def test_each_command_tells_how_it_is_used_and_takes_json(self):
        self.assertGreater(len(front.COMMANDS), 14)
        for command in front.COMMANDS:
            help_text = run(command, '--help').out
            self.assertTrue(help_text.startswith(f'Usage: holdfast {command} '), help_text)
            self.assertEqual(run('help', command).out, help_text)
            self.assertIn('--nonsense', self.refused(2, f'{command}: ', command, '--nonsense').err)

    def test_the_address_may_end_in_slashes(self):
        for end in ('/', '//'):
            url = f'http://127.0.0.1:{self.server.port}{end}'
            self.assertEqual(run('status', '--json', server=url).json()['storeEpoch'], 1)

    def test_an_address_that_is_none(self):
        for url in ('ftp://127.0.0.1', '127.0.0.1', '-K/etc/passwd', 'http://', 'http://a b', 'http://a/?x', 'http://a/#x'):
            result = run('status', server=url)
            self.assertEqual((result.status, result.out), (2, ''), (url, result))
            self.assertIn('HOLDFAST_URL', result.err)

    def test_no_server_is_3(self):
        with socket.socket() as closed:
            closed.bind(('127.0.0.1', 0))
            url = f'http://127.0.0.1:{closed.getsockname()[1]}'
            self.refused_each(3, lambda line: f'{line.split()[0]}: the server at {url} cannot be reached', (
                'status', 'zones', 'leases --json', 'pools', 'pools create x --cidr 10.0.0.0/8', 'changes', 'changes --follow',
                'zones offline east --yes'), server=url)

    def test_a_server_in_trouble_is_3_and_one_that_refuses_is_1(self):
        problem = json.dumps({'code': 'overloaded', 'detail': 'the queue is \033[31mfull'})
        for answer, status, words in (((503, problem), 3, 'overloaded: the queue is ?[31mfull'),
                                      ((502, '<html>'), 3, 'the server answered HTTP 502'),
                                      ((401, '{"code":"unauthorized","detail":"who?"}'), 1, 'unauthorized: who?'),
                                      ((400, ''), 1, 'the server answered HTTP 400'), ((403, ''), 1, 'the server answered HTTP 403')):
            fake = Fake({'/v1/zones': answer, '/v1/leases': answer})
            try:
                self.refused(status, f'holdfast zones: {words}', 'zones', server=fake)
                self.refused(status, words, 'leases', '--json', server=fake)
            finally:
                fake.close()

    def test_what_is_no_holdfast_is_3(self):
        html = '<html>hello</html>'
        commands = ('status', 'status --json', 'verify', 'zones', 'zones show x', 'leases', 'leases --json', 'leases show a b', 'leases vip 1.1.1.1',
                    'leases release a b --yes', 'pools', 'pools create x --cidr 10.0.0.0/8', 'pools delete x --yes', 'changes', 'changes --since 0')
        items = {'items': [1, 2], 'changes': [1], 'revision': 1, 'storeId': 'x', 'zone': 1, 'pool': 'x', 'service': 1, 'address': 1}
        for i, answer in enumerate(((200, html, 'text/html'), (200, html), (200, '{}'), (200, '[]'), (200, '{"items":1}'), (200, ''), (200, '{"items":['),
                       (200, '{"items":[]} {"items":[]}', 'text/plain'), (404, html, 'text/html'), (404, '{}'), (501, ''), (302, ''), (200, items),
                       (200, 'a\0b'))):
            class Answers(dict):
                def get(self, path, default=None, answer=answer):
                    return answer
            fake = Fake(Answers())
            try:
                for line in commands if i == 0 else commands[i % 4::4]:
                    if answer == (200, items) and line.split()[-1] in ('--json', '--yes', 'x', '10.0.0.0/8', 'b'):
                        continue
                    result = run(*line.split(), server=fake)
                    self.assertEqual(result.status, 3, (answer, line, result))
                    self.assertRegex(result.err, r'^(holdfast [a-z]+: the answer of \S+ is not what a Holdfast server answers\n)+$', (answer, line))
            finally:
                fake.close()

    def test_an_odd_version_is_no_null(self):
        for odd in ({'version': None}, {'version': ['x'], 'format': {}}, {'format': ''}):
            fake = Fake({'/v1/status': {**STATUS, **odd}})
            self.addCleanup(fake.close)
            self.assertRegex(run('status', server=fake).out, 'unknown')

    def test_what_cannot_be_written_is_2(self):
        self.server.put(lease_path('written'), config())
        for line in ('--help', 'status', 'status --json', 'status --help', 'zones', 'zones --json', 'leases', 'leases --json', 'pools', 'verify', 'changes',
                     'changes --json', 'leases vip 1.1.1.1', 'leases vip 1.1.1.1 --json', 'pools show meshservice', 'export --help'):
            with open('/dev/full', 'w') as full:
                done = subprocess.run([front.FRONT, *line.split()], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
                                      timeout=front.RUN_S, check=False, env=front.environment(self.server))
            self.assertEqual(done.returncode, 2, (line, done.stderr))
            self.assertRegex(done.stderr, '^holdfast[ a-z]*: the output cannot be written\n$', line)

    def test_no_proxy_for_this_host(self):
        proxy, fake = Fake({}), Fake({'/v1/status': STATUS})
        self.addCleanup(proxy.close)
        self.addCleanup(fake.close)
        home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, home)
        with open(os.path.join(home, '.curlrc'), 'w', encoding='utf-8') as file:
            file.write(f'proxy = "http://127.0.0.1:{proxy.port}"\nnoproxy = ""\nverbose\n')
        address = f'http://127.0.0.1:{proxy.port}'
        for host in ('127.0.0.1', 'localhost', 'LOCALHOST'):
            result = run('status', server=f'http://{host}:{fake.port}',
                         env={'HOME': home, 'CURL_HOME': home, 'no_proxy': '', 'http_proxy': address, 'ALL_PROXY': address, 'HOLDFAST_TOKEN': 't'})
            self.assertEqual((result.status, result.err), (0, ''), result)
        self.assertEqual((proxy.seen, len(fake.seen)), ([], 3))

    def test_nothing_but_python_and_the_server_is_needed(self):
        """No temporary directory, and no program of PATH."""
        for args in (['leases'], ['zones', '--json'], ['verify'], ['changes'], ['pools']):
            self.run_ok(*args, env={'TMPDIR': '/nowhere', 'PATH': '/nowhere'})

    def test_nothing_is_written_beside_the_commands(self):
        self.run_ok('status')
        found = [folder for folder, *_ in os.walk(os.path.join(front.ROOT, 'scripts')) if os.path.basename(folder) == '__pycache__']
        self.assertEqual(found, [])

    def test_the_token_is_sent_and_not_shown(self):
        token, shown = 'a-secret"of\\mine', []

        def look():
            for path in glob.glob('/proc/[0-9]*/cmdline'):
                try:
                    with open(path, 'rb') as file:
                        shown.append(b'secret' in file.read())
                except OSError:
                    pass
        fake = Fake({'/v1/status': STATUS, '/v1/leases': {'items': [], 'continue': None, 'revision': 3}}, look)
        self.addCleanup(fake.close)
        for args in (['status'], ['leases']):
            self.assertEqual(run(*args, server=fake, env={'HOLDFAST_TOKEN': token}).status, 0)
        self.assertEqual([headers['Authorization'] for _, _, headers, _ in fake.seen], [f'Bearer {token}'] * 2)
        self.assertEqual((len(shown) > 1, any(shown)), (True, False))
        self.assertEqual(run('status', server=fake).status, 0)
        self.assertNotIn('Authorization', fake.seen[-1][2])
        self.assertEqual(run('status', server=fake, env={'HOLDFAST_TOKEN': 'x\nurl = "http://127.0.0.1/"'}).status, 2)
        self.assertEqual(len(fake.seen), 3)

    def test_terminals_obey_nothing_that_a_server_says(self):
        zone = {'zone': 'ea\033]0;x\x07st', 'state': 'on\u009bline', 'epoch': 1, 'instance': 'a\tb\nc\033[2J', 'reconnects': 0,
                'leases': {'active': 1, 'quarantined': 0}, 'digest': '\033', 'createdAt': STATUS['createdAt'],
                'changedAt': STATUS['createdAt'], 'lastSync': None}
        fake = Fake({'/v1/zones': {'items': [zone], 'revision': 3}, '/v1/zones/east': zone, '/v1/zones/east/connection': zone,
                     '/v1/addresses/1.1.1.1': {'address': '\033', 'pool': None, 'state': 'free', 'lease': None}})
        self.addCleanup(fake.close)
        for args in (['zones'], ['zones', 'show', 'east'], ['zones', 'offline', 'east', '--yes'], ['leases', '--vip', '1.1.1.1']):
            result = run(*args, server=fake)
            self.assertEqual(result.status, 0, result)
            self.assertNotRegex(result.out + result.err, '[\0-\x09\x0b-\x1f\x7f-\x9f]')

    def test_bad_arguments_are_2_and_nothing_is_sent(self):
        fake = Fake({})
        self.addCleanup(fake.close)
        self.refused_each(2, lambda line: f'holdfast {line.split()[0]}: ', (
            'status x', 'zones nix', 'zones list x', 'zones show', 'zones show a b', 'zones offline', 'zones --yes',
            'zones offline east', 'zones retire', 'zones retire a b', 'zones retire east', 'zones show a --purge', 'zones offline a --purge', 'leases a b', 'leases --zone', 'leases --limit x', 'leases --limit 0', 'leases --limit -1',
            'leases --limit 9999999999999999999', 'leases --state gone', 'leases --kind Service', 'leases --force',
            'leases --vip 1.1.1.1 --zone east', 'leases show east', 'leases show east a --state active', 'leases vip',
            'leases vip 1.1.1.1 x', 'leases release east redis', 'leases purge east redis', 'leases purge east --yes',
            'pools nix', 'pools show', 'pools create', 'pools create x', 'pools create x --cidr', 'pools edit x',
            'pools create x --cidr 10.0.0.0/8 --strategy random', 'pools create x --cidr 10.0.0.0/8 --quarantine h',
            'pools edit x --quarantine 1h30', 'pools edit x --quarantine 99999999999d', 'pools edit x --kind Service',
            'pools edit x --cidr 10.0.0.0/8', 'pools edit x --if-match 5', 'pools delete x --if-match y', 'pools create x --cidr 10.0.0.0/8 --if-match 1', 'pools drain x', 'pools delete x', 'pools delete x y --yes', 'pools --yes',
            'changes x', 'changes --since', 'changes --since now', 'changes --kind x', 'changes --follow --since 1 --limit 1'), server=fake)
        self.refused(2, 'value is missing', 'leases', '--zone', '', server=fake)
        self.assertEqual(fake.seen, [])


class Zones(CommandCase):
    def setUp(self):
        self.zone = self.name()[:60]
        self.server.put(f'/v1/zones/{self.zone}/connection', {'instance': 'leader-1'})
        self.server.post(f'/v1/zones/{self.zone}/sync?mode=full&mesh=*', {'items': [config(name='redis'), config(name='web')]})

    def test_list(self):
        table = self.run_ok('zones').table()
        self.assertEqual(table[0], ['ZONE', 'STATE', 'EPOCH', 'ACTIVE', 'QUARANTINED', 'RECONNECTS', 'LAST SYNC'])
        line = next(line for line in table if line[0] == self.zone)
        self.assertEqual(line[1:6], ['online', '1', '2', '0', '0'])
        self.assertRegex(line[6], r'^20..-..-..T..:..:..Z full: 2 created$')
        self.assertEqual(self.run_ok('zones', 'list').table()[0], table[0])
        self.assertIn(self.zone, [zone['zone'] for zone in self.run_ok('zones', '--json').json()['items']])

    def test_show(self):
        out, zone = self.run_ok('zones', 'show', self.zone).out, self.run_ok('zones', 'show', self.zone, '--json').json()
        for words in ('online since 20', 'leader-1', zone['digest'], '2 active, 0 in quarantine', '2 created', 'full, in '):
            self.assertIn(words, out)
        self.refused(1, 'holdfast zones: not-found: ', 'zones', 'show', 'nowhere')
        self.refused(1, 'holdfast zones: invalid-name: ', 'zones', 'show', '../$(id) %2f?x=1')
        self.server.put(lease_path('one', 'wild'))
        self.assertIn('none since the server started', self.run_ok('zones', 'show', 'wild').out)

    def test_offline_asks_first(self):
        self.refused(2, '--yes', 'zones', 'offline', self.zone)
        for answer in ('', 'n', 'nonsense'):
            result = ask('zones', 'offline', self.zone, server=self.server, answer=answer)
            self.assertEqual(result.status, 1, result)
            self.assertIn(f'Take zone {self.zone} offline (online, 2 leases, instance leader-1)?', result.out)
        self.assertEqual(self.server.get(f'/v1/zones/{self.zone}').json()['state'], 'online')
        self.assertIn('2 leases are frozen', ask('zones', 'offline', self.zone, server=self.server, answer='y').out)
        self.assertEqual(self.run_ok('zones', 'offline', self.zone, '--yes', '--json').json()['state'], 'offline')
        self.assertRegex(self.run_ok('zones').out, rf'(?m)^{self.zone} +offline')


    def test_retire_says_what_it_does_and_asks_first(self):
        self.refused(2, '--yes', 'zones', 'retire', self.zone)
        self.refused(1, 'can be retired (holdfast zones offline', 'zones', 'retire', self.zone, '--yes')
        self.run_ok('zones', 'offline', self.zone, '--yes')
        for args, words in (([], '2 leases go into quarantine, where 0 are already'), (['--purge'], 'the addresses of 2 leases come free at once')):
            result = ask('zones', 'retire', self.zone, *args, server=self.server, answer='n')
            self.assertEqual(result.status, 1, result)
            self.assertIn(f'Retire zone {self.zone} (offline, epoch 1) for good: {words}?', result.out)
        self.assertIn('is retired at epoch 1: 2 leases released, 2 in quarantine', ask('zones', 'retire', self.zone, server=self.server, answer='y').out)
        self.assertNotIn(self.zone, self.run_ok('zones').out)
        self.assertEqual(self.run_ok('zones', 'retire', self.zone, '--purge', '--yes', '--json').json()['purged'], 2)
        self.refused(1, 'was retired before', 'zones', 'retire', self.zone, '--purge', '--yes')


class Leases(CommandCase):
    def named(self, *args):
        return [lease['service'] for lease in self.run_ok('leases', *args, '--json').ndjson()]

    def test_find(self):
        for name in ('find-a', 'find-b'):
            self.server.put(lease_path(name, 'here'), config())
        self.server.put(lease_path('find-a', 'there', mesh='other', kind='MeshExternalService'), config())
        self.server.delete(lease_path('find-b', 'here'))
        self.assertEqual(self.named('find-a'), ['find-a', 'find-a'])
        for args, expected in ((['find-*'], ['find-a', 'find-b', 'find-a']), (['find', 'find-*', '--zone', 'here'], ['find-a', 'find-b']),
                               (['--zone=here', '--state', 'quarantined'], ['find-b']), (['--mesh', 'other'], ['find-a']),
                               (['--kind', 'MeshExternalService'], ['find-a']), (['--pool', 'meshexternalservice'], ['find-a']),
                               (['--zone', 'here', '--limit', '1'], ['find-a']), (['list', 'find-b'], ['find-b']), (['nothing'], [])):
            self.assertEqual(self.named(*args), expected, args)
        table = self.run_ok('leases', '--zone', 'here').table()
        self.assertEqual(table[0], ['ZONE', 'MESH', 'KIND', 'SERVICE', 'VIP', 'STATE', 'POOL', 'GEN', 'CHANGED'])
        self.assertEqual([line[3] for line in table[1:]], ['find-a', 'find-b'])
        self.refused(1, 'invalid-', 'leases', '$(id)&zone=x')
        self.refused(1, 'invalid-name: ', 'leases', '--zone', 'a b"\'')

    def test_by_vip_and_who_had_it(self):
        vip = self.server.put(lease_path('vip-1'), config()).json()['vips'][0]['ip']
        self.server.delete(lease_path('vip-1') + '?purge=true')
        self.assertIn(f'{vip} is free, in pool meshservice', run('leases', '--vip', vip, server=self.server).err)
        self.assertEqual(run('leases', '--vip', vip, '--json', server=self.server).out, '')
        self.server.put(lease_path('vip-2') + f'?address={vip}', config())
        self.assertEqual(self.named('--vip', vip), ['vip-2'])
        self.assertIn('vip-2', self.run_ok('leases', 'find', '--vip', vip).out)
        out = self.run_ok('leases', 'vip', vip).out
        self.assertRegex(out, r'(?m)^held by +MeshService vip-2 of zone east, mesh default$')
        self.assertRegex(out, r'(?ms)^FROM .*now .* vip-2$.* vip-1$')
        both = self.run_ok('leases', 'vip', vip, '--json').json()
        self.assertEqual((both['state'], [item['service'] for item in both['history']]), ('leased', ['vip-2', 'vip-1']))
        self.server.delete(lease_path('vip-2'))
        self.assertRegex(self.run_ok('leases', 'vip', vip).out, r'(?m)^until +20')
        self.refused(1, 'invalid-address: ', 'leases', 'vip', 'x/../y')
        self.assertIn('unmanaged', self.run_ok('leases', 'vip', 'fd00::1').out)

    def test_show(self):
        self.server.put(lease_path('shown', mesh='m', kind='MeshMultiZoneService') + '?version=v-7', config())
        args = 'leases', 'show', 'east', 'shown', '--mesh', 'm', '--kind', 'MeshMultiZoneService'
        lease = self.run_ok(*args, '--json').json()
        out = self.run_ok(*args).out
        for words in (lease['fingerprint'], lease['vips'][0]['ip'], 'v-7', 'meshmultizoneservice', 'active'):
            self.assertIn(words, out)
        self.refused(1, 'holdfast leases: not-found: ', 'leases', 'show', 'east', 'shown')
        self.refused(1, 'invalid-name: ', 'leases', 'show', '..', '../..')

    def test_release_and_purge(self):
        vip = self.server.put(lease_path('parted'), config()).json()['vips'][0]['ip']
        self.refused(2, '--yes', 'leases', 'release', 'east', 'parted')
        result = ask('leases', 'release', 'east', 'parted', server=self.server, answer='n')
        self.assertEqual((result.status, self.server.get(lease_path('parted')).json()['state']), (1, 'active'))
        self.assertIn(f'Release MeshService parted of zone east, mesh default, at {vip}?', result.out)
        self.assertIn(f'keeps {vip} in quarantine until 20', self.run_ok('leases', 'release', 'east', 'parted', '--yes').out)
        self.assertEqual(self.run_ok('leases', 'release', 'east', 'parted', '--yes', '--json').json()['state'], 'quarantined')
        result = ask('leases', 'purge', 'east', 'parted', server=self.server, answer='no')
        self.assertIn(f'Without quarantine, {vip} is free at once', result.out)
        self.assertEqual(self.server.get(lease_path('parted')).status, 200)
        self.assertIn(f'{vip} is free', ask('leases', 'purge', 'east', 'parted', server=self.server, answer='y').out)
        self.refused(1, 'not-found: ', 'leases', 'purge', 'east', 'parted', '--yes')
        self.run_ok('pools', 'create', 'leaving', '--cidr', '10.9.0.0/24', '--cidr', '10.10.0.0/24')
        self.server.put(lease_path('leaver') + '?pool=leaving', config())
        self.run_ok('pools', 'drain', 'leaving', '10.9.0.0/24')
        out = self.run_ok('leases', 'purge', 'east', 'leaver', '--yes').out
        self.assertIn('leaver of zone east is gone, which had 10.9.0.0', out)
        self.assertIn('10.9.0.0 is unmanaged: in no pool', out)

    def test_a_frozen_lease_is_released_by_force_alone(self):
        self.server.put('/v1/zones/ice/connection', {'instance': 'i'})
        self.server.put(lease_path('frozen', 'ice'), config())
        self.server.delete('/v1/zones/ice/connection')
        for verb in ('release', 'purge'):
            self.refused(1, 'holdfast leases: zone-offline: zone "ice" is offline', 'leases', verb, 'ice', 'frozen', '--yes')
            self.assertTrue(run('leases', verb, 'ice', 'frozen', '--yes', server=self.server).err.endswith(' (--force)\n'))
        self.assertIn('its 1 lease is frozen', self.run_ok('zones', 'offline', 'ice', '--yes').out)
        self.run_ok('leases', 'release', 'ice', 'frozen', '--yes', '--force')
        self.run_ok('leases', 'purge', 'ice', 'frozen', '--yes', '--force')

    def test_two_thousand_through_pages(self):
        server = Server()
        self.addCleanup(server.close)
        lines = ''.join(json.dumps({'name': f's{i}' + 'x' * (i % 90), 'spec': {}}) + '\n' for i in range(2000))
        answer = server.post('/v1/zones/big/sync?mode=full&mesh=*&return=none', lines, {'Content-Type': 'application/x-ndjson'})
        self.assertEqual(answer.json()['summary']['created'], 2000)
        leases = run('leases', '--json', server=server).ndjson()
        self.assertEqual((len({lease['service'] for lease in leases}), len(leases)), (2000, 2000))
        self.assertEqual(leases, server.stream()[0])
        table = run('leases', server=server).table()
        self.assertEqual((len(table), len({line[3] for line in table})), (2001, 2001))
        for limit in (499, 500, 501, 1999):
            self.assertEqual(len(run('leases', '--limit', limit, '--json', server=server).ndjson()), limit)


class Pools(CommandCase):
    def test_list_and_bar(self):
        self.server.put('/v1/pools/tiny', {'cidrs': ['10.1.0.0/28', 'fd00:1::/60'], 'reserved': ['10.1.0.0/29']})
        for i in range(5):
            self.server.put(lease_path(f'tiny-{i}') + '?pool=tiny', config())
        self.server.delete(lease_path('tiny-0'))
        table = [line for line in self.run_ok('pools').table() if line[0] == 'tiny']
        self.assertEqual(table, [
            ['tiny', '10.1.0.0/28', 'sequential', '16', '4', '1', '8', '3', '[######----] 62 %'],
            ['tiny', 'fd00:1::/60', 'sequential', str(2 ** 68), '4', '1', '0', str(2 ** 68 - 5), '[#---------] <1 %']])
        out = self.run_ok('pools', 'show', 'tiny').out
        self.assertIn('[######----] 62 % of 16: 4 leased, 1 in quarantine, 8 reserved, 3 free', out)
        self.assertRegex(out, r'(?m)^quarantine +1h$')
        self.assertEqual(self.run_ok('pools', 'show', 'tiny', '--json').json(), self.server.get('/v1/pools/tiny').json())
        self.assertIn('tiny', [pool['pool'] for pool in self.run_ok('pools', 'list', '--json').json()['items']])
        for i in range(5, 8):
            self.server.put(lease_path(f'tiny-{i}') + '?pool=tiny', config())
        self.assertIn('[##########] 100 %', self.run_ok('pools').out)
        self.refused(1, 'holdfast pools: not-found: ', 'pools', 'show', 'nix')

    def test_create_edit_and_delete(self):
        made = self.run_ok('pools', 'create', 'made', '--cidr', '10.2.0.0/16', '--cidr', 'fd00:2::/64', '--strategy', 'hashed',
                           '--quarantine', '90s', '--reserve', '10.2.0.1', '--reserve', '10.2.1.0-10.2.1.9', '--kind', 'MeshService',
                           '--mesh', 'a', '--mesh', 'b', '--zone', 'east', '--json').json()
        self.assertEqual({key: made[key] for key in CONFIGURED},
                         {'cidrs': ['10.2.0.0/16', 'fd00:2::/64'], 'strategy': 'hashed', 'quarantineSeconds': 90,
                          'reserved': ['10.2.0.1/32', '10.2.1.0-10.2.1.9'], 'kinds': ['MeshService'], 'meshes': ['a', 'b'],
                          'zones': ['east']})
        self.refused(1, 'made already exists', 'pools', 'create', 'made', '--cidr', '10.3.0.0/16')
        self.refused(1, 'pool-overlap: ', 'pools', 'create', 'over', '--cidr', '10.2.3.0/24')
        self.refused(1, 'invalid-name: ', 'pools', 'create', '../zones', '--cidr', '10.3.0.0/16')
        edited = self.run_ok('pools', 'edit', 'made', '--add-cidr', '10.4.0.0/16', '--remove-cidr', 'FD00:2::/64',
                             '--unreserve', '10.2.0.1', '--reserve', '10.4.0.0/24', '--quarantine', '2d', '--zone', '*',
                             '--mesh', 'c', '--json').json()
        self.assertEqual({key: edited[key] for key in CONFIGURED},
                         {'cidrs': ['10.2.0.0/16', '10.4.0.0/16'], 'strategy': 'hashed', 'quarantineSeconds': 172800,
                          'reserved': ['10.2.1.0-10.2.1.9', '10.4.0.0/24'], 'kinds': ['MeshService'], 'meshes': ['c'], 'zones': []})
        self.assertIn('quarantine  2d', self.run_ok('pools', 'edit', 'made', '--strategy', 'sequential').out)
        self.refused(1, 'made has no 10.9.0.0/16 in its cidrs: 10.2.0.0/16', 'pools', 'edit', 'made', '--remove-cidr', '10.9.0.0/16')
        self.refused(1, 'last range of made', 'pools', 'edit', 'made', '--remove-cidr', '10.2.0.0/16', '--remove-cidr', '10.4.0.0/16')
        self.refused(2, '--yes', 'pools', 'delete', 'made')
        self.assertIn('Delete pool made with 10.2.0.0/16, 10.4.0.0/16?', ask('pools', 'delete', 'made', server=self.server, answer='n').out)
        revision = self.server.get('/v1/pools/made').json()['revision']
        for line in (['edit', 'made', '--quarantine', '1h'], ['drain', 'made', '10.4.0.0/16', '--unreserve', '10.4.0.0/24'], ['delete', 'made', '--yes']):
            self.refused(1, f'the entity tag is "{revision}" (somebody else changed the pool; look at it again)', 'pools', *line,
                         '--if-match', revision - 1)
        self.assertEqual(self.run_ok('pools', 'edit', 'made', '--quarantine', '1h', '--if-match', revision, '--json').json()['revision'], revision + 1)
        self.assertIn('deleted: pool made', self.run_ok('pools', 'delete', 'made', '--yes', '--if-match', revision + 1).out)
        self.refused(1, 'not-found: ', 'pools', 'delete', 'made', '--yes')

    def test_edit_keeps_what_it_does_not_know(self):
        pool = {'pool': 'p', 'cidrs': ['10.0.0.0/8'], 'draining': [], 'strategy': 'sequential', 'quarantineSeconds': 3600, 'reserved': [],
                'kinds': [], 'meshes': [], 'zones': ['z'], 'leases': {'active': 0, 'quarantined': 0}, 'revision': 3, 'future': {'a': [1]},
                'modifiedAt': STATUS['createdAt']}
        fake = Fake({'/v1/pools/p': pool})
        self.addCleanup(fake.close)
        self.assertEqual(run('pools', 'edit', 'p', '--quarantine', '0s', server=fake).status, 0)
        self.assertEqual([method for method, *_ in fake.seen], ['GET', 'PUT'])
        self.assertEqual(fake.seen[1][2].get('If-Match'), '"3"', 'an edit of somebody else is not overwritten')
        self.assertEqual(json.loads(fake.seen[1][3]), {**pool, 'quarantineSeconds': 0})

    def test_drain(self):
        self.run_ok('pools', 'create', 'drained', '--cidr', '10.5.0.0/24', '--cidr', '10.6.0.0/24', '--reserve', '10.6.0.0/25')
        self.server.put(lease_path('drop') + '?pool=drained&address=10.5.0.9', config())
        self.refused(1, 'pool-in-use: ', 'pools', 'edit', 'drained', '--remove-cidr', '10.5.0.0/24')
        self.refused(1, 'drained has no 10.7.0.0/24', 'pools', 'drain', 'drained', '10.7.0.0/24')
        out = self.run_ok('pools', 'drain', 'drained', '10.5.0.0/24').out
        self.assertRegex(out, r'(?m)^draining +10.5.0.0/24$')
        self.assertIn('1 still held in draining ranges', out)
        self.refused(1, 'last range', 'pools', 'drain', 'drained', '10.6.0.0/24')
        self.run_ok('pools', 'edit', 'drained', '--add-cidr', '10.8.0.0/24')
        self.refused(1, 'the pool\'s CIDRs (state --unreserve CIDR, so', 'pools', 'drain', 'drained', '10.6.0.0/24')
        drained = self.run_ok('pools', 'drain', 'drained', '10.6.0.0/24', '--unreserve', '10.6.0.0/25', '--json').json()
        self.assertEqual((drained['cidrs'], drained['draining']), (['10.8.0.0/24'], ['10.5.0.0/24']))


if __name__ == '__main__':
    unittest.main()

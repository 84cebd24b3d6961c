"""The front command: the migration of a pool, interrupted, resumed, and against what changes meanwhile."""
import ipaddress
import unittest

import front
from between import Between
from front import CommandCase, Following, run
from harness import Server, config, eventually, fill, lease_path

LEASES = 60
RANGE = ipaddress.ip_network('10.8.0.0/16')


class Migrations(CommandCase):
    def setUp(self):
        """A server of its own, with LEASES in `old`."""
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.put('/v1/pools/old', {'cidrs': ['10.7.0.0/16'], 'kinds': ['MeshService'], 'meshes': ['default']})
        self.pool('new', RANGE)
        fill(self.server, [f's{i}' for i in range(LEASES)])
        self.before = self.leases()

    @classmethod
    def setUpClass(cls):
        pass

    def pool(self, name, *cidrs):
        self.server.put(f'/v1/pools/{name}', {'cidrs': [str(cidr) for cidr in cidrs], 'zones': ['nobody']})

    def leases(self):
        return {(lease['zone'], lease['service']): lease for lease in self.server.stream()[0]}

    def between(self, hook):
        between = Between(self.server.port, hook)
        self.addCleanup(between.close)
        return between.url

    def migrate(self, *more, server=None, status=0, to='new'):
        """The summary, as JSON."""
        result = run('pools', 'migrate', 'old', to, '--overlap', '1h', '--json', *more, server=server or self.server)
        self.assertEqual(result.status, status, result)
        return result.json()

    def moves(self):
        """How often each service was moved."""
        changes = self.server.get('/v1/changes?since=0&limit=3000', check=False).json()['changes']
        found = [(change['zone'], change['service']) for change in changes if change['type'] == 'moved']
        return {who: found.count(who) for who in found}

    def assertMoved(self, names):
        """These were moved once each, and kept what they had."""
        after = self.leases()
        self.assertEqual(self.moves(), {name: 1 for name in names})
        for name in names:
            self.assertIn(ipaddress.ip_address(after[name]['vips'][0]['ip']), RANGE)
            self.assertEqual([vip['ip'] for vip in after[name]['previousVips']], [vip['ip'] for vip in self.before[name]['vips']])
        self.assertEqual(self.server.post('/v1/verify').json()['violations'], 0)

    def test_all(self):
        plan = self.assertWritesNothing(lambda: run('pools', 'migrate', 'old', 'new', '--overlap', '1h', '--dry-run', server=self.server))
        self.assertEqual(plan.status, 0, plan)
        self.assertRegex(plan.out, rf'(?m)^east +default +MeshService +{LEASES}$')
        for words in (f'{LEASES} leases would move from old to new', f'IPv4: {LEASES} needed, 65536 free in new', 'it fits; nothing was written',
                      'careful: new leases still go to old: MeshService of mesh default in zone east'):
            self.assertIn(words, plan.out)
        result = run('pools', 'migrate', 'old', 'new', '--overlap', '1h', server=self.server)
        self.assertEqual((result.status, result.table()[0]), (0, ['moved', str(LEASES)]), result)
        self.assertRegex(result.out, rf'(?m)^left in old +0 active, 0 in quarantine, {LEASES} previous addresses until 20.*Z at the earliest$')
        self.assertIn(f'{LEASES} of {LEASES} moved', result.err)
        self.assertMoved(self.before)
        again = self.assertWritesNothing(self.migrate)
        self.assertEqual((again['moved'], again['complete'], again['left']['previous']), (0, True, LEASES))
        self.assertEqual(again['left']['until'], max(vip['until'] for lease in self.leases().values() for vip in lease['previousVips']))

    def test_interrupted_and_resumed(self):
        """What was under way is completed; the same command does the rest."""
        following = Following('pools', 'migrate', 'old', 'new', '--overlap', '1h', '--rate', '20', server=self.server)
        self.addCleanup(following.stop)
        eventually(self.moves)
        following.stop()
        self.assertEqual(following.child.returncode, 130, following.err)
        moved = len(self.moves())
        self.assertLess(moved, LEASES)
        self.assertEqual(following.out[0].split(), ['moved', str(moved)])
        self.assertRegex(following.out[-1], f'^left in old  {LEASES - moved} active, ')
        self.assertEqual(following.err[-1], 'holdfast pools: interrupted; run the same command again to go on')
        self.assertEqual(self.migrate()['moved'], LEASES - moved)
        self.assertMoved(self.before)

    def test_back_again(self):
        """Within the overlap everyone gets back what it had, even if the pool has nothing else."""
        self.migrate()
        away = self.leases()
        self.server.put('/v1/pools/old', {'cidrs': ['10.7.0.0/26'], 'reserved': [f'10.7.0.{LEASES}-10.7.0.63'], 'kinds': ['MeshService'], 'meshes': ['default']})
        result = run('pools', 'migrate', 'new', 'old', '--overlap', '1h', server=self.server)
        self.assertEqual(result.status, 0, result)
        back = self.leases()
        self.assertEqual({name: lease['vips'] for name, lease in back.items()}, {name: lease['vips'] for name, lease in self.before.items()})
        self.assertEqual([[vip['ip'] for vip in lease['previousVips']] for lease in back.values()], [[vip['ip'] for vip in lease['vips']] for lease in away.values()])

    def test_on_a_terminal(self):
        result = front.ask('pools', 'migrate', 'old', 'new', '--overlap', '1h', server=self.server, answer='', terminal=True)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f'[####################] {LEASES} of {LEASES} moved', result.out)

    def test_without_an_overlap_it_asks(self):
        args = 'pools', 'migrate', 'old', 'new', '--overlap', '0'
        self.assertWritesNothing(lambda: self.refused(2, 'a migration without an overlap needs confirmation', *args))
        result = self.assertWritesNothing(lambda: front.ask(*args, server=self.server, answer='n'))
        self.assertIn(f'Move {LEASES} leases of pool old to new without an overlap? The old addresses are free at once', result.out)
        self.assertEqual(run(*args, '--yes', server=self.server).status, 0)
        self.assertEqual(self.server.get('/v1/pools/old').json()['ipv4']['leased'], '0')

    def test_connections_that_are_lost(self):
        lost = []

        def hook(method, target):
            if method == 'POST' and len(lost) < 9:
                lost.append(target)
                raise ConnectionError
        self.assertEqual(self.migrate(server=self.between(hook))['moved'], LEASES)
        self.assertMoved(self.before)

    def test_a_server_that_is_killed_and_comes_back(self):
        """The command goes on by itself. Meanwhile the proxy has nothing behind it."""
        count = []

        def hook(method, target):
            count.append(target)
            if len(count) == 30:
                self.server.kill()
                self.server.start()
                between.port = self.server.port
        between = Between(self.server.port, hook)
        self.addCleanup(between.close)
        self.migrate(server=between.url)
        self.assertMoved(self.before)

    def test_leases_that_come_and_go_meanwhile(self):
        """New ones are found by another pass, wherever they stand in the list."""
        todo = [lambda: self.server.put(lease_path('a-new-one'), config()), lambda: self.server.put(lease_path('z', 'zone'), config()),
                lambda: self.server.delete(lease_path('s7')), lambda: self.server.delete(lease_path('s8') + '?purge=true')]

        def hook(method, target):
            while method == 'POST' and todo:
                todo.pop()()
        between = self.between(lambda method, target: hook(method, target) if '/s0/' in target else None)
        summary = self.migrate(server=between)
        self.assertEqual((summary['moved'], summary['gone'] + summary['released'], summary['left']['active'], summary['left']['quarantined']),
                         (LEASES, summary['gone'] + summary['released'], 0, self.leases()['east', 's7']['pool'] == 'old'), summary)
        self.assertGreaterEqual(summary['passes'], 3)
        self.assertEqual({name for name, lease in self.leases().items() if lease['pool'] == 'new'} - {('east', 's7')},
                         {*self.before, ('east', 'a-new-one'), ('zone', 'z')} - {('east', 's7'), ('east', 's8')})

    def test_what_does_not_fit(self):
        self.pool('tiny', '10.9.0.0/27')
        for more in ((), ('--dry-run',)):
            result = self.assertWritesNothing(lambda more=more: run('pools', 'migrate', 'old', 'tiny', '--overlap', '1h', *more, server=self.server))
            self.assertEqual(result.status, 1)
            self.assertIn(f'IPv4: {LEASES} needed, 32 free in tiny: add a range (holdfast pools edit tiny --add-cidr CIDR)', result.out + result.err)
        self.pool('six', 'fd00:9::/64')
        self.refused(1, f'six has no such range, and {LEASES} leases would lose their address', 'pools', 'migrate', 'old', 'six', '--overlap', '1h')
        plan = self.migrate('--dry-run', to='six', status=1)
        self.assertEqual((plan['fits'], plan['families'][0]), (False, {'family': 'IPv4', 'needed': LEASES, 'free': 0, 'fits': False}))

    def test_a_pool_that_fills_up_meanwhile(self):
        self.pool('tight', '10.9.0.0/26')
        taken = []

        def hook(method, target):
            if method == 'POST' and not taken:
                taken.append(target)
                for i in range(64 - LEASES + 10):
                    self.server.put(lease_path(f'thief-{i}', 'nobody') + '?pool=tight', config())
        summary = self.migrate(server=self.between(hook), to='tight', status=1)
        self.assertRegex(summary['problem'], '^pool-exhausted: ')
        self.assertEqual((summary['moved'], summary['left']['active'], summary['complete']), (LEASES - 10, 10, False))
        self.server.put('/v1/pools/tight', {'cidrs': ['10.9.0.0/25'], 'zones': ['nobody']})
        self.assertEqual(self.migrate(to='tight')['moved'], 10)

    def test_zones_that_are_offline_and_leases_in_quarantine(self):
        self.server.put('/v1/zones/ice/connection', {'instance': 'i'})
        fill(self.server, ['frozen'], 'ice')
        fill(self.server, ['released'], 'west')
        self.server.delete(lease_path('released', 'west'))
        self.server.delete('/v1/zones/ice/connection')
        plan = self.migrate('--dry-run')
        self.assertEqual((plan['leases'], plan['offline'], plan['quarantined']), (LEASES, {'ice': 1}, 1))
        result = run('pools', 'migrate', 'old', 'new', '--overlap', '1h', server=self.server)
        self.assertEqual(result.status, 1)
        self.assertRegex(result.out, r'(?m)^skipped +1 lease of zone ice, which is offline and cannot follow \(--force moves them\)$')
        self.assertRegex(result.out, r'(?m)^left in old +1 active, 1 in quarantine, ')
        summary = self.migrate('--force')
        self.assertEqual((summary['moved'], summary['left']['active'], summary['left']['quarantined']), (1, 0, 1))

    def test_a_zone_that_goes_offline_meanwhile(self):
        self.server.put('/v1/zones/east/connection', {'instance': 'i'})
        todo = [lambda: self.server.delete('/v1/zones/east/connection')]
        between = self.between(lambda method, target: todo.pop()() if method == 'POST' and todo else None)
        summary = self.migrate(server=between, status=1)
        self.assertEqual(summary['offline'], {'east': LEASES - summary['moved']})

    def test_a_lease_that_cannot_be_moved(self):
        for _ in range(8):
            run('leases', 'move', 'east', 's5', '--overlap', '1h', server=self.server)
        summary = self.migrate(status=1)
        self.assertEqual((summary['moved'], [item['service'] for item in summary['failed']]), (LEASES - 1, ['s5']))
        self.assertRegex(summary['failed'][0]['problem'], '^lease-exists: the lease still has 8 previous addresses')
        result = run('pools', 'migrate', 'old', 'new', '--overlap', '1h', server=self.server)
        self.assertEqual(result.status, 1)
        self.assertRegex(result.out, r'(?m)^failed +MeshService s5 of zone east, mesh default: lease-exists: ')

    def test_a_part(self):
        fill(self.server, ['x', 'y'], 'west')
        self.assertEqual(self.migrate('--zone', 'west', '--kind', 'MeshService', '--mesh', 'default')['moved'], 2)
        self.assertEqual(set(self.moves()), {('west', 'x'), ('west', 'y')})

    def test_what_is_refused(self):
        for words, args in (('not-found: ', ('old', 'nix')), ('not-found: ', ('nix', 'new')), ('invalid-name: ', ('old', '..')),
                            ('invalid-name: ', ('old', 'new', '--zone', '..'))):
            self.assertWritesNothing(lambda words=words, args=args: self.refused(1, 'holdfast pools: ' + words, 'pools', 'migrate', *args, '--overlap', '1h'))
        self.assertEqual(run('pools', 'migrate', 'old', 'new', '--overlap', '1h', server='http://127.0.0.1:1').status, 3)


if __name__ == '__main__':
    unittest.main()

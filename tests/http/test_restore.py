"""What a restore makes of a backup, and stores of an older format."""
import gzip
import ipaddress
import json
import os
import random
import subprocess
import time
import unittest

from backups import BAND, DATA, Case, connect, document, sync, vips
from harness import BINARY, config, eventually, fill, lease_path, vip


class Restoring(Case):
    def test_the_whole_story(self):
        """A backup, 1,000 more leases, the disaster, the older backup; then the zones come back with the VIPs that they hold."""
        server = self.server()
        zones = {zone: [f'{zone}-{i}' for i in range(400)] for zone in ('east', 'west')}
        for zone, names in zones.items():
            epoch = connect(server, zone, 'leader-1')['epoch']
            self.assertEqual(sync(server, zone, map(document, names), epoch).json()['summary']['created'], 400)
        server.delete(lease_path('east-7') + '?force=true')  # in quarantine when the backup is taken
        backup = self.take(server)
        at = server.get('/v1/status').json()
        sync(server, 'east', [document('east-7')], mode='delta')  # it comes back, which the backup does not know
        for zone, names in zones.items():
            names += [f'{zone}-new-{i}' for i in range(500)]
            self.assertEqual(sync(server, zone, map(document, names)).json()['summary']['created'], 500)
        before, last = vips(server), server.revision()
        self.assertEqual(len(before), 1800)

        report = self.restore(server, backup)
        self.assertEqual((report['storeEpoch'], report['revision']), (2, at['revision'] + BAND))
        self.assertTrue(os.path.exists(report['aside']))
        self.assertGreater(server.revision(), last)
        # The watchers begin anew; the old leaders are fenced off, and what they had is frozen.
        self.assertEqual(server.get(f'/v1/changes?since={last}').code, 'revision-compacted')
        self.assertEqual(server.get('/v1/changes?since=' + str(report['revision'])).json()['storeEpoch'], 2)
        self.assertEqual(sync(server, 'east', [document('east-1')], 1).code, 'stale-epoch')
        self.assertEqual({z['state'] for z in server.get('/v1/zones').json()['items']}, {'offline'})
        self.assertEqual(server.delete(lease_path('east-1')).code, 'zone-offline')
        # Somebody new comes first, in a zone that was not there: nothing of what the others hold is given to it.
        strangers = {vip(server.put(lease_path(f'stranger-{i}', 'north'), config())) for i in range(100)}
        self.assertFalse(strangers & set(before.values()))
        for zone, names in zones.items():
            connection = connect(server, zone, 'leader-2')
            self.assertEqual((connection['epoch'], connection['sync'], connection['storeEpoch']), (BAND + 2, 'full', 2))
            held = [document(name, before[(zone, name)]) for name in names]
            random.Random(zone).shuffle(held)
            answer = sync(server, zone, held, connection['epoch']).json()
            self.assertEqual(answer['summary']['adopted'], 500)
            self.assertEqual(answer['summary']['created'] + answer['summary']['released'], 0)
            self.assertEqual(answer['summary']['restored'], 1 if zone == 'east' else 0)
        after = vips(server)
        self.assertEqual({key: ip for key, ip in after.items() if key[0] != 'north'}, before)
        self.assertEqual(len(set(after.values())), 1900)
        self.assertEqual(server.post('/v1/verify').json()['violations'], 0)
        self.assertIn('restoredAt', server.get('/v1/status').json())
        # The same backup once more: the epoch of the data that it replaces counts, so no revision comes twice.
        self.assertEqual(self.restore(server, backup)['storeEpoch'], 3)
        self.assertEqual(server.revision(), at['revision'] + 2 * BAND)

    def test_pools_that_the_backup_does_not_have_are_named(self):
        server = self.server()
        server.put('/v1/pools/wide', {'cidrs': ['10.1.0.0/24'], 'zones': ['w']})
        backup = self.take(server)
        server.put('/v1/pools/wide', {'cidrs': ['10.1.0.0/24', '10.2.0.0/24'], 'zones': ['w']})
        server.put('/v1/pools/edge', {'cidrs': ['10.96.0.0/16', 'fd00::/64'], 'zones': ['edge']})
        server.stop()
        self.assertOffline(0, 'restore', backup, '--data-dir', server.data_dir,
                           says='(?s)add them before.*  edge: 10.96.0.0/16 fd00::/64\n  wide: 10.1.0.0/24 10.2.0.0/24\n')
        server.start()
        server.put('/v1/pools/other', {'cidrs': ['10.3.0.0/24'], 'zones': ['w']})
        self.assertEqual(self.restore(server, backup)['poolsLost'], ['other'])
        self.assertEqual(self.restore(server, backup)['poolsLost'], [])
        self.assertEqual(self.restore(server, backup)['poolsAtRisk'], ['wide'])
        server.stop()
        self.assertOffline(0, 'restore', backup, '--data-dir', server.data_dir, says=r'add no new services to these pools, .*: wide \(small\)\n')

    def test_a_quarantine_does_not_end_because_the_backup_is_old(self):
        server = self.server()
        server.put('/v1/pools/short', {'cidrs': ['10.0.0.0/24'], 'quarantineSeconds': 2, 'zones': ['south'], 'kinds': ['MeshService']})
        ip = vip(server.put(lease_path('a', 'south'), config()))
        self.assertEqual(server.delete(lease_path('a', 'south')).status, 200)
        backup = self.take(server)
        eventually(lambda: server.get(lease_path('a', 'south')).status == 404)
        began = time.monotonic()
        self.restore(server, backup)
        answer = server.get(lease_path('a', 'south'))
        if time.monotonic() - began < 1.9:
            self.assertEqual((answer.status, vip(answer)), (200, ip))
        eventually(lambda: server.get(lease_path('a', 'south')).status == 404)
        self.assertGreater(time.monotonic() - began, 1.9)

    def test_what_is_refused_changes_nothing(self):
        server = self.server()
        server.put(lease_path('a'), config())
        backup = self.take(server)
        foreign = self.take(self.server(), 'foreign')
        with open(self.path('text'), 'w') as file:
            file.write('this is no database\n' * 1000)
        self.assertOffline(1, 'restore', backup, '--data-dir', server.data_dir, says='in use by another holdfastd, pid')
        self.assertOffline(1, 'restore', os.path.join(server.data_dir, 'data.mdb'), '--data-dir', self.path('x'), says='running server')
        server.stop()
        for status, file, says in ((2, self.path('text'), 'not a database'), (2, self.path('none'), 'No such file'),
                                   (1, foreign, 'of another store'), (2, self.root, 'is a directory')):
            self.assertOffline(status, 'restore', file, '--data-dir', server.data_dir, says=says)
        self.assertOffline(2, 'restore', backup, '--data-dir', os.path.join(self.path('no'), 'where'), says='cannot make')
        self.assertOffline(2, 'restore', says='FILE')
        self.assertOffline(2, 'restore', backup, '--store-epoch', 'x', says='not valid')
        self.assertOffline(2, 'restore', backup, '--data-dir', server.data_dir, '--store-epoch', '99999999999', says='at most')
        self.assertOffline(1, 'restore', backup, '--data-dir', server.data_dir, says='written', limit=20000)
        self.assertEqual(sorted(os.listdir(server.data_dir)), ['data.mdb', 'holdfast.lock', 'lock.mdb'])
        server.start()
        self.assertEqual(server.get('/v1/status').json()['storeEpoch'], 1)
        server.stop()
        self.assertOffline(0, 'restore', foreign, '--data-dir', server.data_dir, '--other-store', '--store-epoch', '9', says='store epoch 9')
        server.start()
        self.assertEqual(server.get(lease_path('a')).status, 404)

    def test_a_lock_table_of_the_old_file_is_not_believed(self):
        """A reader keeps the old table open, and a crash keeps it in place: LMDB would take the newest transaction's number from it."""
        for changes in (1, 2):
            server = self.server()
            sync(server, 'east', (document(f's{i}') for i in range(1500)))
            backup = self.take(server, f'b{changes}')
            for i in range(changes):
                server.put(lease_path(f'more{i}'), config())
            server.stop()
            table = os.path.join(server.data_dir, 'lock.mdb')
            with subprocess.Popen([BINARY, 'export', server.data_dir], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
                reader.stdout.read(100)
                os.link(table, self.path(f'table{changes}'))
                self.assertOffline(0, 'restore', backup, '--data-dir', server.data_dir)
                os.rename(self.path(f'table{changes}'), table)
                server.start()
                self.assertEqual(server.get('/v1/status').json()['storeEpoch'], 2)
                self.assertEqual(vip(server.put(lease_path('next'), config())), '241.16.5.220')
                reader.kill()

    def test_leftovers_of_a_kill_are_no_store(self):
        server = self.server()
        backup = self.take(server)
        server.stop()
        fresh = self.path('fresh')
        for name in ('making', 'restoring', 'importing'):
            os.makedirs(os.path.join(fresh, name))
            with open(os.path.join(fresh, name, 'data.mdb'), 'wb') as file:
                file.write(b'half')
        os.symlink(self.root, os.path.join(fresh, 'elsewhere'))
        new = self.server(data_dir=fresh)
        self.assertEqual(sorted(os.listdir(fresh)), ['data.mdb', 'elsewhere', 'holdfast.lock', 'lock.mdb'])
        self.assertIn('msg="store created"', new.log())
        new.stop()
        # A store as a first start makes it, such as the package's, gives way to a backup of any store.
        self.assertOffline(0, 'restore', backup, '--data-dir', fresh, says='restored')
        new.start()
        self.assertNotIn('msg="store created"', new.log())

    def test_what_root_makes_is_the_owners(self):
        server = self.server()
        backup = self.take(server)
        os.chmod(self.root, 0o755)
        target = self.path('target')
        os.mkdir(target)
        owner = 65534 if os.geteuid() == 0 else os.geteuid()
        os.chown(target, owner, -1)
        with open(os.path.join(target, 'other'), 'w', encoding='utf-8'):
            pass
        for _ in range(2):
            self.assertOffline(0, 'restore', backup, '--data-dir', target)
            self.assertOffline(0, 'verify', target)
        self.assertOffline(2, 'verify', os.path.join(target, 'none'))
        owners = {name: os.stat(os.path.join(target, name)).st_uid for name in os.listdir(target)}
        self.assertEqual(owners.pop('other'), os.geteuid())
        self.assertEqual(set(owners.values()), {owner}, owners)

    def test_in_place_of_damaged_data(self):
        server = self.server()
        ip = vip(server.put(lease_path('a'), config()))
        backup = self.take(server)
        data = os.path.join(server.data_dir, 'data.mdb')
        with open(data, 'rb') as file:
            whole = file.read()
        for name, damage in (('nothing', b''), ('noise', os.urandom(len(whole))), ('a part', whole[:len(whole) // 2 // 4096 * 4096]),
                             ('text', b'hello\n')):
            with self.subTest(name):
                server.stop()
                with open(data, 'wb') as file:
                    file.write(damage)
                where = ('restore', backup, '--data-dir', server.data_dir)
                self.assertOffline(1, *where, says=r'cannot be read, .* state --store-epoch N, above .* \(1 in the backup\)')
                with open(data, 'rb') as file:
                    self.assertEqual(file.read(), damage)
                report = json.loads(self.assertOffline(0, *where, '--store-epoch', '5', '--json'))
                self.assertTrue(report['oldDataUnreadable'])
                self.assertEqual(report['storeEpoch'], 5)
                with open(report['aside'], 'rb') as file:
                    self.assertEqual(file.read(), damage)
                server.start()
                self.assertEqual(vip(server.get(lease_path('a'))), ip)

    def test_a_kill_leaves_the_old_store_or_the_restored_one(self):
        server = self.server()
        fill(server, (f's{i}' for i in range(800)), body=config())
        backup = self.take(server)
        server.stop()
        epochs = {1}
        for i in range(12):
            child = subprocess.Popen([BINARY, 'restore', backup, '--data-dir', server.data_dir], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            time.sleep(random.Random(i).uniform(0.02, 0.5))  # any moment is right
            child.kill()
            child.wait()
            report = json.loads(self.assertOffline(0, 'verify', '--json', server.data_dir))
            self.assertEqual((report['violations'], report['counts']['leases']), (0, 800))
            self.assertIn(report['storeEpoch'] - max(epochs), (0, 1))
            epochs.add(report['storeEpoch'])
        self.assertOffline(0, 'restore', backup, '--data-dir', server.data_dir)
        self.assertFalse(os.path.exists(os.path.join(server.data_dir, 'restoring')))
        server.start()


class Migrating(Case):
    """tests/data/format-N.mdb.gz was written by the last version that had format N."""

    def found(self, number):
        """A data directory with such a store."""
        self.dir = self.path(f'data-{number}')
        os.mkdir(self.dir)
        with gzip.open(os.path.join(DATA, f'format-{number}.mdb.gz')) as packed, open(os.path.join(self.dir, 'data.mdb'), 'wb') as file:
            self.old = packed.read()
            file.write(self.old)
        return self.dir

    def asides(self, number):
        return [os.path.join(self.dir, f) for f in os.listdir(self.dir) if f'.format{number}-' in f]

    def migrated(self, number, leases):
        """A server on such a store, which it has migrated."""
        self.assertOffline(0, 'verify', self.found(number), says=rf'format {number}, .*(.|\n)*{leases} leases(.|\n)*good')
        server = self.server(data_dir=self.dir)
        status = server.get('/v1/status').json()
        self.assertEqual((status['format'], status['storeEpoch']), (4, 1))
        self.assertNotIn('restoredAt', status)
        self.assertIn('msg="store migrated"', server.log())
        self.assertEqual(server.post('/v1/verify').json()['violations'], 0)
        with open(self.asides(number)[0], 'rb') as file:
            self.assertEqual(file.read(), self.old)
        self.assertOffline(0, 'verify', self.asides(number)[0], says=f'format {number}')
        return server

    def test_a_server_migrates_what_it_finds(self):
        server = self.migrated(1, 5)
        self.assertEqual(vip(server.get(lease_path('cart'))), '241.0.0.0')
        self.assertEqual([v['ip'] for v in server.get(lease_path('gateway', 'edge')).json()['vips']], ['10.96.0.0', 'fd00:fd01::'])
        self.assertEqual(server.get('/v1/zones/east').json()['instance'], 'cp-a')
        server.stop()
        server.start()
        self.assertEqual(len(self.asides(1)), 1)

    def test_format_2_keeps_what_it_had(self):
        server = self.migrated(2, 5)
        self.assertEqual([(lease['zone'], lease['service'], lease['state'], vip(lease)) for lease in server.get('/v1/leases').json()['items']],
                         [('east', 'cart', 'active', '241.0.0.0'), ('east', 'search', 'quarantined', '241.0.0.1'),
                          ('lab', 'probe', 'active', '241.0.0.4'), ('west', 'mail', 'active', '241.0.0.2'),
                          ('west', 'old', 'quarantined', '241.0.0.3')])
        self.assertEqual([zone['state'] for zone in server.get('/v1/zones').json()['items']], ['online', 'unmanaged', 'offline'])
        self.assertEqual(server.metric('holdfast_vip_changes_total{cause="admin"}'), 0)
        self.assertEqual(server.delete('/v1/zones/west?confirm=west').json()['released'], 1)
        server.stop()
        self.assertOffline(0, 'verify', self.dir, says='format 4(.|\n)*good')

    def test_format_3_splits_the_pools(self):
        """Pools with leases in reserved ranges, ranges that drain in any order, quarantines, and cursors of both families."""
        server = self.migrated(3, 21)
        pools = {pool['pool']: pool for pool in server.get('/v1/pools').json()['items']}
        blue = pools['blue']
        self.assertEqual((blue['cidrs'], blue['draining'], blue['reserved']),
                         (['10.0.0.0/24', '10.0.4.64/26', 'fd00::/64'], ['10.0.2.0/24', '10.0.4.0/26'],
                          ['10.0.0.9-10.0.0.12', '10.0.0.128/25', 'fd00::7/128']))
        self.assertEqual(blue['ipv4'], {'capacity': '320', 'leased': '12', 'quarantined': '2', 'reserved': '131', 'free': '178', 'draining': '3',
                                        'previous': '0', 'remembered': '0'})
        self.assertEqual((blue['ipv6']['leased'], blue['ipv6']['quarantined'], blue['leases']), ('12', '2', {'active': 12, 'quarantined': 2}))
        self.assertEqual((pools['hashed']['strategy'], pools['hashed']['kinds'], pools['hashed']['meshes'], pools['hashed']['zones'],
                          pools['hashed']['leases']['active']),
                         ('hashed', ['MeshMultiZoneService'], ['default', 'demo'], ['west'], 4))
        last = server.get(lease_path('b9')).json()['vips']
        following = server.put(f'{lease_path("next")}?pool=blue', {'spec': {}}).json()['vips']
        self.assertEqual([int(ipaddress.ip_address(vip['ip'])) for vip in following],
                         [int(ipaddress.ip_address(vip['ip'])) + 1 for vip in last], 'the cursors continue')
        for service in ('high', 'mid', 'mid-2'):
            self.assertEqual(server.delete(f'{lease_path(service)}?purge=true').status, 200)
        self.assertEqual(server.get('/v1/pools/blue').json()['draining'], [])
        self.assertEqual(server.post('/v1/verify').json()['violations'], 0)

    def test_offline_and_by_a_restore(self):
        self.found(3)
        self.assertOffline(0, 'restore', os.path.join(self.dir, 'data.mdb'), '--data-dir', self.path('three'), says='now: store epoch 2')
        self.assertOffline(0, 'verify', self.path('three'), says='format 4(.|\n)*good')
        self.found(1)
        self.assertOffline(0, 'restore', os.path.join(self.dir, 'data.mdb'), '--data-dir', self.path('other'), says='now: store epoch 2')
        self.assertOffline(0, 'verify', self.path('other'), says='format 4')
        self.assertOffline(0, 'migrate', '--data-dir', self.dir, says='migrated from format 1 to 4')
        self.assertOffline(0, 'migrate', '--data-dir', self.dir, says='already has format 4')
        self.assertOffline(2, 'migrate', '--data-dir', self.path('none'), says='no database')
        self.assertFalse(os.path.exists(self.path('none')))

    def test_without_room_the_old_store_stays(self):
        self.found(1)
        self.assertOffline(1, 'migrate', '--data-dir', self.dir, says='cannot be written', limit=100000)
        self.assertEqual(self.asides(1), [])
        with open(os.path.join(self.dir, 'data.mdb'), 'rb') as file:
            self.assertEqual(file.read(), self.old)
        status, out, err = self.offline('--data-dir', self.dir, '--listen', '127.0.0.1:0', limit=100000)
        self.assertEqual((status, out), (3, ''))
        self.assertIn('cannot be written', err)
        self.assertOffline(0, 'migrate', '--data-dir', self.dir)


if __name__ == '__main__':
    unittest.main()

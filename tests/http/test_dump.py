"""Exports, imports and repairs of real stores: the binary's subcommands, and the commands in front of them."""
import gzip
import json
import os
import re
import shutil
import subprocess
import time
import unittest

import front
import storefile
from harness import BINARY, config, fill, inherited, lease_path, vip
from backups import FORMAT_1, Case, connect, document, sync, vips

LIBRARY = os.environ.get('HOLDFAST_FAULTS', '')  # tests/http/faults.c, built


class DumpCase(Case):
    def lived(self):
        """A server whose store has something of everything; a JSON body each, two zones, pools of one and two families."""
        server = self.server()
        server.put('/v1/pools/edge', {'cidrs': ['10.96.0.0/16', '10.97.0.0/16', 'fd00:fd01::/64'], 'reserved': ['10.96.0.0/24'],
                                      'strategy': 'hashed', 'zones': ['edge'], 'kinds': ['MeshService'], 'quarantineSeconds': 60})
        epoch = connect(server, 'east', 'leader-1')['epoch']
        sync(server, 'east', map(document, (f'e{i}' for i in range(120))), epoch)
        connect(server, 'edge', 'leader-1')
        sync(server, 'edge', map(document, (f'g{i}' for i in range(30))))
        server.put('/v1/pools/edge?drain=true', {'cidrs': ['10.96.0.0/16', 'fd00:fd01::/64'], 'zones': ['edge'], 'kinds': ['MeshService'],
                                                 'reserved': ['10.96.0.0/24', 'fd00:fd01::/72'], 'strategy': 'hashed'})
        server.put(lease_path('v', 'north') + '?version=v%C3%A9%22', config())
        server.put(lease_path('x', 'north', kind='MeshExternalService'))
        server.delete(lease_path('x', 'north', kind='MeshExternalService') + '?purge=true')
        for name in ('e1', 'e2', 'e3'):
            server.delete(lease_path(name))
        server.put(lease_path('e3'), document('e3'))
        server.put(lease_path('e4'), config(name='e4'))
        server.delete('/v1/zones/edge/connection')
        return server

    def export(self, path, name='x.ndjson'):
        out = self.assertOffline(0, 'export', path)
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(out)
        return out, self.path(name)

    def report(self, status, *args, **more):
        return json.loads(self.assertOffline(status, *args, '--json', **more))

    def content(self, path):
        with open(path, 'rb') as file:
            return file.read()

    def put_file(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        return self.path(name)


class Exporting(DumpCase):
    def test_a_store_comes_back_whole(self):
        server = self.lived()
        text, file = self.export(server.data_dir)  # while it runs
        before, feed = vips(server), server.get('/v1/changes?since=0').json()
        server.stop()
        self.assertEqual(self.export(server.data_dir)[0], text)
        self.assertOffline(0, 'import', file, '--data-dir', self.path('copy'), says='with --restored')
        self.assertEqual(sorted(os.listdir(self.path('copy'))), ['data.mdb', 'holdfast.lock'])
        self.assertEqual(self.export(self.path('copy'))[0], text)
        self.assertEqual(self.report(0, 'verify', self.path('copy')), self.report(0, 'verify', server.data_dir))
        copy = self.server(data_dir=self.path('copy'))
        self.assertEqual(vips(copy), before)
        self.assertEqual(copy.get('/v1/changes?since=0').json(), feed)
        answer = sync(copy, 'east', map(document, (f'e{i}' for i in range(120) if i not in (1, 2, 4))), mode='delta').json()
        self.assertEqual(answer['summary']['unchanged'], 117, 'the digests of the documents came along')

    def test_lines_are_as_documented(self):
        server = self.lived()
        lines = [json.loads(line) for line in self.export(server.data_dir)[0].splitlines()]
        self.assertEqual(lines[0]['holdfastExport'], 3)
        sorts = [next(iter(line)) for line in lines[1:]]
        self.assertEqual(list(dict.fromkeys(sorts)), ['pool', 'zone', 'scope', 'lease', 'holder', 'change', 'end'])
        self.assertEqual(lines[-1]['end'], {name + 's': sorts.count(name) for name in ('pool', 'zone', 'scope', 'lease', 'holder', 'change')})
        leases = {(line['lease']['zone'], line['lease']['service']): line['lease'] for line in lines if 'lease' in line}
        for lease in server.stream()[0]:
            exported = leases.pop((lease['zone'], lease['service']))
            for name, value in lease.items():
                if name == 'vips':
                    value, exported['vips'] = [v['ip'] for v in value], [v['ip'] for v in exported['vips']]
                self.assertEqual(exported.get(name), value, name)
        self.assertEqual(leases, {})

    def test_of_a_backup_and_into_a_file(self):
        server = self.lived()
        text, _ = self.export(server.data_dir)
        self.assertEqual(self.export(self.take(server))[0], text)
        self.put_file('old', '{"holdfastExport":1}\nwhat was there')
        os.symlink(self.path('old'), self.path('link'))
        for name in ('new', 'old', 'link'):
            self.assertEqual(self.assertOffline(0, 'export', '--data-dir', server.data_dir, '--output', self.path(name)), '')
            self.assertEqual(self.content(self.path(name)).decode(), text)
        self.assertTrue(os.path.islink(self.path('link')))
        for name, says in (('precious', 'is not an export'), ('data.mdb', 'name of a database'), ('data.mdb.old', 'name of a database')):
            self.put_file(name, 'what was there')
            self.assertOffline(1, 'export', server.data_dir, '--output', self.path(name), says=says)
            self.assertEqual(self.content(self.path(name)), b'what was there')
            os.unlink(self.path(name))
        self.assertEqual(sorted(os.listdir(self.root)), ['b', 'link', 'new', 'old', 'x.ndjson'])

    def test_no_room(self):
        server = self.lived()
        for target in (['--output', '/dev/full'], ['--output', self.path('x')]):
            limit = None if '/dev/full' in target else 4096
            self.assertOffline(1, 'export', server.data_dir, *target, limit=limit, says='No space left|File too large')
        self.assertEqual(os.listdir(self.root), [], 'half a file is left')
        with open('/dev/full', 'w', encoding='utf-8') as full:
            done = subprocess.run([BINARY, 'export', server.data_dir], stdout=full, stderr=subprocess.PIPE, check=False, timeout=300)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'standard output cannot be written: No space left', done.stderr)

    def test_what_cannot_be_read(self):
        self.assertOffline(2, 'export', self.path('nowhere'), says='No such file')
        self.assertOffline(2, 'export', self.put_file('text', 'hello' * 4000), says='not a database')
        self.assertOffline(2, 'export', self.path('nowhere'), 'more', says='unexpected argument "more"')
        self.assertOffline(2, 'export', '--apply', says='unknown flag --apply')
        server = self.server()
        self.assertOffline(2, 'export', server.data_dir, '--output', self.path('no/where'), says='cannot be made: No such file')


class Importing(DumpCase):
    def test_each_wrong_line_is_told_by_its_number(self):
        server = self.lived()
        lines = self.export(server.data_dir)[0].splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if line.startswith('{"lease"')) + 1
        lease = lines[at - 1]
        table = [
            ('no JSON', '{"lease":{\n', f'line {at}: column'), ('nothing', '\n', f'line {at}: column'),
            ('a member', lease.replace('"state"', '"mood"'), f'line {at}: "lease": "state" is missing'),
            ('a type', lease.replace('"generation":1', '"generation":true'), f'line {at}: "lease": "generation" is not a whole number'),
            ('a name', lease.replace('"service":"', '"service":"-'), f'line {at}: "lease": service "-'),
            ('outside', re.sub(r'"ip":"[^"]*"', '"ip":"9.9.9.9"', lease), f'line {at}: 9.9.9.9 lies in no range of pool "meshservice"'),
            ('twice', lease * 2, f'line {at + 1}: the same lease'), ('long', ' ' * (1 << 21) + lease, f'line {at}: it is longer than'),
            ('NUL', lease.replace(':1,', ':1\0,', 1), f'line {at}: '), ('not UTF-8', lease.replace('default', '\udcff'), f'line {at}: '),
        ]
        for name, line, says in table:
            with self.subTest(name):
                with open(self.path('bad'), 'w', encoding='utf-8', errors='surrogateescape') as file:
                    file.writelines(lines[:at - 1] + [line] + lines[at:])
                self.assertOffline(2, 'import', self.path('bad'), '--data-dir', self.path('new'), says=re.escape(says))
                self.assertEqual(os.listdir(self.path('new')), ['holdfast.lock'])
        self.put_file('cut', ''.join(lines[:-1]))
        self.assertOffline(2, 'import', self.path('cut'), '--data-dir', self.path('new'), says=f'line {len(lines)}: the export was cut off')
        self.put_file('cut', ''.join(lines)[:-40])
        self.assertOffline(2, 'import', self.path('cut'), '--data-dir', self.path('new'), says=f'line {len(lines)}: column')
        self.put_file('more', ''.join(lines + lines[-1:]))
        self.assertOffline(2, 'import', self.path('more'), '--data-dir', self.path('new'), says=f'line {len(lines) + 1}: a line follows the end')
        self.put_file('count', ''.join(lines[:at - 1] + lines[at:]))
        self.assertOffline(2, 'import', self.path('count'), '--data-dir', self.path('new'), says='the end counts|invariants')
        self.assertOffline(2, 'import', self.path('absent'), '--data-dir', self.path('new'), says='No such file')
        self.assertOffline(2, 'import', '--data-dir', self.path('new'), says='the argument FILE is missing')
        self.assertOffline(2, 'import', self.path('cut'), '--on-conflict', 'guess', says='"guess" is neither keep nor replace')

    def test_a_store_in_use_is_not_touched_by_a_wrong_line(self):
        server = self.lived()
        _, file = self.export(server.data_dir)
        other = self.server()
        fill(other, ['mine'], body=config())
        other.stop()
        before = self.content(other.data_dir + '/data.mdb')
        self.put_file('cut', self.content(file).decode()[:-30])
        self.assertOffline(2, 'import', self.path('cut'), '--data-dir', other.data_dir, says='line')
        self.assertEqual(self.content(other.data_dir + '/data.mdb'), before)
        self.assertEqual(sorted(os.listdir(other.data_dir)), ['data.mdb', 'holdfast.lock', 'lock.mdb'])
        other.start()

    def test_a_fresh_store_is_replaced_and_kept_aside(self):
        server = self.lived()
        text, file = self.export(server.data_dir)
        other = self.server()
        other.stop()
        self.assertFalse(self.report(0, 'import', file, '--data-dir', other.data_dir, '--dry-run')['applied'])
        report = self.report(0, 'import', file, '--data-dir', other.data_dir)
        self.assertEqual((report['mode'], report['applied'], report['leases']['added']), ('new', True, len(server.stream()[0])))
        self.assertOffline(0, 'verify', report['aside'], says='revision 3')
        self.assertEqual(self.export(other.data_dir)[0], text)
        other.start()

    def test_from_standard_input_and_as_restored(self):
        server = self.lived()
        text, _ = self.export(server.data_dir)
        env = inherited(HOLDFASTD=BINARY)
        done = subprocess.run([front.FRONT, 'import', '-', '--restored', '--data-dir', self.path('new')], input=text, text=True, env=env,
                              capture_output=True, timeout=300, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ''), done)
        self.assertIn('store epoch 2, revision 4294967', done.stdout)
        restored = self.server(data_dir=self.path('new'))
        zone = restored.get('/v1/zones/east').json()
        self.assertEqual(zone['state'], 'offline')
        self.assertEqual(vips(restored), vips(server))
        self.assertGreater(connect(restored, 'east', 'leader-1')['epoch'], 2**32)

    def conflicts(self):
        """Two stopped servers: what the second has, and the export of the first."""
        first, second = self.server(), self.server()
        fill(first, ['same', 'moved'], body=config())
        first.put(lease_path('taker') + '?address=241.0.9.9', config())
        first.put(lease_path('new') + '?address=241.0.9.1', config())
        first.put(lease_path('rests') + '?address=241.0.9.2', config())
        first.delete(lease_path('rests'))
        second.put(lease_path('moved') + '?address=241.0.7.7', config())
        second.put(lease_path('holder') + '?address=241.0.9.9', config())
        _, file = self.export(first.data_dir)
        moved = vip(first.get(lease_path('moved')))
        second.stop()
        return second, file, moved

    def test_conflicts_are_told_and_settled_as_told(self):
        second, file, moved = self.conflicts()
        into = ['import', file, '--data-dir', second.data_dir]
        before = self.content(second.data_dir + '/data.mdb')
        for more in ([], ['--dry-run']):
            out = self.assertOffline(1, *into, *more, says='2 conflicts; --on-conflict=keep or =replace')
            self.assertIn(f'"moved" of zone "east", mesh "default": it has 241.0.7.7 of pool "meshservice" here, and {moved} of pool', out)
            self.assertIn('"taker" of zone "east", mesh "default": 241.0.9.9 is held here by MeshService "holder"', out)
            self.assertIn('nothing was changed', out)
        told = {how: self.report(status, *into, '--dry-run', '--on-conflict', how) for how, status in (('keep', 0), ('replace', 1))}
        self.assertEqual(self.content(second.data_dir + '/data.mdb'), before)
        self.assertEqual(told['keep']['leases'], {'added': 3, 'unchanged': 0, 'replaced': 0, 'moved': 0, 'leftOut': 2})
        self.assertEqual(told['replace']['leases'], {'added': 3, 'unchanged': 0, 'replaced': 1, 'moved': 1, 'leftOut': 1})
        shutil.copytree(second.data_dir, self.path('kept'))
        done = self.report(0, 'import', file, '--data-dir', self.path('kept'), '--on-conflict', 'keep')
        self.assertEqual((done['applied'], done['leases'], done['conflicts']), (True, told['keep']['leases'], 2))
        done = self.report(1, *into, '--on-conflict=replace')
        self.assertEqual((done['applied'], done['leases']), (True, told['replace']['leases']))
        self.assertEqual([item['sort'] for item in done['items']], ['lease', 'lease'])
        second.start()
        self.assertEqual(second.metric('holdfast_vip_changes_total{cause="admin"}'), 1, 'what the import moved')
        kept = self.server(data_dir=self.path('kept'))
        for server, expected in ((second, moved), (kept, '241.0.7.7')):
            self.assertEqual(vip(server.get(lease_path('moved'))), expected)
            self.assertEqual(vip(server.get(lease_path('new'))), '241.0.9.1')
            self.assertEqual(server.get(lease_path('rests')).json()['state'], 'quarantined')
            self.assertEqual(server.get(lease_path('taker')).status, 404)
            self.assertEqual(server.post('/v1/verify').json()['violations'], 0)
        changes = {(c['type'], c['cause'], c.get('service')) for c in second.get('/v1/changes?since=5').json()['changes']}
        self.assertEqual(changes, {('moved', 'admin', 'moved'), ('acquired', 'admin', 'new'), ('acquired', 'admin', 'same'),
                                   ('released', 'admin', 'rests')})

    def test_a_running_server_refuses(self):
        server = self.lived()
        _, file = self.export(server.data_dir)
        for command in (['import', file], ['repair'], ['repair', '--apply']):
            self.assertOffline(1, *command, '--data-dir', server.data_dir, says='in use by another holdfastd, pid')
        self.assertEqual(sorted(os.listdir(server.data_dir)), ['data.mdb', 'holdfast.lock', 'lock.mdb'])

    def test_killed_at_any_moment_there_is_no_store_or_the_whole_one(self):
        server = self.lived()
        text, file = self.export(server.data_dir)
        new = self.path('new')
        for step in range(40):
            with subprocess.Popen([BINARY, 'import', file, '--data-dir', new], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
                time.sleep(step * 0.004)  # any moment is right
                child.kill()
            if os.path.exists(new + '/data.mdb'):
                self.assertEqual(self.export(new, 'y')[0], text)
                shutil.rmtree(new)
        self.assertOffline(0, 'import', file, '--data-dir', new)
        self.assertEqual(sorted(os.listdir(new)), ['data.mdb', 'holdfast.lock'])
        self.assertEqual(self.export(new)[0], text)

    def test_no_room(self):
        server = self.lived()
        _, file = self.export(server.data_dir)
        other = self.server()
        fill(other, ['mine'], body=config())
        other.stop()
        for limit in (40960, 70000):  # the table of readers has no room, the database has none
            self.assertOffline(1, 'import', file, '--data-dir', self.path('new'), limit=limit, says='File too large|no room')
            self.assertEqual(os.listdir(self.path('new')), ['holdfast.lock'])
        before = self.content(other.data_dir + '/data.mdb')
        if LIBRARY:
            open(self.path('full'), 'w', encoding='utf-8').close()
            env = {'LD_PRELOAD': LIBRARY, 'FAULTS': self.root}
            for directory in (other.data_dir, self.path('new')):
                done = subprocess.run([BINARY, 'import', file, '--data-dir', directory], capture_output=True, timeout=300, check=False,
                                      env=inherited(**env, ASAN_OPTIONS='verify_asan_link_order=0'))
                self.assertEqual(done.returncode, 2 if b'not writable' in done.stderr else 1, done.stderr)
                self.assertIn(b'No space left', done.stderr)
        self.assertEqual(self.content(other.data_dir + '/data.mdb'), before)
        self.assertEqual(sorted(os.listdir(other.data_dir)), ['data.mdb', 'holdfast.lock', 'lock.mdb'])


class Repairing(DumpCase):
    def damaged(self, server, address):
        """A stopped server's store in which the reverse index of an address names another service."""
        server.stop()
        path = os.path.join(server.data_dir, 'data.mdb')
        data = self.content(path)
        key = b'\0' * 10 + b'\xff\xff' + bytes(map(int, address.split('.')))
        found = [match.end() for match in re.finditer(re.escape(key) + b'\x01\0', data)]  # its row, not the lease's record
        self.assertTrue(found)
        with open(path, 'r+b') as file:
            for at in found:
                file.seek(data.index(b'\x01e', at))  # the kind byte, and how the service begins
                file.write(b'\x01f')

    def test_the_index_is_repaired_and_the_server_goes_on(self):
        server = self.lived()
        text, _ = self.export(server.data_dir)
        address = vip(server.get(lease_path('e7')))
        before = vips(server)
        self.damaged(server, address)
        self.assertOffline(1, 'verify', server.data_dir, says=f'{address} is in two leases')
        self.assertOffline(2, 'export', server.data_dir, says='has another holder')
        damaged = self.content(server.data_dir + '/data.mdb')
        out = self.assertOffline(1, 'repair', '--data-dir', server.data_dir, says='nothing was changed. --apply repairs it')
        self.assertIn('addresses: 0 rows to be added, 0 removed, 1 changed', out)
        self.assertEqual(self.content(server.data_dir + '/data.mdb'), damaged)
        report = self.report(0, 'repair', '--apply', '--data-dir', server.data_dir)
        self.assertTrue(report['applied'])
        self.assertGreater(report['violations'], 0)
        self.assertEqual((report['remaining'], report['rows']['addresses']), (0, {'added': 0, 'removed': 0, 'changed': 1}))
        self.assertEqual(self.content(report['aside']), damaged)
        self.assertOffline(0, 'repair', '--data-dir', server.data_dir, says='good: every invariant holds; nothing was changed')
        self.assertEqual(self.export(server.data_dir)[0], text)
        server.start()
        self.assertEqual(vips(server), before)

    def test_what_cannot_be_derived_is_left_for_a_backup(self):
        server = self.lived()
        lease = server.get(lease_path('e7')).json()
        server.stop()
        path = os.path.join(server.data_dir, 'data.mdb')
        data = self.content(path)
        at = data.index(bytes.fromhex(lease['fingerprint'][len('sha256:'):])) - 44  # the version of the lease's record
        patched = re.sub(re.escape(data[at:at + 76]), lambda found: b'\x7f' + found[0][1:], data)
        with open(path, 'wb') as file:
            file.write(patched)
        out = self.assertOffline(1, 'repair', '--apply', '--data-dir', server.data_dir, says='nothing was changed. Restore a backup: holdfast')
        self.assertIn('cannot be derived: leases: key', out)
        self.assertEqual(self.content(path), patched)
        self.assertEqual(sorted(os.listdir(server.data_dir)), ['data.mdb', 'holdfast.lock', 'lock.mdb'])

    def test_what_cannot_be_opened(self):
        self.assertOffline(2, 'repair', '--data-dir', self.path('nowhere'), says='has no database')
        self.assertFalse(os.path.exists(self.path('nowhere')))
        server = self.server()
        server.stop()
        shutil.copytree(server.data_dir, self.path('bad'))
        storefile.damage_pool(self.path('bad'), 'meshservice')
        self.assertOffline(2, 'repair', '--data-dir', self.path('bad'), says='(?s)table "pools".*restore a backup')

    def test_an_older_format_is_migrated_first(self):
        os.mkdir(self.path('old'))
        with gzip.open(FORMAT_1) as packed, open(self.path('old/data.mdb'), 'wb') as file:
            file.write(packed.read())
        before = self.content(self.path('old/data.mdb'))
        text, file = self.export(self.path('old'))
        for command in (['repair', '--apply'], ['import', file]):
            self.assertOffline(1, *command, '--data-dir', self.path('old'), says='has format 1; bring it to format 4 first: holdfast migrate')
        self.assertEqual(self.content(self.path('old/data.mdb')), before)
        self.assertOffline(0, 'import', file, '--data-dir', self.path('new'))
        self.assertEqual(self.export(self.path('new'))[0], text)


class Telling(DumpCase):
    def assertUntold(self, *args):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            done = subprocess.run([BINARY, *args], stdout=full, stderr=subprocess.PIPE, check=False, timeout=300)
        self.assertEqual(done.returncode, 2, args)
        self.assertRegex(done.stderr.decode(), f'holdfastd {args[0]}: standard output cannot be written: No space left')

    def test_what_cannot_be_told_is_noticed(self):
        server = self.lived()
        _, file = self.export(server.data_dir)
        backup = self.take(server)
        server.stop()
        for command in (['verify', server.data_dir], ['repair', '--data-dir', server.data_dir], ['migrate', '--data-dir', server.data_dir],
                        ['import', file, '--dry-run', '--data-dir', server.data_dir],
                        ['import', file, '--dry-run', '--data-dir', self.path('new')],
                        ['restore', backup, '--data-dir', server.data_dir]):
            for more in ([], ['--json']):
                with self.subTest([*command, *more]):
                    self.assertUntold(*command, *more)
        self.assertUntold('verify', '--help')
        self.assertEqual(self.report(0, 'verify', server.data_dir)['storeEpoch'], 3, 'each restore was made')

    def test_a_migration_tells_the_copy(self):
        os.mkdir(self.path('old'))
        with gzip.open(FORMAT_1) as packed, open(self.path('old/data.mdb'), 'wb') as file:
            file.write(packed.read())
        before = self.content(self.path('old/data.mdb'))
        report = self.report(0, 'migrate', '--data-dir', self.path('old'))
        self.assertEqual(self.content(report.pop('aside')), before)
        self.assertEqual(report, {'from': 1, 'format': 4})
        self.assertEqual(self.report(0, 'migrate', '--data-dir', self.path('old')), {'from': 4, 'format': 4, 'aside': None})


class Commands(DumpCase):
    def test_the_front_commands_pass_everything_on(self):
        server = self.lived()
        _, file = self.export(server.data_dir)
        env = {'HOLDFASTD': BINARY, 'HOLDFAST_DATA_DIR': server.data_dir}
        self.assertEqual(front.run('export', env=env).out, self.content(file).decode())
        self.assertEqual(front.run('repair', env=env).status, 1)
        self.assertEqual(front.run('import', file, env=env).status, 1)
        server.stop()
        self.assertEqual(front.run('repair', '--json', env=env).json()['violations'], 0)
        report = front.run('import', file, '--json', '--data-dir', self.path('n e w'), env=env)
        self.assertEqual((report.status, report.json()['mode']), (0, 'new'))
        self.assertEqual(front.run('export', self.path('n e w'), env=env).out, self.content(file).decode())
        server.start()


if __name__ == '__main__':
    unittest.main()

"""holdfast backup, restore, verify and migrate, as an operator types them."""
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from front import FRONT, RUN_S, Fake
from harness import config, default_signals, fill, inherited, lease_path
from backups import Case


class Front(Case):
    """The commands as an operator types them."""

    def front(self, status, *args, says='', server=None, **env):
        environment = {'HOLDFAST_URL': f'http://127.0.0.1:{server.port}'} if server else {}
        found, out, err = self.run_program(FRONT, *args, env={**environment, **env})
        self.assertEqual(found, status, (out, err))
        self.assertRegex(out + err, says or '^')
        return out

    def test_backups_are_checked_named_and_rotated(self):
        server = self.server()
        files = []
        for i in range(4):
            server.put(lease_path(f's{i}'), config())
            report = json.loads(self.front(0, 'backup', '--dir', 'kept', '--keep', '2', '--json', server=server))
            self.assertRegex(report['file'], rf'^kept/holdfast-[0-9a-f]{{8}}-[0-9]{{8}}T[0-9]{{6}}Z-r{4 + i}\.backup$')
            self.assertEqual((report['revision'], report['leases'], report['storeEpoch']), (4 + i, 1 + i, 1))
            files.append(os.path.basename(report['file']))
        self.assertEqual(sorted(os.listdir(self.path('kept'))), sorted(files[-2:]))
        self.front(0, 'backup', says='(?s)holdfast-.*4 leases; every invariant holds', server=server)
        self.front(0, 'backup', '--no-verify', says='holdfast-', server=server, HOLDFASTD='/nowhere')
        self.front(2, 'backup', '--keep', '0', says='at least 1', server=server)
        self.front(2, 'backup', '--keep', 'x', says='not a whole number', server=server)
        self.front(2, 'backup', 'there', says='unknown argument', server=server)
        self.front(2, 'backup', '--dir', says='a value is missing', server=server)
        self.front(2, 'backup', '--keep', says='a value is missing', server=server)
        self.front(2, 'backup', '--dir', 'a/b', says='cannot be created', server=server)
        before = sorted(os.listdir(self.path('kept')))
        port = server.port
        server.stop()
        self.front(3, 'backup', '--dir', 'kept', '--keep', '1', says='cannot be reached', HOLDFAST_URL=f'http://127.0.0.1:{port}')
        self.assertEqual(sorted(os.listdir(self.path('kept'))), before)
        data = server.data_dir
        self.front(0, 'restore', os.path.join('kept', files[-1]), '--data-dir', data, says='(?s)restored .* into .*the old data are kept as')
        self.front(0, 'verify', data, says='good')
        self.front(0, 'verify', os.path.join('kept', files[-1]), '--json', says='"violations":0')
        self.front(0, 'migrate', says='already has format 4', HOLDFAST_DATA_DIR=data)
        self.front(2, 'verify', 'nothing', says='No such file')
        for command in ('backup', 'restore', 'verify', 'migrate'):
            self.front(0, command, '--help', says=f'Usage: holdfast {command}')
        server.start()
        self.front(0, 'verify', server=server, says='good')

    def test_a_backup_that_is_cut_off_is_not_kept(self):
        server = self.server()
        fill(server, (f's{i}' for i in range(300)), body=config())
        found, out, err = self.run_program(FRONT, 'backup', '--dir', 'kept', env={'HOLDFAST_URL': f'http://127.0.0.1:{server.port}'}, limit=100000)
        self.assertNotEqual(found, 0, out)
        self.assertIn('was removed', err)
        self.assertEqual(os.listdir(self.path('kept')), [])

    def test_rotation_goes_by_revision_and_not_by_the_clock(self):
        server = self.server()
        store = server.get('/v1/status').json()['storeId'][:8]
        os.mkdir(self.path('kept'))
        old = [f'holdfast-{store}-20991231T235959Z-r1.backup', f'holdfast-{store}-20200101T000000Z-r2.backup',
               f'holdfast-{store}-20200101T000000Z-r2-10.backup', f'holdfast-{store}-20200101T000000Z-r2-9.backup']
        others = ['holdfast-00000000-20200101T000000Z-r9.backup', f'holdfast-{store}-mine.backup', f'holdfast-{store}-x\nyZ-r1.backup']
        for name in old + others:
            open(os.path.join(self.path('kept'), name), 'w').close()
        report = json.loads(self.front(0, 'backup', '--dir', 'kept', '--keep', '3', '--json', server=server))
        self.assertEqual(report['removed'], ['kept/' + old[1], 'kept/' + old[0]])
        self.assertEqual(set(os.listdir(self.path('kept'))), {*old[2:], *others, os.path.basename(report['file'])})
        self.front(0, 'backup', '--dir', 'kept', '--keep', '1', server=server)
        self.assertEqual(len(os.listdir(self.path('kept'))), len(others) + 1)

    def test_nothing_is_replaced_and_remains_are_cleared(self):
        server = self.server()
        os.mkdir(self.path('kept'))
        for name, age in (('.holdfast-backup.dead01', 90000), ('.holdfast-backup.dead01.head', 90000), ('.holdfast-backup.alive1', 60)):
            with open(os.path.join(self.path('kept'), name), 'w'):
                pass
            os.utime(os.path.join(self.path('kept'), name), (time.time() - age,) * 2)
        files = [json.loads(self.front(0, 'backup', '--dir', 'kept', '--json', server=server))['file'] for _ in range(3)]
        self.assertEqual(sorted(os.listdir(self.path('kept'))), sorted(['.holdfast-backup.alive1', *map(os.path.basename, files)]))

    def test_a_signal_ends_it_at_once(self):
        with socket.create_server(('127.0.0.1', 0)) as silent:
            url = f'http://127.0.0.1:{silent.getsockname()[1]}'
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                child = subprocess.Popen([FRONT, 'backup', '--no-verify', '--dir', 'kept'], cwd=self.root, stderr=subprocess.PIPE, text=True,
                                         env=inherited(HOLDFAST_URL=url), preexec_fn=default_signals)
                taken = silent.accept()[0]
                child.send_signal(number)
                err = child.communicate(timeout=RUN_S)[1]  # which nothing else would end
                self.assertEqual((child.returncode, err), (128 + number, ''))
                taken.settimeout(RUN_S)
                while taken.recv(65536):  # its connection ends with it
                    pass
                taken.close()
                self.assertEqual(os.listdir(self.path('kept')), [])

    def test_what_cannot_even_begin(self):
        self.front(2, 'backup', '--dir', 'kept', says='^holdfast backup: HOLDFAST_URL: "foo" is not an http:// or https:// address\n$', HOLDFAST_URL='foo')
        self.assertFalse(os.path.exists(self.path('kept')))
        for answer in ((200, '<html>'), (404, '<html>'), (302, '')):
            fake = Fake({'/v1/backup': answer})
            self.addCleanup(fake.close)
            self.front(3, 'backup', '--dir', 'kept', server=fake, says='is not what a Holdfast server answers')
        self.assertEqual(os.listdir(self.path('kept')), [])
        server = self.server()
        self.front(0, 'backup', '--dir', '-x', server=server, says='-x/holdfast-')

    def test_where_the_data_are(self):
        server = self.server()
        backup = self.take(server)
        server.put(lease_path('a'), config())
        server.stop()
        for line in (['restore', backup], ['import', backup], ['repair'], ['migrate']):
            self.front(2, *line, says='^holdfast [a-z]+: no data directory is stated or configured, and holdfast-data does not exist here: state --data-dir\n$')
        self.assertFalse(os.path.exists(self.path('holdfast-data')))
        for value in '{}', '{} # the leases', '{}\t; the leases', '"{}"', "'{}' # the leases":
            with open(self.path('conf'), 'w', encoding='utf-8') as file:
                file.write(f'# data-dir = /no\ndata-dir = {value.format(server.data_dir)}\nthreads = 2\n')
            self.assertEqual(self.front(0, 'export', '--json', HOLDFAST_CONFIG='conf'), self.front(0, 'export', server.data_dir))
        self.front(2, 'export', says='HOLDFAST_CONFIG: nothing does not exist', HOLDFAST_CONFIG='nothing')
        self.assertIn('"leases":1', self.front(0, 'verify', '--json', f'--data-dir={server.data_dir}'))
        self.front(0, 'verify', '--data-dir', server.data_dir, says='good')
        os.rename(backup, self.path('-b'))
        self.front(0, 'verify', '--', '-b', says='good')
        self.front(2, 'verify', '--data-dir', 'a', 'b', says='one path at a time')
        self.front(2, 'verify', '--json=yes', says='--json takes no value')
        self.front(0, 'restore', '--data-dir=new', '--store-epoch=7', '--', '-b', says='store epoch 7')

    def test_violations_are_told(self):
        server = self.server()
        lease = server.put(lease_path('a'), config()).json()
        server.stop()
        path = os.path.join(server.data_dir, 'data.mdb')
        with open(path, 'rb') as file:
            data = file.read()
        # The holder of the address becomes somebody else: the last letter of its identity, in the table of addresses alone.
        key = b'\0' * 10 + b'\xff\xff' + bytes([241, 0, 0, 0])
        at = [m.end() for m in re.finditer(re.escape(key) + rb'\x01.{16}east\0default\0\x01a', data, re.S)]
        self.assertTrue(at and lease)
        with open(path, 'r+b') as file:
            for place in at:
                file.seek(place - 1)
                file.write(b'b')
        self.assertOffline(1, 'verify', server.data_dir, says='addresses: .*241.0.0.0')
        server.start()
        self.front(1, 'verify', server=server, says='addresses: 241.0.0.0 .*(?s:.*)violations')
        self.assertIn('level=error msg="verified"', server.log())
        self.front(1, 'backup', '--dir', 'kept', server=server, says='breaks invariants')
        self.assertEqual(os.listdir(self.path('kept')), [])
        self.assertOffline(2, 'restore', self.take(server), '--data-dir', self.path('x'), says='breaks 3 invariants, the first: ')


if __name__ == '__main__':
    unittest.main()

"""Backups of a running server, and the commands as an operator types them."""
import json
import os
import random
import re
import shutil
import subprocess
import threading
import time
import unittest

from backups import FRONT, Case, document, sync, vips
from harness import BINARY, config, eventually, fill, lease_path


class Taking(Case):
    def test_a_backup_is_of_one_revision_while_others_write(self):
        server = self.server()
        stop = threading.Event()

        def write(k):
            connection = server.connect()
            for i in range(100000):
                if stop.is_set():
                    break
                server.put(lease_path(f's{k}-{i}'), config(), connection=connection, check=False)
            connection.close()
        writers = [threading.Thread(target=write, args=(k,)) for k in range(4)]
        for writer in writers:
            writer.start()
        try:
            for i in range(8):
                answer = server.get('/v1/backup')
                with open(self.path('b'), 'wb') as file:
                    file.write(answer.body)
                report = json.loads(self.assertOffline(0, 'verify', '--json', self.path('b')))
                revision = int(answer.header('Holdfast-Revision'))
                self.assertEqual((report['revision'], report['violations']), (revision, 0))
                self.assertEqual(report['counts']['leases'], revision - 3)  # each lease is one revision, and the three pools were before
                self.assertEqual(answer.header('Holdfast-Store-Epoch'), '1')
        finally:
            stop.set()
            for writer in writers:
                writer.join()

    def test_whoever_does_not_read_on_holds_nobody_up(self):
        server = self.server()
        sync(server, 'east', (document(f's{i}') for i in range(15000)))  # more than the kernel takes off the server's hands
        with server.socket(receive_buffer=4096) as reader:
            reader.sendall(b'GET /v1/backup HTTP/1.1\r\nHost: x\r\n\r\n')
            self.assertIn(b'200 OK', reader.recv(200))
            began = time.monotonic()
            fill(server, (f't{i}' for i in range(300)), body=config())
            self.assertLess(time.monotonic() - began, 20)
        eventually(lambda: 'msg="backup cut off"' in server.log())
        metrics = server.get('/metrics').body.decode()
        self.assertIn('holdfast_backups_total{outcome="cut"} 1', metrics)
        self.assertIn('holdfast_backups_total{outcome="whole"} 0', metrics)
        self.take(server)
        self.assertIn('holdfast_backups_total{outcome="whole"} 1', server.get('/metrics').body.decode())

    def test_a_backup_that_is_cut_or_altered_is_refused(self):
        server = self.server()
        fill(server, (f's{i}' for i in range(50)), body=config())
        backup = self.take(server)
        server.stop()
        with open(os.path.join(server.data_dir, 'data.mdb'), 'rb') as file:
            before = file.read()
        with open(backup, 'rb') as file:
            whole = file.read()
        cuts = [0, 1, 100, 4095, 4096, 8192, len(whole) // 2, len(whole) // 2 + 1, len(whole) - 4096 - 48, len(whole) - 49, len(whole) - 48,
                len(whole) - 1]
        bad = [(f'cut at {at}', whole[:at]) for at in cuts] + [('a byte more', whole + b'x')]
        for at in random.Random(1).sample(range(8192, len(whole)), 8):
            bad.append((f'byte {at}', whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]))
        for name, content in bad:
            with self.subTest(name):
                with open(self.path('bad'), 'wb') as file:
                    file.write(content)
                self.assertOffline(2, 'verify', self.path('bad'), says='.')
                self.assertOffline(2, 'restore', self.path('bad'), '--data-dir', server.data_dir, says='empty|cut off|altered|not a database')
                with open(os.path.join(server.data_dir, 'data.mdb'), 'rb') as file:
                    self.assertEqual(file.read(), before)
        self.assertEqual(sorted(os.listdir(server.data_dir)), ['data.mdb', 'holdfast.lock', 'lock.mdb'])
        server.start()

    def test_a_server_does_not_start_from_a_backup_that_was_put_there(self):
        server = self.server()
        backup = self.take(server)
        server.stop()
        shutil.copy(backup, os.path.join(server.data_dir, 'data.mdb'))
        status, out, err = self.offline('--data-dir', server.data_dir, '--listen', '127.0.0.1:0')
        self.assertEqual((status, out), (3, ''))
        self.assertIn('holdfast restore', err)
        server.process = None

    def test_no_more_than_four_at_once(self):
        server = self.server()
        sync(server, 'east', (document(f's{i}') for i in range(15000)))
        readers = [server.socket(receive_buffer=4096) for _ in range(4)]
        for reader in readers:
            reader.sendall(b'GET /v1/backup HTTP/1.1\r\nHost: x\r\n\r\n')
            self.assertIn(b'200 OK', reader.recv(200))
        self.assertEqual(server.get('/v1/backup').code, 'overloaded')
        for reader in readers:
            reader.close()
        eventually(lambda: server.get('/v1/backup').status == 200)

    def test_a_reader_that_is_killed_holds_no_pages_back(self):
        server = self.server()
        documents = [document(f's{i}') for i in range(2000)]
        sync(server, 'east', documents)
        with subprocess.Popen([BINARY, 'export', server.data_dir], stdout=subprocess.PIPE) as child:
            child.stdout.read(100)  # the rest is more than a pipe takes
            child.kill()
            child.wait()
        time.sleep(2.5)  # the server looks every second
        used = server.get('/v1/status').json()['usedBytes']
        for i in range(12):
            sync(server, 'east', [{**d, 'spec': {'i': i}} for d in documents[:1000]], mode='delta')
        self.assertLess(server.get('/v1/status').json()['usedBytes'], used + 2500000)

    def test_a_file_of_two_names_has_one_server(self):
        server = self.server()
        server.put(lease_path('a'), config())
        other = self.path('other')
        os.mkdir(other)
        live = os.path.join(server.data_dir, 'data.mdb')
        os.link(live, os.path.join(other, 'data.mdb'))
        os.symlink(live, self.path('link'))
        status, out, err = self.offline('--data-dir', other, '--listen', '127.0.0.1:0')
        self.assertEqual((status, out), (4, ''), err)
        for command in (('verify', live), ('verify', self.path('link')), ('export', live),
                        ('restore', self.path('link'), '--data-dir', self.path('x'))):
            self.assertOffline(1, *command, says='running server')
        self.assertOffline(0, 'verify', server.data_dir)

    def test_mdb_copy_gives_a_good_backup_too(self):
        server = self.server()
        fill(server, (f's{i}' for i in range(300)), body=config())
        before = vips(server)
        for flags in ([], ['-c']):
            with self.subTest(flags):
                target = self.path('copy' + ''.join(flags))
                os.mkdir(target)
                self.assertEqual(self.run_program('mdb_copy', *flags, server.data_dir, target)[0], 0)
                self.assertOffline(0, 'verify', target, says='good: every invariant holds')
                self.assertOffline(2, 'restore', target, '--data-dir', self.path('x'), says='is a directory')
                self.restore(server, os.path.join(target, 'data.mdb'))
                self.assertEqual(vips(server), before)


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
        self.front(2, 'backup', '--keep', '0', says='at least one', server=server)
        self.front(2, 'backup', '--keep', 'x', says='not a whole number', server=server)
        self.front(2, 'backup', 'there', says='no argument', server=server)
        self.front(2, 'backup', '--dir', says='a value is missing', server=server)
        self.front(2, 'backup', '--keep', says='a value is missing', server=server)
        self.front(2, 'backup', '--dir', 'a/b', says='cannot be made', server=server)
        before = sorted(os.listdir(self.path('kept')))
        port = server.port
        server.stop()
        self.front(3, 'backup', '--dir', 'kept', '--keep', '1', says='cannot be reached', HOLDFAST_URL=f'http://127.0.0.1:{port}')
        self.assertEqual(sorted(os.listdir(self.path('kept'))), before)
        data = server.data_dir
        self.front(0, 'restore', os.path.join('kept', files[-1]), '--data-dir', data, says='(?s)restored .* into .*the old data are kept as')
        self.front(0, 'verify', data, says='good')
        self.front(0, 'verify', os.path.join('kept', files[-1]), '--json', says='"violations":0')
        self.front(0, 'migrate', says='format 2 already', HOLDFAST_DATA_DIR=data)
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
        self.assertIn('nothing is kept', err)
        self.assertEqual(os.listdir(self.path('kept')), [])

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

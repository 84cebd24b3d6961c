"""Backups of a running server."""
import json
import os
import random
import shutil
import subprocess
import threading
import unittest

import storefile
from backups import Case, document, sync, vips
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
            reader.sendall(b'GET /v1/backup HTTP/1.1\r\nHost: localhost\r\n\r\n')
            self.assertIn(b'200 OK', reader.recv(200))
            fill(server, (f't{i}' for i in range(300)), body=config())
            self.assertNotIn('msg="backup cut off"', server.log(), 'they are done while the backup waits for its reader')
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
            reader.sendall(b'GET /v1/backup HTTP/1.1\r\nHost: localhost\r\n\r\n')
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
            self.assertIn(child.pid, storefile.readers(server.data_dir))
            child.kill()
            child.wait()
        eventually(lambda: child.pid not in storefile.readers(server.data_dir))  # the server looks every second
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


if __name__ == '__main__':
    unittest.main()

"""The database file is deleted, replaced or moved away under a server; and what a start makes of a directory that was not left in order."""
import json
import os
import shutil

from backups import Case
from harness import config, eventually, fill, lease_path


class Gone(Case):
    def setUp(self):
        super().setUp()
        self.store = self.server()
        fill(self.store, (f's{i}' for i in range(20)), body=config())
        self.file = os.path.join(self.store.data_dir, 'data.mdb')

    def errors(self, msg):
        return [line for line in self.store.log().splitlines() if f'msg="{msg}"' in line]

    def assertGone(self, says):
        """Noticed without a request; writes are refused, reads go on, and a backup is the way out. Returns the backup's path."""
        eventually(lambda: self.errors('database gone'))
        self.assertEqual(len(self.errors('database gone')), 1)
        self.assertRegex(self.errors('database gone')[0], f'level=error .*data.mdb was {says}.*: take a backup now')
        ready = self.store.get('/readyz')
        self.assertEqual((ready.status, ready.code, ready.header('Retry-After')), (503, 'store-gone', '1'))
        for answer in (self.store.put(lease_path('new'), config()), self.store.delete(lease_path('s0')),
                       self.store.put('/v1/zones/east/connection', {'instance': 'a'}),
                       self.store.post('/v1/zones/east/sync?mode=delta&mesh=*', {'items': [config(name='more')]})):
            self.assertEqual((answer.status, answer.code), (503, 'store-gone'), answer)
        self.assertEqual(self.store.get(lease_path('s0')).json()['state'], 'active')
        self.assertEqual(self.store.get('/livez').status, 200)
        self.assertIn('holdfast_store_gone 1\n', self.store.get('/metrics', check=False).body.decode())
        return self.take(self.store)

    def assertBack(self):
        eventually(lambda: self.errors('database back'))
        self.assertEqual(self.store.put(lease_path('new'), config()).status, 201)
        self.assertEqual(self.store.get('/readyz').status, 200)
        self.assertIn('holdfast_store_gone 0\n', self.store.get('/metrics', check=False).body.decode())

    def test_deleted(self):
        os.unlink(self.file)
        backup = self.assertGone('deleted or moved away')
        self.store.stop()
        self.assertFalse(os.path.exists(self.file))
        for command, status in (('serve', 6), ('migrate', 2)):
            args = ('--listen', '127.0.0.1:0') if command == 'serve' else ()
            self.assertOffline(status, command, '--data-dir', self.store.data_dir, *args, says='no database|data.mdb is gone from .*restore')
            self.assertFalse(os.path.exists(self.file), 'no new store hides it')
        self.assertOffline(0, 'restore', backup, '--data-dir', self.store.data_dir)
        self.store.start()
        self.assertEqual(len(self.store.stream()[0]), 20)

    def test_deleted_and_killed(self):
        """What is written when it was opened must do, as nothing is at the end."""
        self.store.stop()
        self.store.start()
        os.unlink(self.file)
        self.store.kill()
        self.assertOffline(6, 'serve', '--data-dir', self.store.data_dir, '--listen', '127.0.0.1:0', says='data.mdb is gone')
        os.unlink(os.path.join(self.store.data_dir, 'holdfast.lock'))
        self.store.start()
        self.assertEqual(self.store.stream()[0], [])

    def test_replaced(self):
        self.take(self.store, 'other')
        os.rename(self.file, self.path('kept'))
        os.rename(self.path('other'), self.file)
        self.assertGone('replaced by another file')
        os.rename(self.path('kept'), self.file)
        self.assertBack()

    def test_the_directory_is_moved(self):
        away = self.store.data_dir + '.away'
        os.rename(self.store.data_dir, away)
        self.assertGone('deleted or moved away')
        os.rename(away, self.store.data_dir)
        self.assertBack()

    def test_a_new_directory_with_a_copy(self):
        away = self.store.data_dir + '.away'
        os.rename(self.store.data_dir, away)
        shutil.copytree(away, self.store.data_dir)
        self.assertGone('replaced by another file')

    def test_a_write_that_is_committed_meanwhile_is_not_acknowledged(self):
        os.unlink(self.file)
        answer = self.store.put(lease_path('new'), config())
        self.assertEqual((answer.status, answer.code), (503, 'store-gone'))

    def checked(self):
        return self.errors('pages checked')

    def test_pages_are_looked_at_unless_the_end_was_in_order(self):
        self.assertEqual(self.checked(), [])
        self.store.stop()
        self.store.start()
        self.assertEqual(self.checked(), [])
        self.store.kill()
        self.store.start()
        self.assertEqual(len(self.checked()), 1)
        self.store.stop()
        for how in ('touched', 'copied', 'grown', 'of an older version'):
            with self.subTest(how):
                self.change(how)
                self.store.start()
                self.assertEqual(len(self.checked()), 1)
                self.store.stop()
                self.store.start()
                self.assertEqual(self.checked(), [])
                self.store.stop()

    def change(self, how):
        st = os.stat(self.file)
        if how == 'touched':
            os.utime(self.file, ns=(st.st_atime_ns, st.st_mtime_ns + 1))
        elif how == 'copied':
            shutil.copy2(self.file, self.path('copy'))
            os.replace(self.path('copy'), self.file)
        elif how == 'grown':
            with open(self.file, 'ab') as file:
                file.write(bytes(4096))
            os.utime(self.file, ns=(st.st_atime_ns, st.st_mtime_ns))
        else:
            with open(os.path.join(self.store.data_dir, 'holdfast.lock'), 'w', encoding='utf-8') as lock:
                lock.write('1234\n')

    def test_damage_after_an_unclean_end_is_refused_at_the_start(self):
        for sound in (True, False):
            with self.subTest(sound=sound):
                self.store.kill()
                with open(self.file, 'r+b') as file:  # a page of the tree of leases or one that is free, whatever: the walk looks at all
                    pages = os.path.getsize(self.file) // 4096
                    for page in range(2, 2 if sound else pages):
                        file.seek(page * 4096 + 10)
                        file.write(b'\1\0\x12\0')
                if sound:
                    self.store.start()
                else:
                    self.assertOffline(6, 'serve', '--data-dir', self.store.data_dir, '--listen', '127.0.0.1:0',
                                       says='data.mdb is damaged or truncated: page [0-9]+')

    def test_an_older_copy_is_not_started_on(self):
        self.store.stop()
        shutil.copy2(self.file, self.path('older'))
        self.store.start()
        self.store.put(lease_path('later'), config())
        self.store.stop()
        shutil.copy2(self.file, self.path('newer'))
        shutil.copy2(self.path('older'), self.file)
        self.assertOffline(3, 'serve', '--data-dir', self.store.data_dir, '--listen', '127.0.0.1:0',
                           says='is an older copy of the store that was there: revision 23, and it had 24')
        self.assertOffline(0, 'verify', self.store.data_dir)
        report = json.loads(self.assertOffline(0, 'restore', self.path('older'), '--data-dir', self.store.data_dir, '--json'))
        self.assertEqual(report['storeEpoch'], 2)
        self.store.start()


class Readers(Case):
    def test_the_age_of_the_oldest_reader_and_free_pages(self):
        server = self.server()
        fill(server, (f's{i}' for i in range(300)), body=config())

        def metric(name):
            return int(next(line for line in server.get('/metrics', check=False).body.decode().splitlines() if line.startswith(name + ' '))
                       .split()[1])

        self.assertGreater(metric('holdfast_store_free_pages'), 0)
        self.assertEqual(metric('holdfast_store_oldest_reader_seconds'), 0)
        with server.socket(receive_buffer=4096) as reader:
            reader.sendall(b'GET /v1/backup HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
            self.assertTrue(reader.recv(1).startswith(b'H'))
            server.put(lease_path('one-more'), config())
            eventually(lambda: metric('holdfast_store_oldest_reader_seconds') > 0)
        eventually(lambda: metric('holdfast_store_oldest_reader_seconds') == 0)
        self.assertEqual(server.process.child.poll(), None)

"""A database that is damaged, or cut short, under a running server: a check says so, and what dies of it says why and is not started
again for ever."""
import http.client
import os
import signal
import struct
import subprocess

from harness import BINARY, config, eventually, fill, lease_path
from backups import Case

PAGE, BRANCH, HEADER = 4096, 1, 16
LEASES = 500


class Rot(Case):
    def setUp(self):
        super().setUp()
        self.store = self.server()
        fill(self.store, (f's{i}' for i in range(LEASES)), body=config())
        self.file = os.path.join(self.store.data_dir, 'data.mdb')

    def damage(self):
        """Every page but the first two becomes one that LMDB asserts not to be."""
        with open(self.file, 'r+b') as file:
            for page in range(2, os.path.getsize(self.file) // PAGE):
                file.seek(page * PAGE + 10)
                file.write(struct.pack('=HH', BRANCH, HEADER + 2))

    def assertEnds(self, status, says, act):
        """`act`, whose request is not answered, ends the server with that status and one line."""
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            act()
        process, self.store.process = self.store.process, None
        self.store._disconnect()
        self.assertEqual(process.wait(), status)
        self.assertEqual(process.reports(), '')
        process.child.stdout.close()
        lines = [line for line in process.log().splitlines() if 'level=error' in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex('\n'.join(lines), says)

    def list(self):
        return self.store.get('/v1/leases', check=False)

    def test_an_assertion(self):
        self.damage()
        self.assertEnds(6, r'^time=\S+Z level=error msg="database damaged" detail="\S*/data.mdb is damaged: .*, in table \\"[a-z]+\\" '
                        r'\(.*Assertion.*\)\. Leave the file as it is; .*restore a backup"$', self.list)

    def test_a_file_that_is_cut_short(self):
        os.truncate(self.file, 2 * PAGE)
        self.assertEnds(6, r'msg="database damaged" detail="\S*/data.mdb was cut short, or the disk cannot read it: page [0-9]+, in table '
                        r'\\"[a-z]+\\" \(SIGBUS\)', self.list)
        status, _, err = self.offline('verify', self.store.data_dir)
        self.assertEqual(status, 2, err)

    def test_a_file_that_is_cut_short_under_a_writer(self):
        os.truncate(self.file, 2 * PAGE)
        self.assertEnds(6, 'data.mdb was cut short', lambda: self.store.put(lease_path('new'), config(), check=False))

    def test_a_lock_table_that_is_cut_short_heals_by_a_start(self):
        os.truncate(os.path.join(self.store.data_dir, 'lock.mdb'), 0)
        self.assertEnds(1, 'lock.mdb was cut short', self.list)
        self.store.start()
        self.assertEqual(len(self.store.stream()[0]), LEASES)

    def test_a_file_that_is_cut_short_under_a_command(self):
        """The export waits for its reader, in the middle of the leases."""
        fill(self.store, (f'more{i}' for i in range(LEASES)), body=config())
        with subprocess.Popen([BINARY, 'export', self.store.data_dir], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
            export.stdout.read(1)
            os.truncate(self.file, 2 * PAGE)
            _, err = export.communicate()
        self.assertEqual(export.returncode, 2, err)
        self.assertRegex(err.decode(), r'^holdfastd export: \S*/data.mdb was cut short, or the disk cannot read it: page [0-9]+, .*\n$')

    def test_a_signal_that_is_not_the_databases_does_what_it_does(self):
        process, self.store.process = self.store.process, None
        process.child.send_signal(signal.SIGSEGV)
        status = process.wait()
        process.child.stdout.close()
        self.assertIn(status, (-signal.SIGSEGV, 99))  # 99: a sanitizer reported it
        self.assertNotIn('database damaged', process.log())
        for name in os.listdir(process.root):
            if name.startswith('sanitizer'):
                os.unlink(os.path.join(process.root, name))

    def test_a_check_says_what_is_damaged(self):
        self.assertEqual(self.store.post('/v1/verify').json()['violations'], 0)
        self.damage()
        answer = self.store.post('/v1/verify').json()
        self.assertEqual((answer['violations'], [item['table'] for item in answer['items']]), (1, ['pages']))
        self.assertRegex(answer['items'][0]['detail'], '^page [0-9]+ is not a page of a tree')
        eventually(lambda: 'level=error msg="verified" violations=1 detail="page ' in self.store.log())
        self.assertEqual(self.store.get('/livez').status, 200)

    def test_a_check_of_a_file_that_is_cut_short(self):
        os.truncate(self.file, 2 * PAGE)
        self.assertRegex(self.store.post('/v1/verify').json()['items'][0]['detail'], '^page [0-9]+ is missing')

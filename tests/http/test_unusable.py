"""Files that are no store of ours, and stores that cannot be read: what each command says, and how it ends."""
import os
import random
import shutil
import subprocess
import unittest

from harness import BINARY, Server, config, fill
from storefile import set_format
from backups import Case

SERVE = ('serve', '--listen', '127.0.0.1:0')
NOBODY = 65534
DUMP = """VERSION=3
format=bytevalue
type=btree
mapsize=1048576
maxreaders=126
HEADER=END
 {key}
 76616c7565
DATA=END
"""


class Unusable(Case):
    @classmethod
    def setUpClass(cls):
        """The bytes of a sound store."""
        server = Server()
        cls.addClassCleanup(server.close)
        fill(server, (f's{i}' for i in range(200)), body=config())
        cls.backup = server.get('/v1/backup').body
        server.stop()
        with open(os.path.join(server.data_dir, 'data.mdb'), 'rb') as file:
            cls.store = file.read()
        set_format(server.data_dir, 99)
        with open(os.path.join(server.data_dir, 'data.mdb'), 'rb') as file:
            cls.newer = file.read()

    def setUp(self):
        super().setUp()
        os.chmod(self.root, 0o755)
        self.dir = self.path('data')
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o777)
        self.file = os.path.join(self.dir, 'data.mdb')
        self.target = self.path('restored')

    def write(self, content):
        with open(self.file, 'wb') as file:
            file.write(content)

    def commands(self):
        """Each command, and the exit status of one that cannot read its store: serve tells damage (6) from the rest."""
        return {'serve': (*SERVE, '--data-dir', self.dir), 'migrate': ('migrate', '--data-dir', self.dir), 'verify': ('verify', self.dir),
                'verify the file': ('verify', self.file), 'restore': ('restore', self.file, '--data-dir', self.target)}

    def assertRefused(self, serve_status, says, but=()):
        """Each command fails in these words, in one line that names the file or directory; it changes nothing and makes no store."""
        before = self.content()
        for name, command in self.commands().items():
            if name in but:
                continue
            with self.subTest(name):
                status, out, err = self.offline(*command)
                self.assertEqual((status, out), (serve_status if name == 'serve' else 2, ''), err)
                self.assertRegex(err, says)
                lines = [line for line in err.splitlines() if 'msg="stopped"' not in line]
                self.assertEqual(len(lines), 1, err)
                self.assertEqual(self.content(), before)
                self.assertFalse(os.path.exists(os.path.join(self.target, 'data.mdb')))
                self.assertFalse(os.path.exists(os.path.join(self.target, 'restoring')))

    def content(self):
        if not os.path.isfile(self.file):
            return os.path.isdir(self.file)
        with open(self.file, 'rb') as file:
            return file.read()

    def test_files_that_are_no_database(self):
        noise = random.Random(1).randbytes
        for name, content in (('text', b'this is no database\n' * 1000), ('one byte', b'\0'), ('one page of noise', noise(4096)),
                              ('noise', noise(100000)), ('zeros', bytes(100000)), ('a page of a store', self.store[:4096]),
                              ('a store without its first page', self.store[4096:])):
            with self.subTest(name):
                self.write(content)
                self.assertRefused(6, 'data.mdb is not a database of this format, or its first pages are damaged')

    def test_an_empty_file(self):
        self.write(b'')
        self.assertRefused(6, 'data.mdb is empty')

    def test_a_store_that_is_cut_off(self):
        for cut in (2 * 4096, 2 * 4096 + 1, 3 * 4096, len(self.store) // 4, len(self.store) // 2, len(self.store) // 2 + 100):
            with self.subTest(cut=cut):
                self.write(self.store[:cut])
                self.assertRefused(6, 'data.mdb is damaged or truncated: page [0-9]+ is missing')

    def test_a_store_that_is_cut_off_in_its_head(self):
        for cut in (1, 100, 152, 4096, 4096 + 100):
            with self.subTest(cut=cut):
                self.write(self.store[:cut])
                self.assertRefused(6, 'data.mdb is not a database of this format, or its first pages are damaged')

    def test_a_backup_that_is_cut_off(self):
        for cut in (len(self.backup) - 1, len(self.backup) - 48, len(self.backup) // 2, 2 * 4096):
            with self.subTest(cut=cut):
                self.write(self.backup[:cut])
                self.assertRefused(3, f'data.mdb is a backup that was (cut off: it has {cut} bytes of {len(self.backup)}|put there by hand)',
                                   but=('verify',))

    def test_databases_of_other_programs(self):
        for name, key, tables in (('a table of its own', '6b6579', ['-s', 'users']), ('no table', '6b6579', []),
                                  ('an entry where a table should be', '6d657461', []), ('a table of our name', '6b6579', ['-s', 'meta'])):
            with self.subTest(name):
                if os.path.exists(self.file):
                    os.unlink(self.file)
                subprocess.run(['mdb_load', '-n', *tables, self.file], input=DUMP.format(key=key), text=True, check=True, timeout=300)
                self.assertRefused(6, 'is missing: this is not a Holdfast store|data.mdb cannot be read: MDB_INCOMPATIBLE')

    def test_a_store_of_a_newer_version(self):
        self.write(self.newer)
        self.assertRefused(5, 'has format 99, from a newer Holdfast; this one reads up to [0-9]+')

    def test_a_directory_in_its_place(self):
        os.mkdir(self.file)
        self.assertRefused(3, 'data.mdb(.*)? (is not a file|is a directory)|data.mdb/data.mdb: No such file')

    def test_nothing_there(self):
        self.assertRefused(3, 'data.*(no database|No such file)', but=('serve',))
        for command in ('serve', 'migrate', 'verify', 'restore'):
            with self.subTest(command):
                away = self.path('no/where')
                arguments = {'serve': SERVE, 'restore': ('restore', self.file)}.get(command, (command,))
                status, out, err = self.offline(*arguments, *([away] if command == 'verify' else ['--data-dir', away]))
                self.assertEqual((status, out), (3 if command == 'serve' else 2, ''), err)
                self.assertIn('No such file or directory', err)

    def test_a_file_instead_of_a_directory(self):
        self.dir = self.path('file')
        with open(self.dir, 'wb') as file:
            file.write(b'x')
        for command, status in ((SERVE, 3), (('migrate',), 2)):
            self.assertOffline(status, *command, '--data-dir', self.dir, says='file.*[Nn]ot a directory')

    def test_files_that_may_not_be_read(self):
        """As somebody whom permissions bind."""
        self.write(self.store)
        os.chmod(self.file, 0)
        program = BINARY
        if os.geteuid() == 0:
            program = shutil.copy(BINARY, self.path('holdfastd'))
            os.chmod(program, 0o755)
        self.assertDenied(program, self.commands(), 'data.mdb.*Permission denied')
        os.unlink(os.path.join(self.dir, 'holdfast.lock'))
        self.addCleanup(os.chmod, self.dir, 0o755)
        for mode in (0o555, 0):
            os.chmod(self.dir, mode)
            self.assertDenied(program, ('serve', 'migrate') if mode else self.commands(), 'data.*Permission denied')

    def assertDenied(self, program, names, says):
        who = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}
        env = {'PATH': os.environ['PATH'], 'ASAN_OPTIONS': 'exitcode=99', 'UBSAN_OPTIONS': 'halt_on_error=1'}
        self.target = self.dir
        for name in names:
            with self.subTest(name, mode=os.stat(self.dir).st_mode):
                run = subprocess.run([program, *self.commands()[name]], env=env, cwd=self.root, capture_output=True, text=True, timeout=300,
                                     **who)
                self.assertEqual((run.returncode, run.stdout), (3 if name == 'serve' else 2, ''), run.stderr)
                self.assertRegex(run.stderr, says)


if __name__ == '__main__':
    unittest.main()

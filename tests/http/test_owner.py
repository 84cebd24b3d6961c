"""Root's commands in a directory of another user, whose links they must not follow; lock tables of others; processes of one number."""
import errno
import os
import shutil
import subprocess
import unittest

from backups import Case
from disk import faulty
from harness import BINARY, config, fill, lease_path

NOBODY = 65534
ROOT = os.geteuid() == 0


def can_unshare():
    return ROOT and shutil.which('unshare') and subprocess.run(['unshare', '-pf', '--mount-proc', 'true'], check=False,
                                                                stderr=subprocess.DEVNULL).returncode == 0


class Directory(Case):
    def setUp(self):
        super().setUp()
        os.chmod(self.root, 0o755)
        self.store = self.server(data_dir=self.path('data'))
        fill(self.store, (f's{i}' for i in range(10)), body=config())
        self.backup = self.take(self.store)
        self.lock_table = self.path('data/lock.mdb')


@unittest.skipUnless(ROOT, 'needs root')
class Owner(Directory):
    def setUp(self):
        super().setUp()
        self.store.stop()
        self.give(self.path('data'))
        self.victim = self.path('victim')
        with open(self.victim, 'w', encoding='utf-8') as file:
            file.write('secret')
        os.chmod(self.victim, 0o600)

    def give(self, path):
        for name in [path, *(os.path.join(path, name) for name in os.listdir(path))]:
            os.lchown(name, NOBODY, NOBODY)

    def assertOwned(self, path):
        for name in os.listdir(path):
            self.assertEqual(os.lstat(os.path.join(path, name)).st_uid, NOBODY, name)

    def assertUnharmed(self):
        with open(self.victim, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'secret')
        st = os.stat(self.victim)
        self.assertEqual((st.st_uid, st.st_mode & 0o777), (0, 0o600))
        self.assertFalse(os.path.exists(self.path('made')))

    def test_no_link_is_followed(self):
        data = self.path('data')
        commands = (('verify', data), ('export', data), ('export', data, '--output', self.path('out')), ('repair', '--data-dir', data),
                    ('migrate', '--data-dir', data), ('import', self.path('out'), '--data-dir', data),
                    ('restore', self.backup, '--data-dir', data), ('serve', '--data-dir', data, '--listen', '127.0.0.1:1'))
        for name in ('lock.mdb', 'holdfast.lock'):
            for target in (self.victim, self.path('made')):
                for command in commands:
                    with self.subTest(command[0], name=name, target=target):
                        path = os.path.join(data, name)
                        if os.path.lexists(path):
                            os.unlink(path)
                        os.symlink(target, path)
                        os.lchown(path, NOBODY, NOBODY)
                        self.offline(*command)
                        self.assertUnharmed()
                        if os.path.islink(path):
                            os.unlink(path)

    def test_a_link_of_the_users_instead_of_the_directory(self):
        os.mkdir(self.path('roots'))
        os.symlink(self.path('roots'), self.path('link'))
        os.lchown(self.path('link'), NOBODY, NOBODY)
        self.assertOffline(2, 'import', self.path('none'), '--data-dir', self.path('link'))
        self.assertOffline(2, 'restore', self.backup, '--data-dir', self.path('link'), says='Permission denied')
        self.assertEqual(os.listdir(self.path('roots')), [])

    def test_an_owner_who_is_shut_out(self):
        os.chmod(self.root, 0o700)
        self.assertOffline(1, 'repair', '--data-dir', self.path('data'), says=f'data belongs to user {NOBODY}, who cannot search a directory above it')
        os.chmod(self.root, 0o755)

    def test_what_is_made_is_the_owners_and_what_is_roots_can_be_used(self):
        data, out = self.path('data'), self.path('private/lines')
        os.mkdir(self.path('private'), 0o700)
        shutil.copy(self.backup, self.path('private/backup'))
        os.chmod(self.path('private/backup'), 0o600)
        self.assertOffline(0, 'export', data, '--output', out)
        self.assertEqual(os.stat(out).st_uid, 0)
        self.assertOffline(0, 'verify', data)
        self.assertOffline(0, 'repair', '--data-dir', data, '--apply')
        self.assertOffline(0, 'restore', self.path('private/backup'), '--data-dir', data, says='restored .*private/backup into')
        self.assertOffline(0, 'import', out, '--data-dir', data, '--on-conflict', 'keep')
        self.assertOwned(data)
        self.assertFalse(os.path.exists(self.path('data/backup.part')))
        self.store.start()
        self.assertIn("ids of the data directory's owner taken", self.store.log())
        self.assertEqual(self.uid(), NOBODY)
        self.store.put(lease_path('more'), config())
        self.store.stop()
        self.assertOwned(data)

    def uid(self):
        with open(f'/proc/{self.store.process.child.pid}/status', encoding='utf-8') as status:
            return int(next(line for line in status if line.startswith('Uid:')).split()[2])

    def test_a_lock_table_of_root(self):
        for name in ('lock.mdb',):
            with open(os.path.join(self.path('data'), name), 'wb'):
                pass
            os.chown(os.path.join(self.path('data'), name), 0, 0)
            os.chmod(os.path.join(self.path('data'), name), 0o640)
        self.assertOffline(3, 'serve', '--data-dir', self.path('data'), '--listen', '127.0.0.1:0',
                           says='lock.mdb cannot be written .*remove it while nothing uses the directory')
        self.assertOffline(0, 'verify', self.path('data'))


class Locks(Directory):
    def test_a_link_instead_of_the_database(self):
        self.store.stop()
        os.rename(self.path('data/data.mdb'), self.path('elsewhere'))
        os.symlink(self.path('elsewhere'), self.path('data/data.mdb'))
        for status, command in ((3, ('serve', '--listen', '127.0.0.1:0', '--data-dir')), (2, ('verify',)), (2, ('migrate', '--data-dir'))):
            self.assertOffline(status, *command, self.path('data'), says='is a link|is not a file')

    def test_links_instead_of_lock_files(self):
        """In a directory of one's own, where no ids are taken: nothing is written behind a link."""
        self.store.stop()
        data = self.path('data')
        commands = {'holdfast.lock': (('serve', '--data-dir', data, '--listen', '127.0.0.1:0'), ('repair', '--data-dir', data),
                                      ('migrate', '--data-dir', data)),
                    'lock.mdb': (('serve', '--data-dir', data, '--listen', '127.0.0.1:0'), ('verify', data), ('export', data),
                                 ('repair', '--data-dir', data), ('migrate', '--data-dir', data))}
        for name in commands:
            for command in commands[name]:
                with self.subTest(command[0], name=name):
                    path = os.path.join(data, name)
                    os.rename(path, self.path('kept'))
                    with open(self.path('victim'), 'w', encoding='utf-8') as file:
                        file.write('secret')
                    os.symlink(self.path('victim'), path)
                    self.assertOffline(3 if command[0] == 'serve' else 2, *command)
                    with open(self.path('victim'), encoding='utf-8') as file:
                        self.assertEqual(file.read(), 'secret')
                    os.replace(self.path('kept'), path)

    def test_a_file_that_cannot_be_mapped(self):
        self.store.stop()
        env = {**faulty(self.path('faults')), 'ASAN_OPTIONS': f'log_path={self.path("sanitizer")}:verify_asan_link_order=0'}
        os.mkdir(self.path('faults'))
        for error, says in ((errno.ENOMEM, 'data.mdb cannot be mapped: not enough address space for 65536 MiB; .*--map-size'),
                            (errno.ENODEV, 'data.mdb cannot be mapped: its file system does not support it .*use a local one')):
            with open(self.path('faults/map'), 'w', encoding='utf-8') as file:
                file.write(str(error))
            with self.subTest(errno.errorcode[error]):
                self.assertOffline(3, 'serve', '--data-dir', self.path('data'), '--listen', '127.0.0.1:0', env=env, says=says)
                self.assertOffline(2, 'verify', self.path('data'), env=env, says='data.mdb cannot be mapped: ')

    def test_a_directory_that_another_host_has(self):
        with open(self.path('data/holdfast.lock'), encoding='utf-8') as lock:
            lines = lock.read().splitlines()
        lines[1] = 'host elsewhere'
        with open(self.path('data/holdfast.lock'), 'w', encoding='utf-8') as lock:
            lock.write('\n'.join(lines) + '\n')
        self.assertOffline(4, 'serve', '--data-dir', self.path('data'), '--listen', '127.0.0.1:0',
                           says=f'is in use by another holdfastd, pid {lines[0]} of host or container elsewhere')

    @unittest.skipUnless(can_unshare(), 'needs process namespaces')
    def test_commands_of_one_number(self):
        """The export waits for its reader; the check in another container has its number."""
        fill(self.store, (f'more{i}' for i in range(1000)), body=config())
        contained = ['unshare', '-pf', '--mount-proc', BINARY]
        with subprocess.Popen([*contained, 'export', self.path('data')], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as export:
            export.stdout.read(1)
            run = subprocess.run([*contained, 'verify', self.path('data')], capture_output=True, text=True, check=False)
            export.communicate()
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertRegex(run.stderr, r'data.mdb is being read by a process with the same number \([0-9]+\), perhaps in another container: wait for it')
        self.assertEqual(export.returncode, 0)

    @unittest.skipUnless(can_unshare(), 'needs process namespaces')
    def test_processes_of_one_number(self):
        self.store.stop()
        contained = ['unshare', '-pf', '--mount-proc', BINARY]
        with subprocess.Popen([*contained, '--data-dir', self.path('data'), '--listen', '127.0.0.1:0'], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as server:
            try:
                self.assertTrue(server.stdout.readline().startswith(b'listening'))
                for command in (['verify', self.path('data')], ['export', self.path('data')]):
                    run = subprocess.run([*contained, *command], capture_output=True, text=True, check=False)
                    self.assertEqual(run.returncode, 0, run.stderr)
                run = subprocess.run([*contained, '--data-dir', self.path('data'), '--listen', '127.0.0.1:0'], capture_output=True, text=True, check=False)
                self.assertEqual(run.returncode, 4)
                self.assertRegex(run.stderr, 'is in use by another holdfastd, pid 1')
            finally:
                with open(f'/proc/{server.pid}/task/{server.pid}/children', encoding='utf-8') as children:
                    for child in children.read().split():
                        os.kill(int(child), 15)


if __name__ == '__main__':
    unittest.main()

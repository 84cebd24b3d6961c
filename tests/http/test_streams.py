"""Programs that are started with standard streams closed: no file of theirs gets such a number, and what is said harms no store."""
import http.client
import itertools
import os
import signal
import socket
import subprocess
import unittest

import front
from backups import Case
from harness import BINARY, Server, config, eventually, fill, inherited, lease_path

LIBRARY = os.environ.get('HOLDFAST_FAULTS', '')  # tests/http/faults.c, built
SUBSETS = [closed for n in range(4) for closed in itertools.combinations(range(3), n)]
LEASES = 20


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


class Streams(Case):
    @classmethod
    def setUpClass(cls):
        """A sound store's backup and export, and the store."""
        cls.source = Server()
        cls.addClassCleanup(cls.source.close)
        fill(cls.source, (f's{i}' for i in range(LEASES)), body=config())
        cls.backup = os.path.join(cls.source.root, 'a.backup')
        with open(cls.backup, 'wb') as file:
            file.write(cls.source.get('/v1/backup').body)
        cls.lines = os.path.join(cls.source.root, 'lines')
        subprocess.run([BINARY, 'export', cls.source.data_dir, '--output', cls.lines], check=True, timeout=300)

    def start(self, closed, program, *args, env=None):
        """Runs it with those descriptors closed; the others are /dev/null and a file each."""
        with open(os.devnull, 'rb') as nothing, open(self.path('out'), 'wb') as out, open(self.path('err'), 'wb') as err:
            return subprocess.Popen([program, *args], stdin=nothing, stdout=out, stderr=err, cwd=self.root,
                                    env=inherited(ASAN_OPTIONS=f"""log_path="{self.path('sanitizer')}":exitcode=99:verify_asan_link_order=0""", **(env or {})),
                                    preexec_fn=lambda: [os.close(fd) for fd in closed])

    def run_closed(self, closed, *args, program=BINARY, **more):
        return self.start(closed, program, *args, **more).wait(300)

    def assertWhole(self, path):
        self.assertIn(f'{LEASES} leases', self.assertOffline(0, 'verify', path, says='every invariant holds'))

    def fresh(self, name):
        """A directory with the store of the backup."""
        self.assertOffline(0, 'restore', self.backup, '--data-dir', self.path(name))
        return self.path(name)

    def test_the_server(self):
        for i, closed in enumerate(SUBSETS):
            with self.subTest(closed=closed):
                directory, port = self.fresh(f'd{i}'), free_port()
                child = self.start(closed, BINARY, '--data-dir', directory, '--listen', f'127.0.0.1:{port}', '--log-level', 'debug')
                try:
                    eventually(lambda port=port: listens(port))
                    for fd in range(3):
                        self.assertNotIn(directory, os.readlink(f'/proc/{child.pid}/fd/{fd}'))
                    connection = http.client.HTTPConnection('127.0.0.1', port)
                    connection.request('DELETE', lease_path('s0'))
                    self.assertEqual(connection.getresponse().status, 200)
                    connection.close()
                finally:
                    child.send_signal(signal.SIGTERM)
                    self.assertEqual(child.wait(120), 0)
                self.assertWhole(directory)

    @unittest.skipUnless(LIBRARY, 'HOLDFAST_FAULTS names no library')
    def test_offline_commands(self):
        """A command whose output is lost says so by its status, whatever it did; no file of its own is ever a standard stream."""
        store = self.fresh('store')
        faults = {'LD_PRELOAD': LIBRARY, 'FAULTS': self.root}
        commands = (
            ('verify', (store,), True), ('verify', (self.backup, '--json'), True), ('export', (store,), True),
            ('export', (store, '--output', self.path('exported')), False), ('repair', ('--data-dir', store, '--apply'), True),
            ('migrate', ('--data-dir', store), True), ('restore', (self.backup, '--data-dir', self.path('restored{}')), True),
            ('import', (self.lines, '--data-dir', self.path('imported{}')), True))
        for (i, closed), (name, args, prints) in itertools.product(enumerate(SUBSETS), commands):
            with self.subTest(name, args=args, closed=closed):
                args = [arg.format(i) for arg in args]
                status, mistaken = self.run_closed(closed, name, *args, env=faults), os.path.exists(self.path('mistaken'))
                if mistaken:
                    os.unlink(self.path('mistaken'))
                self.assertFalse(mistaken, 'a file of its own was a standard stream')
                self.assertEqual(status, 2 if prints and 1 in closed else 0)
                if name in ('restore', 'import'):
                    self.assertWhole(args[-1])
                if '--output' in args:
                    self.assertOffline(0, 'import', args[-1], '--data-dir', self.path(f'from{i}'))
                    os.unlink(args[-1])
        self.assertWhole(store)

    def test_an_input_that_is_closed_is_no_empty_one(self):
        self.assertEqual(self.run_closed((0,), 'import', '-', '--data-dir', self.path('imported')), 2)
        with open(self.path('err'), encoding='utf-8') as err:
            self.assertIn('standard input cannot be read', err.read())

    def test_the_front_command_backs_up(self):
        for i, closed in enumerate(SUBSETS):
            with self.subTest(closed=closed):
                directory = self.path(f'backups{i}')
                status = self.run_closed(closed, 'backup', '--dir', directory, program=front.FRONT, env=front.environment(self.source))
                self.assertEqual(status, 2 if 1 in closed else 0)
                self.assertEqual(len(os.listdir(directory)), 1)
                self.assertWhole(os.path.join(directory, os.listdir(directory)[0]))


if __name__ == '__main__':
    unittest.main()

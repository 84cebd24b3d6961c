"""A disk that fails while the server runs: what it answers, what it keeps, and how it goes on."""
import glob
import os
import subprocess
import threading
import unittest

from faulty import FaultyCase
from harness import BINARY, config, eventually, lease_path



class Faults(FaultyCase):
    def setUp(self):
        super().setUp()
        self.start()

    def test_a_full_disk_is_507_until_there_is_room(self):
        kept = self.server.put(lease_path('kept'), config()).json()
        self.fail('full')
        for _ in range(3):
            self.assertProblem(self.server.put(lease_path('no-room'), config()), 507, 'storage-full', 'No space left')
        self.assertProblem(self.server.delete(lease_path('kept')), 507, 'storage-full')
        self.assertOutcome(self.server.put(lease_path('kept'), config()), 200, 'unchanged')
        self.assertEqual(self.server.get(lease_path('kept')).json(), kept)
        self.assertEqual(self.server.get(lease_path('no-room')).status, 404)
        self.assertEqual(self.server.log().count('msg="commit failed"'), 1, 'one line tells of a full disk')
        os.unlink(os.path.join(self.faults, 'full'))
        self.assertOutcome(self.server.put(lease_path('no-room'), config()), 201, 'created')
        self.assertEqual(self.server.get('/v1/status').json()['revision'], kept['revision'] + 1)

    def test_a_commit_that_fails_in_its_last_step_ends_the_process(self):
        kept = self.server.put(lease_path('kept'), config()).json()
        self.fail('meta')
        self.assertProblem(self.server.put(lease_path('lost'), config()), 500, 'storage-error', 'Input/output error')
        process = self.server.process
        self.assertEqual(eventually(process.child.poll), 1, 'whoever watches the server is to start it again')
        self.assertIn('code=panic', process.log())
        self.assertFalse(process.reports(), process.reports())
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.get(lease_path('kept')).json(), kept)
        self.assertOutcome(self.server.put(lease_path('lost'), config()), 201, 'created')

    def test_a_server_that_leaks_fails_its_test(self):
        with open(BINARY, 'rb') as file:
            if b'__asan_init' not in file.read():
                self.skipTest('the server is built without the address sanitizer')
        self.fail('leak')
        self.server.put(lease_path('kept'), config())
        self.assertFalse(os.path.exists(os.path.join(self.faults, 'leak')))
        with self.assertRaisesRegex(AssertionError, 'LeakSanitizer: detected memory leaks(.|\n)*33 byte'):
            self.server.stop()
        for path in glob.glob(self.server.root + '/sanitizer*'):  # which it is meant to have
            os.unlink(path)

    def test_a_disk_that_takes_its_time_lets_backups_and_readers_in(self):
        """They begin while a commit is being flushed, whose pages can be seen but do not count yet."""
        self.server.put(lease_path('kept'), config())
        self.fail('slow')
        stop = threading.Event()

        def write():
            connection, n = self.server.connect(), 0
            while not stop.is_set():
                n += 1
                self.server.put(lease_path(f's{n}'), config(), connection=connection, check=False)
            connection.close()
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(10):
                self.assertEqual(self.server.get('/v1/backup').status, 200)
                run = subprocess.run([BINARY, 'verify', self.server.data_dir], capture_output=True, text=True, timeout=300)
                self.assertEqual((run.returncode, run.stderr), (0, ''))
        finally:
            stop.set()
            writer.join()


if __name__ == '__main__':
    unittest.main()

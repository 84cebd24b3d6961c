"""A disk that is full when a test wants it: a small file system where one can be mounted, else one that says so (faults.c).

A small one is mounted in a mount namespace of a process that does nothing but wait, so that it goes away with that process, whatever
becomes of the test; its files are reached through /proc/PID/root. HOLDFAST_NO_MOUNT asks for the other kind.
"""
import os
import shutil
import subprocess
import tempfile

import harness

LIBRARY = os.environ.get('HOLDFAST_FAULTS', '')  # tests/http/faults.c, built
PAGE = 4096
WAIT = 'mount -t tmpfs -o size={size},mode=0777 small "$1" && echo mounted && exec cat'


def faulty(faults):
    """Variables of a program whose disk fails as the files in `faults` say."""
    assert LIBRARY, 'HOLDFAST_FAULTS must name the library, as nothing can be mounted here or the test needs it'
    return {'LD_PRELOAD': LIBRARY, 'FAULTS': faults}


class Disk:
    """`path` is a directory on it, `env` what programs need to see that it is full. close() removes everything."""

    def __init__(self, size_bytes):
        self.root = tempfile.mkdtemp(prefix='holdfast-disk-', dir=harness.temporary_base())
        self.path, self.env, self.waiting = self.root, {}, None
        try:
            if not os.environ.get('HOLDFAST_NO_MOUNT'):
                self._mount(size_bytes)
            if not self.waiting:
                self.faults = tempfile.mkdtemp(dir=self.root)
                self.path = tempfile.mkdtemp(dir=self.root)
                self.env = faulty(self.faults)
        except BaseException:
            self.close()
            raise

    def _mount(self, size_bytes):
        ways = [['unshare', '--user', '--map-root-user', '--mount']]
        if os.geteuid() == 0:
            ways.insert(0, ['unshare', '--mount'])
        for way in ways if shutil.which('unshare') else []:
            waiting = subprocess.Popen([*way, 'sh', '-c', WAIT.format(size=size_bytes), 'sh', self.root], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            path = f'/proc/{waiting.pid}/root{self.root}'
            if waiting.stdout.readline() == b'mounted\n' and os.access(path, os.W_OK):
                self.waiting, self.path = waiting, path
                return
            self._end(waiting)

    @staticmethod
    def _end(waiting):
        waiting.stdin.close()
        waiting.wait()
        waiting.stdout.close()

    @property
    def is_mounted(self):
        return self.waiting is not None

    def fill(self, spare_pages=0):
        """Takes all room but for some pages, which a disk that only says that it is full does not give either."""
        if not self.is_mounted:
            open(os.path.join(self.faults, 'full'), 'w', encoding='utf-8').close()
            return
        self.make_room()
        fd = os.open(os.path.join(self.path, 'ballast'), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            while True:
                os.write(fd, b'x' * PAGE)
        except OSError:
            os.ftruncate(fd, max(os.fstat(fd).st_size - spare_pages * PAGE, 0))
        finally:
            os.close(fd)

    def make_room(self):
        try:
            os.unlink(os.path.join(self.path, 'ballast') if self.is_mounted else os.path.join(self.faults, 'full'))
        except FileNotFoundError:
            pass

    def close(self):
        if self.waiting:
            self._end(self.waiting)
        shutil.rmtree(self.root, ignore_errors=True)

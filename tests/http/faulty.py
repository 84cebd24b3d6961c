"""Servers whose system calls fail as a test likes: tests/http/faults.c is loaded into them, and reads what to do from files."""
import os
import shutil
import tempfile
import unittest

from harness import Server, ServerCase

LIBRARY = os.environ.get('HOLDFAST_FAULTS', '')  # tests/http/faults.c, built


@unittest.skipUnless(LIBRARY, 'HOLDFAST_FAULTS names no library')
class FaultyCase(ServerCase):
    """Each test has a server of its own, which start() starts."""

    @classmethod
    def setUpClass(cls):
        """There is no server that the tests share."""

    def setUp(self):
        self.faults = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.faults)

    def start(self, *flags):
        self.server = Server(*flags, env={'LD_PRELOAD': LIBRARY, 'FAULTS': self.faults})
        self.addCleanup(self.server.close)

    def fail(self, name):
        """Begins a fault; its file is removed to end it."""
        open(os.path.join(self.faults, name), 'w', encoding='utf-8').close()

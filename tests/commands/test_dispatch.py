"""How commands are found and how they end, and what they find out of the machine that they run on."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from unittest import mock

import commands_path
from shared import daemon, dispatch
from shared.failure import Failure

FRONT = os.path.join(commands_path.ROOT, 'scripts', 'holdfast')
MADE_UP = '''"""Made up"""
import os, sys, time
from shared import screen, signals
from shared.failure import Ended, Failure, WrongArguments
USAGE = 'Usage: holdfast made-up'
def main(arguments):
'''


class Commands(unittest.TestCase):
    """Commands of the test's own, run as processes."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(commands_path.COMMANDS + '/shared', self.folder + '/commands/shared')
        shutil.copy(FRONT, self.folder)

    def start(self, code, **more):
        with open(self.folder + '/commands/made_up.py', 'w', encoding='utf-8') as file:
            file.write(MADE_UP + ''.join(f'    {line}\n' for line in code.splitlines()))
        return subprocess.Popen([self.folder + '/holdfast', 'made-up'], stdout=more.pop('stdout', subprocess.PIPE), stderr=subprocess.PIPE, text=True, **more)

    def run_code(self, code, **more):
        child = self.start(code, **more)
        out, err = child.communicate(timeout=300)
        return child.returncode, out, err

    def test_how_it_ends(self):
        for code, ended in (('screen.put("a")', (0, 'a', '')), ('screen.put("a")\nreturn 1', (1, 'a', '')),
                            ('screen.put("a")\nraise Failure(3, "b")', (3, 'a', 'holdfast made-up: b\n')),
                            ('raise WrongArguments("b")', (2, '', 'holdfast made-up: b; see holdfast made-up --help\n')),
                            ('screen.put("a")\nraise Ended(7)', (7, 'a', '')), ('raise KeyboardInterrupt', (130, '', ''))):
            self.assertEqual(self.run_code(code), ended, code)
        status, _, err = self.run_code('raise KeyError("a fault of the command")')
        self.assertEqual(status, 1)
        self.assertIn('Traceback', err)

    def test_signals(self):
        code = 'signals.clean_up_first()\ntry:\n    screen.put("ready\\n")\n    screen.flush()\n    time.sleep(300)\nfinally:\n    screen.put("cleaned")'
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            child = self.start(code)
            self.assertEqual(child.stdout.readline(), 'ready\n')
            child.send_signal(number)
            out, err = child.communicate(timeout=300)
            self.assertEqual((child.returncode, err), (128 + number, ''))
            if number != signal.SIGINT:
                self.assertEqual(out, 'cleaned')

    def test_a_signal_that_was_ignored_stays_so(self):
        code = 'signals.clean_up_first()\nos.kill(os.getpid(), 1)\nscreen.put("done")'
        self.assertEqual(self.run_code(code, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)), (0, 'done', ''))

    def test_a_reader_that_leaves(self):
        child = self.start('while True:\n    screen.put("x" * 1000)')
        child.stdout.read(1)
        child.stdout.close()
        self.assertEqual((child.wait(300), child.stderr.read()), (141, ''))
        child.stderr.close()

    def test_streams_that_are_closed(self):
        """What a command opens never gets their numbers."""
        code = 'number = os.open("/dev/null", os.O_RDONLY)\nscreen.to_stderr(str(number))\nscreen.put("x")'
        status, _, err = self.run_code(code, preexec_fn=lambda: os.close(1))
        self.assertEqual((status, err), (2, '3holdfast made-up: the output cannot be written\n'))
        self.assertEqual(self.run_code('return os.open("/dev/null", os.O_RDONLY)', preexec_fn=lambda: os.close(0))[0], 3)
        self.assertEqual(self.run_code('screen.say("x")\nscreen.put("y")', preexec_fn=lambda: os.close(2))[:2], (0, 'y'))

    def test_what_is_no_command(self):
        folder = self.folder + '/commands'
        self.assertEqual(dispatch.commands(folder), [])
        with open(folder + '/made_up.py', 'w', encoding='utf-8') as file:
            file.write(MADE_UP + '    pass\n')
        self.assertEqual((dispatch.commands(folder), dispatch.summary(folder, 'made-up')), (['made-up'], 'Made up'))
        for word in ('made_up', 'shared', 'Made-up', '-made-up', '../commands/made-up', 'made-up.py', 'nothing'):
            with self.assertRaisesRegex(Failure, 'is not a command; see holdfast --help'):
                dispatch.run(folder, [word])


class Daemon(unittest.TestCase):
    def test_the_configured_data_directory(self):
        for line, found in (('data-dir = /a', '/a'), ('  data-dir:/a b  ', '/a b'), ('data-dir = /a # x', '/a'), ('data-dir = /a\t; x', '/a'),
                            ('data-dir = /a#b', '/a#b'), ('data-dir = "/a # b" c', '/a # b'), ("data-dir='/a' # b", '/a'), ('data-dir = ;x', ';x'),
                            ('data-dir = "/a', '"/a'), ('#data-dir = /a', ''), ('data-directory = /a', ''), ('data-dir =', '')):
            self.assertEqual(daemon.configured_data_dir([line + '\n', 'threads = 2\n']), found, line)
        self.assertEqual(daemon.configured_data_dir(['data-dir = /a\n', 'data-dir = /b\n']), '/b')

    def test_where_holdfastd_is(self):
        with mock.patch.dict(os.environ, {'HOLDFASTD': '/bin/../bin/sh', 'PATH': '/nowhere'}):
            self.assertEqual(daemon.binary(), os.path.realpath('/bin/sh'))


if __name__ == '__main__':
    unittest.main()

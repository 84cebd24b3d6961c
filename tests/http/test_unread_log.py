"""A log that nobody reads: lines are lost and counted, and nobody waits. Then somebody reads again."""
import fcntl
import os
import socket
import subprocess
import termios
import threading
import unittest

from harness import BINARY, EVENT_S, eventually, lease_path
from test_operations import Case

DRAIN_S = 5
PIPE_BYTES = 4096
LINES = 4000  # at debug, of 170 bytes and more each: more than a pipe and what waits in the server take
DROPPED = 'holdfast_log_lines_dropped_total'


def pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reader, writer


def journal():
    """As systemd gives a service to log to its journal."""
    reader, writer = socket.socketpair()
    return reader.detach(), writer.detach()


def terminal():
    reader, writer = os.openpty()
    mode = termios.tcgetattr(writer)
    mode[1] &= ~termios.OPOST
    termios.tcsetattr(writer, termios.TCSANOW, mode)
    return reader, writer


class Reader(threading.Thread):
    """Reads what comes until its end."""

    def __init__(self, fd):
        super().__init__(daemon=True)
        self.fd, self.text = fd, b''
        self.start()

    def run(self):
        try:
            while piece := os.read(self.fd, 65536):
                self.text += piece
        except OSError:  # the other end of a terminal is gone
            pass

    def line(self, text):
        return eventually(lambda: next((line for line in self.text.decode().splitlines() if text in line), None))


class Unread(Case):
    def started(self, make, *flags):
        reader, writer = make()
        self.addCleanup(os.close, reader)
        flags_before = fcntl.fcntl(writer, fcntl.F_GETFL)
        server = self.server(*flags, stderr=writer)
        self.assertEqual(fcntl.fcntl(writer, fcntl.F_GETFL), flags_before, 'whoever shares the descriptor has flags of his own')
        os.close(writer)
        return server, reader

    def test_costs_lines_and_nothing_else(self):
        for make in (pipe, journal, terminal):
            with self.subTest(make.__name__):
                server, reader = self.started(make, '--log-level', 'debug')
                for _ in range(LINES):
                    self.assertEqual(server.get(lease_path('none'), check=False).status, 404)
                dropped = eventually(lambda s=server: s.metric(DROPPED))
                self.assertLess(dropped, LINES)
                read = Reader(reader)
                self.assertIn('level=warn', read.line('msg="log lines were dropped"'))
                self.assertIn('msg="store created"', read.text.decode().splitlines()[0], 'what came first is there')
                server.get('/v1/pools/once-more', check=False)
                read.line('/v1/pools/once-more')
                server.stop(timeout=DRAIN_S)
                read.line('msg="stopped"')
                told = sum(int(line.split(' lines=')[1].split()[0]) for line in read.text.decode().splitlines() if ' lines=' in line)
                self.assertGreaterEqual(told, dropped, 'each is told of')

    def test_a_stop_does_not_wait_for_a_reader(self):
        server, _ = self.started(pipe, '--log-level', 'debug')
        for _ in range(100):  # more than the pipe takes; they wait in the server
            server.get(lease_path('none'), check=False)
        server.stop(timeout=DRAIN_S)

    def test_a_reader_that_is_gone(self):
        reader, writer = pipe()
        server = self.server('--log-level', 'debug', stderr=writer)
        os.close(writer)
        os.close(reader)
        for _ in range(50):
            server.get(lease_path('none'), check=False)
        eventually(lambda: server.metric(DROPPED) >= 50)  # those in the ring are tried once more, by a thread of its own
        server.stop(timeout=DRAIN_S)

    def test_standard_output_that_is_full(self):
        reader, writer = pipe()
        self.addCleanup(os.close, reader)
        os.write(writer, b'x' * PIPE_BYTES)
        log = os.path.join(self.directory(), 'log')

        def says(text):
            with open(log, encoding='utf-8') as lines:
                return text in lines.read()
        with open(log, 'wb') as stderr, subprocess.Popen(
                [BINARY, '--data-dir', self.directory() + '/data', '--listen', '127.0.0.1:0'], stdin=subprocess.DEVNULL, stdout=writer,
                stderr=stderr) as child:
            os.close(writer)
            try:
                eventually(lambda: says('msg="standard output is full" url=http://127.0.0.1:'))
            finally:
                child.terminate()
            self.assertEqual(child.wait(EVENT_S), 0)


if __name__ == '__main__':
    unittest.main()

"""A disk that hangs in the middle of a commit: who waits, who does not, what is said of it, and how a server that is to stop ends."""
import json
import os
import signal
import socket
import unittest

from faulty import FaultyCase
from harness import config, eventually, lease_path

AGE, SLOW = 'holdfast_commit_age_seconds', 'holdfast_commit_slow_total'
READS = ('/livez', '/readyz', '/metrics', '/v1/status', '/v1/leases', '/v1/changes', '/v1/zones', '/v1/pools', lease_path('kept'))


class Stall(FaultyCase):
    def start(self, *flags):
        super().start(*flags)
        self.addCleanup(self.flow)
        self.kept = self.server.put(lease_path('kept'), config()).json()

    def stall(self, what='stall'):
        self.fail(what)

    def flow(self, *what):
        for name in what or os.listdir(self.faults):
            os.unlink(os.path.join(self.faults, name))

    def hanging_put(self, name, connection=None):
        """Sends it, over a connection of its own unless one is given, and waits until a commit hangs; the connection."""
        connection = connection or self.open(1)[0]
        connection.request('PUT', lease_path(name), b'{"spec":{}}', {'Content-Type': 'application/json'})
        eventually(lambda: self.server.metric(AGE) > 0)
        return connection

    def assertReads(self, connections):
        for connection in connections:
            for target in READS:
                self.assertEqual(self.server.get(target, connection=connection, check=False).status, 200, target)
            self.assertOutcome(self.server.put(lease_path('kept'), config(), connection=connection), 200, 'unchanged')

    def open(self, count):
        connections = [self.server.connect() for _ in range(count)]
        for connection in connections:
            self.addCleanup(connection.close)
            self.assertEqual(self.server.get('/livez', connection=connection).status, 200)
        return connections

    def test_connections_that_were_open_before_are_answered(self):
        for threads in ('1', '2', '4'):
            with self.subTest(threads=threads):
                self.start('--threads', threads)
                before = self.open(12)
                self.assertEqual(self.server.put(lease_path('alone'), connection=before[5]).status, 201)  # nobody else writes
                self.stall()
                self.hanging_put('waits', before[5])
                self.assertReads(before[:5] + before[6:])
                self.assertReads(self.open(4))
                self.flow()
                self.assertEqual(before[5].getresponse().status, 201)

    def test_a_database_that_is_deleted_during_a_commit_acknowledges_nothing(self):
        self.start()
        self.stall()
        waits = self.hanging_put('waits')
        os.unlink(os.path.join(self.server.data_dir, 'data.mdb'))
        self.flow()
        answer = waits.getresponse()
        self.assertEqual((answer.status, json.load(answer)['code']), (503, 'store-gone'))

    def test_a_writer_that_was_alone_holds_up_nobody_who_comes_later(self):
        for threads in ('1', '2'):
            with self.subTest(threads=threads):
                self.start('--threads', threads)
                self.server._disconnect()  # nobody is connected at all
                waits = self.open(1)[0]
                self.assertEqual(self.server.put(lease_path('alone'), connection=waits).status, 201)
                self.stall()
                self.hanging_put('waits', waits)
                self.assertReads(self.open(12))
                self.flow()
                self.assertEqual(waits.getresponse().status, 201)

    def test_further_writes_wait_and_are_answered(self):
        self.start('--threads', '2')
        self.stall()
        waiting = [self.hanging_put(f'waits-{i}') for i in range(6)]
        for connection in waiting:
            connection.sock.setblocking(False)
            self.assertRaises(BlockingIOError, connection.sock.recv, 1, socket.MSG_PEEK)
            connection.sock.setblocking(True)
        self.assertEqual(self.server.get(lease_path('waits-0')).status, 404)
        self.flow()
        self.assertEqual([connection.getresponse().status for connection in waiting], [201] * 6)

    def test_it_is_a_line_while_it_hangs_another_when_it_ends_and_a_metric(self):
        self.start()
        self.assertEqual(self.server.metric(SLOW), 0)
        self.stall()
        waits = self.hanging_put('waits')
        self.assertIn('level=warn', self.server.lines('msg="a commit takes long"')[0])
        self.assertGreater(self.server.metric(AGE), 1)
        self.assertNotIn('msg="a commit was slow"', self.server.log())
        self.server.get('/readyz')
        self.flow()
        self.assertEqual(waits.getresponse().status, 201)
        self.assertIn('level=warn', self.server.lines('msg="a commit was slow"')[0])
        self.assertEqual(self.server.metric(SLOW), 1)
        eventually(lambda: self.server.metric(AGE) == 0)
        self.assertEqual(len(self.server.lines('msg="a commit takes long"')), 1, 'once for each commit')

    def test_a_log_on_the_same_disk_holds_up_nobody(self):
        self.start('--threads', '1', '--log-level', 'debug')
        self.stall()
        waits = self.hanging_put('waits')
        self.server.lines('msg="a commit takes long"')
        self.stall('log')
        self.assertReads(self.open(4))
        self.assertEqual(self.server.get(lease_path('the-last-one'), check=False).status, 404)
        self.assertNotIn('the-last-one', self.server.log())
        self.flow('log')
        self.server.lines('the-last-one')
        self.flow()
        self.assertEqual(waits.getresponse().status, 201)

    def test_a_stop_ends_in_time_and_loses_nothing_that_was_answered(self):
        self.start()
        self.stall()
        self.hanging_put('lost-or-not')
        process = self.server.process
        self.assertEqual(process.end(signal.SIGTERM, 5.5), 1)
        self.assertIn('msg="stopped with something undone" status=1', process.log())
        self.assertIn('a commit hangs', process.log())
        self.flow()
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.get(lease_path('kept')).json(), self.kept)
        self.assertIn(self.server.get(lease_path('lost-or-not')).status, (200, 404))


if __name__ == '__main__':
    unittest.main()

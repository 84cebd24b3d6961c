"""Whoever does not read what was asked for holds nobody off: backups, streams of leases, large answers; and checks are shared."""
import unittest

from backups import document, sync
from harness import ServerCase, eventually, lease_path

LEASES = 15_000  # a file, a stream and 10,000 changes of more than what the system keeps for a connection
USED, LIMIT, REFUSED, CUT = (f'holdfast_budget_{what}' for what in ('used', 'limit', 'refused_total', 'cut_total'))
SMALL = 4096
BACKUP, STREAM = b'GET /v1/backup HTTP/1.1', b'GET /v1/leases HTTP/1.1\r\nAccept: application/x-ndjson'
CHANGES = b'GET /v1/changes?since=3&limit=10000 HTTP/1.1'


class Budgets(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sync(cls.server, 'east', (document(f's{i}') for i in range(LEASES)))

    def budget(self, metric, name):
        return self.server.metric(f'{metric}{{budget="{name}"}}')

    def unread(self, request):
        """Asks and reads no more than the first bytes of the answer; the status."""
        s = self.server.socket(receive_buffer=SMALL)
        self.addCleanup(s.close)
        s.sendall(request + b'\r\nHost: 127.0.0.1\r\n\r\n')
        return s, int(s.recv(200).split()[1])

    def assertMakesRoom(self, name, request, count, again):
        """Asks `count` times more than there are places, reading nothing; then somebody comes who reads."""
        cut = self.budget(CUT, name)
        for _ in range(count):
            self.assertIn(self.unread(request)[1], (200, 503))
        self.assertLessEqual(self.budget(USED, name), self.budget(LIMIT, name))
        answer = eventually(lambda: (lambda a: a if a.status == 200 else None)(again()))
        self.assertGreater(self.budget(CUT, name), cut)
        self.assertEqual(self.server.put(lease_path(self.name()), {'spec': {}}).status, 201, 'nobody else is held up')
        self.assertEqual(self.server.get('/v1/status').status, 200)
        return answer

    def test_a_backup_can_be_taken(self):
        answer = self.assertMakesRoom('backups', BACKUP, 6, lambda: self.server.get('/v1/backup'))
        self.assertEqual(len(answer.body), int(answer.header('Content-Length')))

    def test_leases_can_be_streamed(self):
        def stream():
            return self.server.get('/v1/leases', {'Accept': 'application/x-ndjson'}, check=False)
        answer = self.assertMakesRoom('lease_streams', STREAM, 70, stream)
        self.assertGreaterEqual(len(answer.body.splitlines()), LEASES)

    def test_answers_that_wait_have_a_limit(self):
        """900 of them pinned a gigabyte; those that are small need no share."""
        answer = self.assertMakesRoom('answer_bytes', CHANGES, 60, lambda: self.server.get('/v1/changes?since=3&limit=10000'))
        self.assertEqual(len(answer.json()['changes']), 10_000)
        self.assertGreater(self.budget(REFUSED, 'answer_bytes') + self.budget(CUT, 'answer_bytes'), 0)

    def test_who_is_refused_is_asked_to_come_back(self):
        def refused():
            answer = self.server.get('/v1/backup')
            return answer if answer.status == 503 else None
        held = [self.unread(BACKUP) for _ in range(4)]
        answer = refused()
        while not answer:  # the machine was slow, and one of them is behind already: others take its place
            held.append(self.unread(BACKUP))
            answer = refused()
        self.assertProblem(answer, 503, 'overloaded', '4 backups are under way')
        self.assertTrue(int(answer.header('Retry-After')) > 0)
        for s, _ in held:
            s.close()
        eventually(lambda: self.budget(USED, 'backups') == 0)

    def test_what_is_read_gives_its_share_back(self):
        for target in ('/v1/backup', '/v1/changes?since=3&limit=10000', '/v1/leases?limit=5000'):
            for method in ('GET', 'HEAD'):
                self.assertEqual(self.server.request(method, target, check=method == 'GET').status, 200, target)
        for name in ('backups', 'lease_streams', 'answer_bytes'):
            eventually(lambda n=name: self.budget(USED, n) == 0)


if __name__ == '__main__':
    unittest.main()

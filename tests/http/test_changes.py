"""The change feed over HTTP: what it has, what it has not, waiting, compaction."""
import threading
import time
import unittest

from harness import Server, ServerCase, config, eventually, lease_path, parallel

WAIT_S = 60  # the longest wait that may be asked for


class Feed(ServerCase):
    def changes(self, since, query=''):
        return self.server.get(f'/v1/changes?since={since}{query}').json()

    def test_the_first_revisions_are_the_default_pools(self):
        page = self.changes(0, '&limit=3')
        self.assertEqual([(c['revision'], c['type'], c['cause'], c['by'], c['pool']) for c in page['changes']], [
            (1, 'pool-written', 'start', 'holdfast', 'meshservice'), (2, 'pool-written', 'start', 'holdfast', 'meshexternalservice'),
            (3, 'pool-written', 'start', 'holdfast', 'meshmultizoneservice')])
        self.assertEqual((page['revision'], page['storeEpoch']), (3, 1))

    def test_every_type_of_change(self):
        name, since = self.name(), self.server.revision()
        path, pool = lease_path(name), '/v1/pools/changing'
        self.server.put(path, config())
        self.server.put(path, config(port=1))
        self.server.delete(path)
        self.server.put(path, config(port=1))
        self.server.delete(path + '?purge=true')
        self.server.put(pool, {'cidrs': ['10.0.0.0/24'], 'quarantineSeconds': 1})
        self.server.put(pool, {'cidrs': ['10.0.0.0/24'], 'quarantineSeconds': 0})
        self.server.put(path + '?pool=changing', config())
        self.server.delete(path)
        eventually(lambda: self.server.get(path).status == 404)
        self.server.delete(pool)
        changes = self.changes(since)['changes']
        self.assertEqual([(c['type'], c['cause']) for c in changes], [
            ('acquired', 'request'), ('updated', 'request'), ('released', 'request'), ('restored', 'request'), ('purged', 'request'),
            ('pool-written', 'request'), ('pool-written', 'request'), ('acquired', 'request'), ('released', 'request'),
            ('expired', 'deadline'), ('pool-deleted', 'request')])
        self.assertEqual({(c['cause'], c['by']) for c in changes}, {('request', 'anonymous'), ('deadline', 'holdfast')})
        self.assertEqual([c['revision'] for c in changes], list(range(since + 1, since + 12)), 'gap-free')
        self.assertEqual({c['service'] for c in changes if 'service' in c}, {name})
        self.assertEqual([c['generation'] for c in changes if 'service' in c], [1, 2, 2, 2, 2, 1, 1, 1])
        self.assertEqual(len({c['vips'][0]['ip'] for c in changes[:5]}), 1)

    def test_what_changes_nothing_leaves_nothing(self):
        path = lease_path(self.name())
        self.server.put(path + '?version=1', config())
        since = self.server.revision()
        for act in (lambda: self.server.put(path, config()), lambda: self.server.put(path + '?version=2', config()),
                    lambda: self.server.put(path),
                    lambda: self.server.put(path, config(), {'If-Match': '"0"'}), lambda: self.server.delete(path + '-not'),
                    lambda: self.server.put(path, '{'), lambda: self.server.put(path + '?address=1.2.3.4'),
                    lambda: self.server.post('/v1/lookup', {'items': []}), lambda: self.server.delete('/v1/pools/meshservice')):
            act()
        self.assertEqual(self.changes(since), {'changes': [], 'revision': since, 'storeEpoch': 1})

    def test_a_lease_has_the_revision_of_its_last_change(self):
        lease = self.server.put(lease_path(self.name()), config()).json()
        change = self.changes(lease['revision'] - 1, '&limit=1')['changes'][0]
        for member in ('revision', 'kind', 'mesh', 'zone', 'service', 'pool', 'vips', 'generation'):
            self.assertEqual(change[member], lease[member])
        self.assertEqual(change['at'], lease['modifiedAt'])

    def test_pages_and_filters(self):
        since = self.server.revision()
        for i in range(6):
            self.server.put(lease_path(f'{self.name()}-{i}', 'paged-b' if i % 2 else 'paged-a', 'm2' if i % 3 else 'm1',
                                       'MeshService' if i < 4 else 'MeshExternalService'))
        self.server.put('/v1/pools/filtered', {'cidrs': ['10.0.1.0/24']})
        self.server.delete('/v1/pools/filtered')
        last = self.server.revision()
        table = [  # query, services by number; None for a pool
            ('', [0, 1, 2, 3, 4, 5, None, None]), ('&zone=paged-b', [1, 3, 5]), ('&mesh=m1', [0, 3]), ('&kind=MeshExternalService', [4, 5]),
            ('&zone=paged-a&mesh=m2', [2, 4]), ('&zone=paged-a&mesh=m2&kind=MeshService', [2]), ('&zone=nowhere', []),
        ]
        for query, expected in table:
            with self.subTest(query):
                page = self.changes(since, query)
                self.assertEqual([int(c['service'][-1]) if 'service' in c else None for c in page['changes']], expected)
                self.assertEqual(page['revision'], last, 'examined to the end')
                at, found = since, []
                while at < last:
                    page = self.changes(at, query + '&limit=1')
                    self.assertLessEqual(len(page['changes']), 1)
                    self.assertGreater(page['revision'], at, 'each page gets on')
                    found += [int(c['service'][-1]) if 'service' in c else None for c in page['changes']]
                    at = page['revision']
                self.assertEqual(found, expected)

    def test_parameters_out_of_form(self):
        revision = self.server.revision()
        for query, culprit in ((f'since={revision + 1}', str(revision)), ('since=-1', 'since'), ('since=', 'since'), ('since=1x', 'since'),
                               ('since=18446744073709551616', 'since'), ('limit=0', 'limit'), ('limit=10001', 'limit'), ('wait=', 'wait'),
                               ('wait=5', 'wait'), ('wait=61s', 'wait'), ('wait=2m', 'wait'), ('wait=-1s', 'wait'), ('wait=1.5s', 'wait'),
                               ('wait=1h', 'wait'), ('wait=99999999999s', 'wait'), ('kind=x', 'kind')):
            with self.subTest(query):
                self.assertProblem(self.server.get('/v1/changes?' + query), 400, 'invalid-parameter', culprit)
        self.assertProblem(self.server.get('/v1/changes?zone=Z'), 400, 'invalid-name', 'Z')


class Waiting(ServerCase):
    def wait(self, since, query='', seconds=WAIT_S, connection=None):
        """The answer of a long-poll and how long it took: less than it may wait, if it was woken."""
        start = time.monotonic()
        answer = self.server.get(f'/v1/changes?since={since}&wait={seconds}s{query}', connection=connection)
        return answer.json(), time.monotonic() - start

    def wake(self, count, act, poll):
        """What poll() returns, when act() is done as soon as `count` requests wait."""
        thread = threading.Thread(target=lambda: (self.server.wait_for_waiters(count), act()))
        thread.start()
        try:
            return poll()
        finally:
            thread.join()

    def test_it_wakes_on_a_change(self):
        since = self.server.revision()
        page, took = self.wake(1, lambda: self.server.put(lease_path(self.name()), config()), lambda: self.wait(since))
        self.assertEqual([c['service'] for c in page['changes']], [self.name()])
        self.assertLess(took, WAIT_S)

    def test_it_wakes_on_a_deadline(self):
        self.server.put('/v1/pools/brief', {'cidrs': ['10.0.0.0/24'], 'quarantineSeconds': 1})
        self.server.put(lease_path(self.name()) + '?pool=brief')
        self.server.delete(lease_path(self.name()))
        page, took = self.wait(self.server.revision())
        self.assertEqual([c['type'] for c in page['changes']], ['expired'])
        self.assertLess(took, WAIT_S)

    def test_it_does_not_wait_if_there_is_something(self):
        self.server.put(lease_path(self.name()))
        page, took = self.wait(self.server.revision() - 1)
        self.assertEqual((len(page['changes']), took < WAIT_S), (1, True))

    def test_it_comes_empty_when_the_time_is_over(self):
        since = self.server.revision()
        for wait, least in (('0s', 0), ('300ms', 0.29), ('1s', 0.99)):
            start = time.monotonic()
            page = self.server.get(f'/v1/changes?since={since}&wait={wait}').json()
            self.assertEqual(page, {'changes': [], 'revision': since, 'storeEpoch': 1})
            self.assertTrue(least <= time.monotonic() - start < WAIT_S, wait)

    def test_it_respects_filters(self):
        since, stop = self.server.revision(), threading.Event()

        def disturb():
            for i in range(1000):
                if stop.wait(0.02):
                    break
                self.server.put(lease_path(f'{self.name()}-{i}', 'loud'))
        self.server.put(lease_path(self.name(), 'loud'))
        noise = threading.Thread(target=disturb)
        noise.start()
        page, took = self.wait(since, '&zone=quiet', seconds=1)
        self.assertEqual(page['changes'], [])
        self.assertGreater(page['revision'], since, 'what the filter left out need not be looked at again')
        self.assertGreaterEqual(took, 0.99)
        page, took = self.wake(1, lambda: self.server.put(lease_path(self.name(), 'quiet')), lambda: self.wait(page['revision'], '&zone=quiet'))
        stop.set()
        noise.join()
        self.assertEqual([c['zone'] for c in page['changes']], ['quiet'])
        self.assertLess(took, WAIT_S)

    def test_many_wait_and_all_wake(self):
        since = self.server.revision()
        answers = self.wake(60, lambda: self.server.put(lease_path(self.name())),
                            lambda: parallel(self.server, 60, lambda i, connection: self.wait(since, connection=connection)))
        self.assertEqual({page['changes'][0]['service'] for page, _ in answers}, {self.name()})
        self.assertLess(max(took for _, took in answers), WAIT_S)

    def test_who_waits_leaves_connections_for_others(self):
        server = Server('--max-connections', '8', '--max-connections-per-address', '8', '--threads', '1')
        self.addCleanup(server.close)
        request = f'GET /v1/changes?since={server.revision()}&wait={WAIT_S}s HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode()
        waiting = [server.socket() for _ in range(6)]
        try:
            for s in waiting:
                s.sendall(request)
            server.wait_for_waiters(6)
            start = time.monotonic()
            self.assertEqual(server.get(f'/v1/changes?since={server.revision()}&wait={WAIT_S}s').json()['changes'], [])
            self.assertLess(time.monotonic() - start, WAIT_S)
            server.put(lease_path('wakes-all'))
            for s in waiting:
                self.assertIn(b'wakes-all', s.recv(65536))
        finally:
            for s in waiting:
                s.close()

    def test_a_client_that_goes_away_while_it_waits(self):
        since = self.server.revision()
        for _ in range(5):
            with self.server.socket() as s:
                s.sendall(b'GET /v1/changes?since=%d&wait=%ds HTTP/1.1\r\nHost: localhost\r\n\r\n' % (since, WAIT_S))
                eventually(lambda: self.server.metric('holdfast_http_waiters') > 0)
        self.server.put(lease_path(self.name()))
        self.server.wait_for_waiters(0)
        self.assertEqual(self.server.get('/readyz').status, 200)

    def test_a_watcher_sees_every_revision_once(self):
        since = self.server.revision()
        writers = threading.Thread(target=lambda: parallel(self.server, 6, lambda i, connection: [
            self.server.put(lease_path(f'{self.name()}-{i}-{k}'), connection=connection) for k in range(20)]))
        writers.start()
        seen = []
        while len(seen) < 120:
            page, _ = self.wait(seen[-1] if seen else since, '&limit=7')
            self.assertTrue(page['changes'], 'it should not have come empty')
            seen += [c['revision'] for c in page['changes']]
        writers.join()
        self.assertEqual(seen, list(range(since + 1, since + 121)))


class Stopping(unittest.TestCase):
    def test_a_wait_ends_when_the_server_stops(self):
        server = Server()
        self.addCleanup(server.close)
        results = []
        waiter = threading.Thread(target=lambda: results.append(server.get('/v1/changes?since=3&wait=50s')))
        waiter.start()
        server.wait_for_waiters(1)
        server.stop(timeout=5)
        waiter.join()
        self.assertEqual(results[0].json()['changes'], [])


class Compaction(ServerCase):
    FLAGS = ('--changes-max', '10')

    def test_what_is_gone_is_410(self):
        for i in range(40):
            self.server.put(lease_path(f's{i}'))
        status = self.server.get('/v1/status').json()
        self.assertEqual((status['revision'], status['compactedRevision'], status['changes']), (43, 33, 10))
        for since, expected in ((0, 410), (32, 410), (33, 200), (42, 200), (43, 200)):
            answer = self.server.get(f'/v1/changes?since={since}')
            self.assertEqual(answer.status, expected, since)
            if expected == 410:
                self.assertProblem(answer, 410, 'revision-compacted', '33', 'list')
            else:
                self.assertEqual([c['revision'] for c in answer.json()['changes']], list(range(since + 1, 44)))

    def test_it_is_410_before_any_wait(self):
        self.test_what_is_gone_is_410() if self.server.revision() == 3 else None
        start = time.monotonic()
        self.assertEqual(self.server.get(f'/v1/changes?since=0&wait={WAIT_S}s').status, 410)
        self.assertLess(time.monotonic() - start, WAIT_S)


if __name__ == '__main__':
    unittest.main()

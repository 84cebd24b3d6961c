"""The migration of a pool: what would move, what is repeated, how fast, and what is said of it."""
import threading
import unittest
from unittest import mock

import commands_path  # noqa: F401
import pools
from moving import movers, patience
from moving.census import Census, Ranges, left_there, pool_for, space, space_words, still_served
from moving.migrate import Migration
from moving.movers import FAILED, GONE, LEFT, MOVED, OFFLINE, QUARANTINED, Movers, Pace
from moving.patience import Away, Stopped, patiently
from moving.report import left_words, status_of, summary_json
from scripted import Script, ok, problem
from shared import progress
from shared.failure import Failure
from shared.options import parse
from shared.server import Server


def lease(service='s', zone='z', state='active', vips=('10.0.0.1',)):
    return {'kind': 'MeshService', 'mesh': 'm', 'zone': zone, 'service': service, 'state': state, 'vips': [{'ip': vip} for vip in vips]}


def pool(name='p', cidrs=('10.0.0.0/8',), free=5, kinds=(), meshes=(), zones=()):
    return {'pool': name, 'cidrs': list(cidrs), 'ipv4': {'free': str(free)}, 'ipv6': {'free': str(2**64)}, 'kinds': kinds, 'meshes': meshes, 'zones': zones}


def census(*leases, offline=()):
    made = Census(Ranges(['10.0.0.0/8', 'fd00::/64', '11.0.0.10-11.0.0.20']))
    for one in leases:
        made.add(one, one['zone'] in offline)
    return made


class Wait:
    """An event that nobody waits for: the waits are kept."""

    def __init__(self, stops_after=1000):
        self.waits, self.left = [], stops_after

    def wait(self, seconds):
        self.waits.append(seconds)
        self.left -= 1
        return self.left < 0

    def is_set(self):
        return self.left < 0


class Counting(unittest.TestCase):
    def test_what_would_move(self):
        made = census(lease('a'), lease('b'), lease('c', 'y'), lease('d', 'away'), lease('e', state='quarantined'), offline=('away',))
        self.assertEqual((made.total, dict(made.offline), made.quarantined), (3, {'away': 1}, 1))
        self.assertEqual(made.rows(), [['ZONE', 'MESH', 'KIND', 'LEASES'], ['y', 'm', 'MeshService', '1'], ['z', 'm', 'MeshService', '2']])
        with self.assertRaises(TypeError):
            census({**lease(), 'service': None})

    def test_whether_it_fits(self):
        made = census(lease('a', vips=('10.0.0.1', 'fd00::1')), lease('b'))
        for to, words, fits in ((pool(free=2), ['IPv4: 2 needed, 2 free in p', 'IPv6: p has no such range, and 1 lease would lose its address: add one (holdfast'], [1, 0]),
                                (pool(free=1, cidrs=('10.0.0.0/8', 'fd00::/64')), ['IPv4: 2 needed, 1 free in p: add a range (holdfast pools edit p', f'IPv6: 2 needed, {2**64} free in p'], [0, 1]),
                                (pool(cidrs=('fd00::/64',)), ['IPv4: p has no such range, and 2 leases would lose their address', 'IPv6: 2 needed'], [0, 1])):
            found = space(to, made)
            self.assertEqual([family['fits'] for family in found], fits)
            for family, beginning in zip(found, words, strict=True):
                self.assertEqual(space_words('p', family)[:len(beginning)], beginning)

    def test_ranges(self):
        ranges = Ranges(['10.0.0.0/8', 'fd00::/64', '11.0.0.10-11.0.0.20', '12.0.0.1/32'])
        for ip, inside in (('10.0.0.0', True), ('10.255.255.255', True), ('11.0.0.0', False), ('11.0.0.10', True), ('11.0.0.20', True), ('11.0.0.21', False),
                           ('9.255.255.255', False), ('fd00::', True), ('fd00::ffff:ffff:ffff:ffff', True), ('fd00:0:0:1::', False), ('::a00:1', False), ('12.0.0.1', True)):
            self.assertEqual(ip in ranges, inside, ip)
        self.assertNotIn('1.1.1.1', Ranges([]))

    def test_what_goes_back(self):
        """To the last address of each family that it left there, which needs no other."""
        previous = [{'ip': ip, 'until': until} for ip, until in (('10.0.0.2', '3'), ('10.0.0.1', '2'), ('12.0.0.1', '9'), ('fd00::1', '1'))]
        one = {**lease(vips=('13.0.0.1',)), 'previousVips': previous}
        self.assertEqual(sorted(left_there(one, Ranges(['10.0.0.0/8', 'fd00::/64']))), ['10.0.0.2', 'fd00::1'])
        self.assertEqual(left_there(lease(), Ranges(['10.0.0.0/8'])), [])
        self.assertEqual(space(pool(free=1), census(one, lease()))[0], {'family': 'IPv4', 'needed': 1, 'free': 1, 'fits': True, 'has': True})

    def test_where_new_leases_go(self):
        made = [pool('b'), pool('a'), pool('kind', kinds=['MeshService']), pool('both', kinds=['MeshService'], meshes=['m']), pool('zone', zones=['q'])]
        for zone, mesh, kind, expected in (('z', 'n', 'MeshExternalService', 'a'), ('z', 'n', 'MeshService', 'kind'), ('z', 'm', 'MeshService', 'both'),
                                           ('q', 'n', 'MeshService', 'kind'), ('q', 'n', 'MeshExternalService', 'zone')):
            self.assertEqual(pool_for(made, zone, mesh, kind), expected)
        self.assertIsNone(pool_for(made[4:], 'z', 'm', 'MeshService'))
        self.assertEqual(still_served(made, census(lease()), 'both'), ['MeshService of mesh m in zone z'])
        self.assertEqual(still_served(made, census(lease()), 'kind'), [])


class Patience(unittest.TestCase):
    def away(self, *answers):
        """Raises what is an exception, returns the rest."""
        left = list(answers)

        def act():
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return act

    def test_it_waits_longer_each_time_or_as_long_as_asked(self):
        wait = Wait()
        self.assertEqual(patiently(self.away(*[Away('x')] * 8, Away('x', 7), Away('x', 0), 1), wait), 1)
        self.assertEqual(wait.waits, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 7, 0])

    def test_it_ends(self):
        with mock.patch.object(patience.time, 'monotonic', iter([0, 1, 4, 5.01]).__next__), self.assertRaisesRegex(Away, 'last'):
            patiently(self.away(Away('1', 1), Away('2', 3), Away('3', 1), Away('last', 0)), Wait(), 5)
        with self.assertRaises(Stopped):
            patiently(self.away(Away('1'), Away('2')), Wait(1))

    def test_how_long_the_server_asks_to_wait(self):
        for value, seconds in (('0', 0), ('7', 7), ('86400', movers.RETRY_AFTER_MAX_S), ('9' * 10, None), ('', None), ('-1', None), ('1.5', None), ('٣', None),
                               ('Wed, 21 Oct 2026 07:28:00 GMT', None)):
            self.assertEqual(movers.retry_after(mock.Mock(header=lambda _, value=value: value)), seconds, value)

    def test_the_pace_is_of_all_together(self):
        with mock.patch.object(movers.time, 'monotonic', iter([0, 0, 0, 0, 2, 2]).__next__):
            pace, wait = Pace(4), Wait()
            for _ in range(5):
                pace.wait(wait)
        self.assertEqual(wait.waits, [0.25, 0.5, 0.25], 'nothing is saved up over two idle seconds')
        with self.assertRaises(Stopped):
            Pace(None).wait(Wait(-1))


class Moving(unittest.TestCase):
    def results(self, *connections, leases=(lease(),), stop=None, query='?pool=new'):
        script = Script(*connections)
        self.addCleanup(script.close)
        self.made = Movers(Server(script.url), 'new', query, Ranges(['11.0.0.0/8']), None, stop or threading.Event())
        with mock.patch.object(movers, 'LANES', 1), mock.patch.object(patience, 'FIRST_S', 0):
            results = list(self.made.run(iter(leases)))
        self.seen = [head.split('\r\n')[0] for head, _ in script.seen]
        return [(result.outcome, result.words) for result in results]

    def test_a_move(self):
        moved = ok(b'{"service":"s","pool":"new","previousVips":[{"ip":"1.1.1.1","until":"a"},{"ip":"1.1.1.2","until":"b"}]}')
        self.assertEqual(self.results([moved]), [(MOVED, '')])
        self.assertEqual(self.seen, ['POST /v1/meshes/m/zones/z/services/s/move?pool=new HTTP/1.1'])

    def test_a_move_back(self):
        moved = ok(b'{"service":"s","pool":"new"}')
        for answers, outcome in (([moved], MOVED), ([problem(409, 'address-taken'), moved], MOVED), ([problem(404, 'not-found')], GONE)):
            leases = [{**lease(), 'previousVips': [{'ip': '11.0.0.1', 'until': 'x'}]}]
            self.assertEqual(self.results(answers, leases=leases)[0][0], outcome)
            self.assertIn('/move?pool=new&address=11.0.0.1 ', self.seen[0])
            self.assertEqual(['address=' in line for line in self.seen], [True, False][:len(answers)])

    def test_what_is_repeated(self):
        moved = ok(b'{"service":"s","pool":"new"}')
        again = problem(503, 'overloaded', headers=b'Retry-After: 0\r\n')
        self.assertEqual(self.results([again, problem(429, 'too-many-requests'), problem(500, 'storage-error'), b''], [moved[:-1]], [moved]), [(MOVED, '')])
        self.assertEqual(len(self.seen), 6)
        self.assertIsNone(self.made.failure)

    def test_what_is_said_of_one_lease(self):
        quarantined, active = ok(b'{"service":"s","state":"quarantined"}'), ok(b'{"service":"s","state":"active"}')
        for answers, result in (([problem(404, 'not-found')], (GONE, 'not-found: so')), ([problem(409, 'zone-offline')], (OFFLINE, 'zone-offline: so')),
                                ([problem(409, 'lease-exists'), quarantined], (QUARANTINED, '')), ([problem(422, 'address-outside-pool')], (FAILED, 'address-outside-pool: so')),
                                ([problem(409, 'lease-exists'), active], (FAILED, 'lease-exists: so')),
                                ([problem(409, 'lease-exists'), problem(404, 'not-found')], (FAILED, 'lease-exists: so'))):
            self.assertEqual(self.results(answers), [result])
            self.assertIsNone(self.made.failure)

    def test_what_ends_all(self):
        for answer, status, words in ((problem(507, 'pool-exhausted'), 1, '^pool-exhausted: so$'), (problem(403, 'forbidden'), 1, '^forbidden'),
                                      (ok(b'{"service":"s","pool":"other"}'), 3, 'is not what a Holdfast server answers'), (ok(b'x'), 3, 'is not what'),
                                      (problem(404, ''), 3, 'is not what')):
            self.assertEqual(self.results([answer] * 9, leases=[lease(f's{i}') for i in range(9)])[0], (LEFT, ''))
            self.assertEqual((self.made.failure.status, len(self.seen)), (status, 1))
            self.assertRegex(self.made.failure.words, words)

    def test_a_server_that_stays_away(self):
        with mock.patch.object(patiently, '__defaults__', (-1,)):
            self.assertEqual(self.results([b''], leases=[lease(), lease('t')]), [(LEFT, '')] * 2)
        self.assertEqual(self.made.failure.status, 3)

    def test_what_was_stopped(self):
        stop = threading.Event()
        stop.set()
        self.assertEqual(self.results(leases=[lease()] * 9, stop=stop), [(LEFT, '')])

    def test_leases_that_cannot_be_listed(self):
        """What is under way is completed first."""
        def leases():
            yield lease()
            raise Away('the list')
        script = Script([ok(b'{"service":"s","pool":"new"}')])
        self.addCleanup(script.close)
        results = Movers(Server(script.url), 'new', '', Ranges([]), None, threading.Event()).run(leases())
        self.assertIn(next(results).outcome, (MOVED, LEFT))
        with self.assertRaisesRegex(Away, 'the list'):
            next(results)


class Ending(unittest.TestCase):
    def migration(self):
        return Migration(None, 'old', 'new', parse(['--overlap', '1'], {'--overlap': None}))

    def test_statuses(self):
        for last, trouble, number, status in ((census(), None, 0, 0), (None, None, 0, 1), (census(lease()), None, 0, 1), (census(lease(state='quarantined')), None, 0, 0),
                                              (census(lease(), offline='z'), None, 0, 1), (None, Failure(3, 'x'), 0, 3), (None, Failure(1, 'x'), 0, 1), (None, None, 2, 130)):
            made = self.migration()
            made.last, made.trouble, made.signal = last, trouble, number
            self.assertEqual(status_of(made), status)
            self.assertEqual(summary_json(made, {})['complete'], status == 0)

    def test_what_is_left(self):
        self.assertEqual(left_words({}), 'unknown, as the server cannot be asked')
        self.assertEqual(left_words({'active': 1, 'quarantined': 2, 'previous': 3, 'until': '2026-01-01T00:00:00.000Z'}),
                         '1 active, 2 in quarantine, 3 previous addresses until 2026-01-01T00:00:00Z at the earliest')

    def test_arguments(self):
        for line in ('migrate a', 'migrate a b', 'migrate a b c --overlap 1h', 'migrate a a --overlap 1h', 'migrate a b --overlap 367d', 'migrate a b --overlap 1h --rate 0',
                     'migrate a b --overlap 1h --zone x --zone y', 'migrate a b --overlap 1h --kind *', 'migrate a b --overlap 0', 'migrate a b --overlap 1h --cidr x',
                     'edit a --overlap 1h'):
            with mock.patch('os.isatty', lambda _: False), self.assertRaises(Failure) as caught:
                pools.main(line.split())
            self.assertEqual(caught.exception.status, 2, line)


class Progress(unittest.TestCase):
    def test_words(self):
        with mock.patch.object(progress.time, 'monotonic', iter([0, 0.1, 0.1, 5, 5]).__next__), mock.patch('os.isatty', lambda _: False):
            made = progress.Progress(2000, 'moved')
            self.assertEqual(made.words(0), '0 of 2,000 moved')
            made.add(1000)
            self.assertEqual((made.words(4), made.bar()), ('1,000 of 2,000 moved, 250 a second, 4s left', '[##########----------]'))
            made.add(0, 3000)
        self.assertEqual(made.words(200), '1,000 of 5,000 moved, 5 a second, 14m left')

    def test_lines_and_bars(self):
        for terminal, say, redraw in ((False, ['1 of 2 moved, 0 a second, 10s left', '2 of 2 moved, 0 a second'], []),
                                      (True, [], ['[##########----------] 1 of 2 moved, 0 a second, 10s left', '[####################] 2 of 2 moved, 0 a second'])):
            said, drawn = [], []
            with mock.patch.object(progress.time, 'monotonic', iter([0, 10, 10.1, 20]).__next__), mock.patch('os.isatty', lambda _, t=terminal: t), \
                    mock.patch.object(progress.screen, 'say', said.append), mock.patch.object(progress.screen, 'redraw', drawn.append):
                made = progress.Progress(2, 'moved')
                made.add()
                made.add()
                made.end()
            self.assertEqual((said, drawn), (say, redraw))


if __name__ == '__main__':
    unittest.main()

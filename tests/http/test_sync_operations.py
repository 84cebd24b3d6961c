"""Syncs in operation: logs, metrics, memory, a server that stops, crashes or is asked for much at once."""
import json
import re
import signal
import socket
import threading
import time
import unittest

from harness import Response, Server, eventually, lease_path, parallel, undisturbed
from syncing import NDJSON, SyncCase, encode, imported, names, universal
from test_metrics import Metrics
from test_operations import DRAIN_S, LINE

PAIR = re.compile(r'([a-z_]+)=("(?:\\.|[^"\\])*"|[^ ]*)')


def metrics_of(server):
    return Metrics(server.get('/metrics').body.decode())


def lines_of(count, size=0):
    """An NDJSON body of so many services, each with so many bytes more."""
    return ''.join(f'{{"name":"service-{i:06}","spec":{{"text":"{"x" * size}"}}}}\n' for i in range(count)).encode()


def head_of(zone, length, *more, query='mode=full&mesh=*'):
    """The head of a sync over a bare socket."""
    more = ''.join(line + '\r\n' for line in more)
    return (f'POST /v1/zones/{zone}/sync?{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NDJSON}\r\n{more}'
            f'Content-Length: {length}\r\n\r\n').encode()


class Logs(SyncCase):
    FLAGS = ('--log-level', 'info')

    def lines(self, zone, message='sync'):
        """The log's lines about a zone: each as a table of its pairs."""
        found = []
        for line in self.server.log().splitlines():
            self.assertTrue(LINE.fullmatch(line), line)
            pairs = dict(PAIR.findall(line))
            if pairs['msg'] == f'"{message}"' and pairs.get('zone') == zone:
                found.append(pairs)
        return found

    def assertLast(self, zone, count, **expected):
        found = self.lines(zone)
        self.assertEqual(len(found), count, found)
        self.assertEqual({name: found[-1].get(name) for name in expected}, expected)
        self.assertEqual(found[-1]['level'], 'info')
        self.assertRegex(found[-1]['duration_ms'], r'^\d+$')

    def test_one_line_a_sync_and_none_an_item(self):
        zone = self.zone()
        self.connect(zone, 'one')
        before = len(self.server.log().splitlines())
        items = [universal(name) for name in names(50)]
        self.sync(zone, items)
        self.assertLast(zone, 1, mode='full', epoch='1', outcome='changed', created='50', unchanged='0', released='0', release_skipped='0')
        self.sync(zone, items)
        self.assertLast(zone, 2, mode='full', outcome='unchanged', created='0', unchanged='50')
        self.sync(zone, [universal('s00', port=81)], 'ndjson', mode='delta', removed=[{'mesh': 'default', 'service': 's01'}])
        self.assertLast(zone, 3, mode='delta', outcome='changed', updated='1', released='1')
        self.sync(zone, items, dryRun='true')
        self.assertLast(zone, 4, outcome='dry-run', updated='1', restored='1')
        self.sync(zone, [universal('s00'), {'name': 'Bad'}, {'name': 'far', 'labels': {'kuma.io/zone': 'far'}}], mode='delta')
        self.assertLast(zone, 5, outcome='changed', rejected='1', foreign='1')
        self.assertEqual(len(self.server.log().splitlines()), before + 5)

    def test_refused_ones_have_their_line(self):
        zone = self.zone()
        self.sync(zone, [universal(name) for name in names(20)])
        self.connect(zone, 'one')
        self.refused(zone, [], 409, 'mass-release-guard')
        self.assertLast(zone, 2, outcome='refused', code='mass-release-guard', epoch='1', released='20')
        self.refused(zone, [universal('s00')], 409, 'stale-epoch', epoch=7)
        self.assertLast(zone, 3, outcome='refused', code='stale-epoch', epoch='1', unchanged='0', released='0')
        self.refused(zone, '{', 400, 'invalid-json')
        self.assertLast(zone, 4, outcome='refused', code='invalid-json', epoch='1')
        self.refused(zone, '{"items":[],"next":"x"}', 400, 'incomplete-list')
        self.assertLast(zone, 5, outcome='refused', code='incomplete-list', epoch='1')
        self.disconnect(zone)
        self.refused(zone, [universal('s00')], 409, 'zone-offline')
        self.assertLast(zone, 6, outcome='refused', code='zone-offline', released='19')
        other = self.zone()
        self.sync(other, [universal('a')])
        self.refused(other, '{"items":[' + '[' * 200, 400, 'invalid-json')  # found before the body ends
        self.assertLast(other, 2, outcome='refused', code='invalid-json', epoch='0')

    def flood(self, zones):
        """A server's lines about refusals, after one refusal of each of these zones, and how many lines are too many."""
        server, start = Server('--log-level', 'info'), time.monotonic()
        self.addCleanup(server.close)
        server.put(lease_path('a', 'east'), {'spec': {}})
        connection = server.connect()
        for zone in zones:
            answer = self.post(zone, '{"items":[]}', mode='delta', epoch=9, server=server, connection=connection, check=False)
            self.assertEqual((answer.status, answer.code), (409, 'stale-epoch'))
        connection.close()
        process = server.process
        server.stop()
        lines = [line for line in process.log().splitlines() if 'code=stale-epoch' in line]
        unlogged = [int(number) for number in re.findall(r'unlogged=(\d+)', '\n'.join(lines))]
        logged = sum('msg="sync" ' in line for line in lines)
        self.assertEqual(logged + sum(unlogged), len(zones), f'each is in a line or counted: {lines}')
        return lines, 2 + (time.monotonic() - start) // 10

    def test_a_flood_of_refusals_is_a_line(self):
        lines, most = self.flood(['east'] * 400)
        self.assertLessEqual(len(lines), most)
        self.assertEqual({re.search(r'zone=(\S+)', line)[1] for line in lines}, {'east'})

    def test_a_flood_of_zones_that_are_not_known_is_a_line(self):
        lines, most = self.flood([f'made-up-{i}' for i in range(400)])
        self.assertLessEqual(len(lines), most)
        self.assertIn(' zone=made-up-0 ', lines[0])
        self.assertTrue(all('msg="sync" ' in line or ' zone=* ' in line for line in lines), lines)

    def test_a_manifest_is_no_sync(self):
        zone = self.zone()
        self.sync(zone, [universal('a')])
        before = self.server.log()
        self.server.post(f'/v1/zones/{zone}/manifest?mesh=*', {'items': []})
        self.assertEqual(self.server.log(), before)

    def test_connections(self):
        zone = self.zone()
        self.connect(zone, 'one "x"')
        self.connect(zone, 'one "x"')
        self.disconnect(zone)
        self.disconnect(zone)
        self.connect(zone, 'two')
        connected = [(line['epoch'], line['connection'], line['sync']) for line in self.lines(zone, 'zone connected')]
        self.assertEqual(connected, [('1', 'first', 'full'), ('2', 'reconnect', 'full')], 'a refresh is none')
        self.assertEqual([line['epoch'] for line in self.lines(zone, 'zone offline')], ['1'])

    def test_details_at_debug(self):
        server = Server('--log-level', 'debug')
        self.addCleanup(server.close)
        self.sync('east', [universal('a'), universal('b'), {'name': 'Bad'}], server=server)
        self.sync('east', [universal('a'), universal('b', port=81)], server=server)
        items = [line.split('msg="sync item" ')[1] for line in server.log().splitlines() if 'msg="sync item"' in line]
        self.assertEqual(items, [
            'kind=MeshService mesh=default zone=east service=a outcome=created', 'kind=MeshService mesh=default zone=east service=b outcome=created',
            'zone=east place=3 outcome=rejected code=invalid-name', 'kind=MeshService mesh=default zone=east service=b outcome=updated'])
        self.assertTrue(all('level=debug' in line for line in server.log().splitlines() if 'msg="sync item"' in line))


class Counted(SyncCase):
    def change(self, act):
        """What `act` changed in the metrics, as a function of name and labels."""
        before = metrics_of(self.server)
        act()
        after = metrics_of(self.server)
        return lambda name, **labels: after.value('holdfast_' + name, **labels) - before.value('holdfast_' + name, **labels)

    def test_outcomes_of_syncs_and_items(self):
        zone, prefix = self.pooled_zone(28)
        first = [universal(name) for name in names(6)]
        second = [universal('s00'), universal('s01', port=81), universal('s06', vips=[f'{prefix}9']), universal('s07'),
                  {'name': 'far', 'labels': {'kuma.io/zone': 'far'}}, universal('s00')]
        table = [  # what is sent, and what is counted
            (lambda: self.sync(zone, first), 'changed', {'created': 6}),
            (lambda: self.sync(zone, first), 'unchanged', {'unchanged': 6}),
            (lambda: self.sync(zone, second, maxRelease=70), 'changed',
             {'unchanged': 1, 'updated': 1, 'adopted': 1, 'created': 1, 'foreign': 1, 'rejected': 1, 'released': 4}),
            (lambda: self.sync(zone, [universal('s02')], mode='delta'), 'changed', {'restored': 1}),
            (lambda: self.sync(zone, first, dryRun='true'), 'dry-run', {}),
            (lambda: self.refused(zone, [], 409, 'mass-release-guard'), 'refused', {}),
            (lambda: self.refused(zone, [], 409, 'stale-epoch', epoch=9), 'refused', {}),
            (lambda: self.refused(zone, '{', 400, 'invalid-json'), 'refused', {}),
        ]
        for act, end, items in table:
            change = self.change(act)
            for name in ('changed', 'unchanged', 'dry-run', 'refused'):
                self.assertEqual(change('syncs_total', zone=zone, outcome=name), name == end, (end, name))
            for name in ('created', 'adopted', 'unchanged', 'updated', 'restored', 'released', 'foreign', 'rejected'):
                self.assertEqual(change('sync_items_total', outcome=name), items.get(name, 0), (end, name))
        self.assertEqual(metrics_of(self.server).value('holdfast_sync_memory_bytes'), 0)

    def test_a_zone_that_is_not_known_has_no_series(self):
        """Else whoever sends bad syncs under ever new names fills the memory."""
        unknown, known = self.zone(), self.zone()
        self.acquire(lease_path('a', known))
        for zone in (unknown, known):
            self.refused(zone, '{', 400, 'invalid-json')
            self.sync(zone, [], mode='delta')
        metrics = metrics_of(self.server)
        self.assertEqual([metrics.value('holdfast_syncs_total', zone=zone) for zone in (unknown, known)], [0, 2])

    def test_reallocations_avoided(self):
        zone, other = self.zone(), self.zone()
        items = [universal(name) for name in names(5)]
        answer = self.sync(zone, items)
        have = {result['service']: result['vips'][0]['ip'] for result in answer['results']}
        change = self.change(lambda: self.sync(zone, items))
        self.assertEqual(change('sync_reallocations_avoided_total'), 5, 'each came with an empty status')
        change = self.change(lambda: self.sync(zone, [universal(name, vips=[have[name]]) for name in names(5)]))
        self.assertEqual(change('sync_reallocations_avoided_total'), 0, 'each brought its address')
        change = self.change(lambda: self.sync(zone, items, dryRun='true'))
        self.assertEqual(change('sync_reallocations_avoided_total'), 0, 'a dry run avoids nothing')
        change = self.change(lambda: self.sync(other, [universal('new')] + [imported(item, zone) for item in items]))
        self.assertEqual(change('sync_reallocations_avoided_total'), 0, 'neither new nor foreign')
        change = self.change(lambda: self.sync(zone, items[:4] + [universal('s04', port=81)]))
        self.assertEqual(change('sync_reallocations_avoided_total'), 5, 'a changed one too')

    def test_problems(self):
        zone = self.zone()
        self.sync(zone, [universal('a')])
        change = self.change(lambda: self.refused(zone, [], 409, 'mass-release-guard'))
        self.assertEqual([change('problems_total', code=code) for code in ('mass-release-guard', 'stale-epoch')], [1, 0])
        change = self.change(lambda: self.refused(zone, [], 409, 'stale-epoch', epoch=3))
        self.assertEqual([change('problems_total', code=code) for code in ('mass-release-guard', 'stale-epoch')], [0, 1])
        self.connect(zone, 'one')
        self.disconnect(zone)
        change = self.change(lambda: self.refused(zone, [], 409, 'zone-offline'))
        self.assertEqual(change('problems_total', code='zone-offline'), 1)
        change = self.change(lambda: self.sync(zone, [universal('a'), universal('b', 'Bad')]))
        self.assertEqual(change('problems_total', code='invalid-name'), 0, 'a rejected item is no problem that is answered')

    def test_the_last_sync(self):
        zone = self.zone()
        self.acquire(lease_path('a', zone))
        self.assertIsNone(self.server.get(f'/v1/zones/{zone}').json()['lastSync'])
        self.connect(zone, 'one')
        answer = self.sync(zone, [universal('a'), universal('b')])
        last = self.server.get(f'/v1/zones/{zone}').json()['lastSync']
        self.assertEqual(sorted(last), ['at', 'durationMs', 'epoch', 'mode', 'revision', 'summary'])
        self.assertEqual((last['mode'], last['epoch'], last['revision'], last['summary']), ('full', 1, answer['revision'], answer['summary']))
        self.sync(zone, [], dryRun='true', maxRelease=100)
        self.refused(zone, [], 409, 'mass-release-guard')
        self.assertEqual(self.server.get(f'/v1/zones/{zone}').json()['lastSync'], last, 'neither dry runs nor refused ones')
        self.sync(zone, [universal('a')], mode='delta')
        again = self.server.get(f'/v1/zones/{zone}').json()['lastSync']
        self.assertEqual((again['mode'], again['summary']['unchanged']), ('delta', 1))
        listed = next(z for z in self.server.get('/v1/zones').json()['items'] if z['zone'] == zone)
        self.assertEqual(listed['lastSync'], again)


class Wire(SyncCase):
    def test_other_methods(self):
        for path in ('sync', 'manifest'):
            for method in ('GET', 'HEAD', 'PUT', 'DELETE'):
                answer = self.server.request(method, f'/v1/zones/east/{path}?mode=full&mesh=*')
                self.assertEqual((answer.status, answer.header('Allow')), (405, 'POST'), (method, path))

    def test_expect_100_continue(self):
        zone, body = self.zone(), lines_of(3)
        with self.server.socket() as s:
            s.sendall(head_of(zone, len(body), 'Expect: 100-continue'))
            self.assertEqual(s.recv(4096), b'HTTP/1.1 100 Continue\r\n\r\n')
            s.sendall(body)
            self.assertTrue(s.recv(4096).startswith(b'HTTP/1.1 200 '))
        self.assertEqual(len(self.active(zone)), 3)
        with self.server.socket() as s:  # what is too large is told before it is sent
            s.sendall(head_of(zone, 1 << 40, 'Expect: 100-continue'))
            self.assertTrue(s.recv(4096).startswith(b'HTTP/1.1 413 '))

    def test_a_long_poll_wakes(self):
        zone, other = self.zone(), self.zone()
        since = self.server.revision()
        answers = {}

        def wait(i, connection):
            target = f'/v1/changes?since={since}&wait=60s' + ('', f'&zone={zone}', f'&zone={other}', '&mesh=m2', '&kind=MeshExternalService')[i]
            answers[i] = self.server.get(target, connection=connection).json()
        waiting = threading.Thread(target=parallel, args=(self.server, 5, wait))
        waiting.start()
        self.server.wait_for_waiters(5)
        self.sync(zone, [universal(name) for name in names(9)])
        eventually(lambda: {0, 1} <= set(answers))
        self.assertEqual([len(answers[i]['changes']) for i in (0, 1)], [9, 9], 'all of the sync at once')
        self.assertEqual({(c['cause'], c['type']) for c in answers[0]['changes']}, {('sync', 'acquired')})
        self.server.wait_for_waiters(3)
        self.assertEqual(set(answers), {0, 1}, 'the filters hold')
        self.sync(other, [universal('x', 'm2'), {**universal('y'), 'type': 'MeshExternalService'}], mode='delta')
        waiting.join()
        self.assertEqual({i: [c['service'] for c in answers[i]['changes']] for i in (2, 3, 4)}, {2: ['y', 'x'], 3: ['x'], 4: ['y']})

    def test_the_second_of_two_sees_the_first(self):
        """The first is on its way when the second comes, which has all its body already."""
        zone, body = self.zone(), lines_of(2000)
        answers = [a.json() for a in parallel(self.server, 2, lambda i, c: self.post(zone, body, NDJSON, connection=c, returns='none'))]
        self.assertEqual(sorted((a['summary']['created'], a['summary']['unchanged']) for a in answers), [(0, 2000), (2000, 0)])
        self.assertEqual(len({(a['revision'], a['digest']) for a in answers}), 1)


class Memory(unittest.TestCase):
    def server(self, *flags):
        server = Server(*flags)
        self.addCleanup(server.close)
        return server

    def gauge(self, server):
        return metrics_of(server).value('holdfast_sync_memory_bytes')

    def test_overload(self):
        server = self.server('--sync-memory', '1MiB')
        small, large = lines_of(100), lines_of(5000)
        before = server.revision()
        for query in ('mode=full&mesh=*', 'mode=delta', 'mode=full&mesh=*&dryRun=true'):
            answer = server.post(f'/v1/zones/east/sync?{query}', large, {'Content-Type': NDJSON})
            self.assertEqual((answer.status, answer.code, answer.header('Retry-After')), (503, 'overloaded', '1'))
            self.assertEqual((server.revision(), self.gauge(server)), (before, 0))
        answer = server.post('/v1/zones/east/sync?mode=full&mesh=*', small, {'Content-Type': NDJSON})
        self.assertEqual((answer.status, answer.json()['summary']['created']), (200, 100))
        self.assertEqual(self.gauge(server), 0)

    def test_what_vanishes_gives_its_memory_back(self):
        server = self.server()
        body = lines_of(2000)
        for reset in (False, True):
            with server.socket() as s:
                s.sendall(head_of('east', len(body)) + body[:-10])
                eventually(lambda: self.gauge(server) > 100_000)
                if reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
            eventually(lambda: self.gauge(server) == 0)
        self.assertEqual(server.stream()[0], [])

    def test_who_leaves_while_it_is_done(self):
        """The body is there and its sender gone: the sync is done, answered to nobody, and nothing of it stays."""
        server = self.server()
        body = lines_of(3000)
        for zone in ('east', 'west'):
            with server.socket() as s:
                s.sendall(head_of(zone, len(body)) + body)
        eventually(lambda: len(server.stream()[0]) == 6000)
        eventually(lambda: self.gauge(server) == 0)

    def test_a_refused_one_holds_none_while_its_body_still_comes(self):
        server = self.server('--sync-memory', '1MiB')
        body = lines_of(5000)
        with server.socket() as s:
            s.sendall(head_of('east', len(body)) + body[:-10])
            eventually(lambda: metrics_of(server).value('holdfast_problems_total', code='overloaded') == 1)
            self.assertEqual(self.gauge(server), 0)
            answer = server.post('/v1/zones/west/sync?mode=full&mesh=*', lines_of(100), {'Content-Type': NDJSON})
            self.assertEqual(answer.status, 200, 'another one has room')
            s.sendall(body[-10:])
            self.assertTrue(s.recv(4096).startswith(b'HTTP/1.1 503 '))

    def test_who_is_slow_holds_the_memory_of_its_zone_alone(self):
        """While bodies that came half hold a zone's memory, another sync of it is refused, and no other zone's."""
        server = self.server('--sync-memory', '4MiB')
        body = lines_of(700)  # two of them fit into a quarter, three do not
        for zone in ('slow', 'east'):
            server.put(lease_path('a', zone), {'spec': {}})
        held = [server.socket() for _ in range(2)]
        for s in held:
            s.sendall(head_of('slow', len(body)) + body[:-10])
        eventually(lambda: self.gauge(server) > 740_000)
        query = '/sync?mode=delta'
        for _ in range(3):
            answer = server.post(f'/v1/zones/slow{query}', body, {'Content-Type': NDJSON})
            self.assertEqual((answer.status, answer.header('Retry-After')), (503, '1'))
            self.assertLess(self.gauge(server), 1 << 20)
            self.assertEqual(server.post(f'/v1/zones/east{query}', body, {'Content-Type': NDJSON}).status, 200)
            self.assertEqual(server.post(f'/v1/zones/new{query}', body, {'Content-Type': NDJSON}).status, 200)
        for s in held:
            s.close()
        eventually(lambda: self.gauge(server) == 0)
        self.assertEqual(server.post(f'/v1/zones/slow{query}', body, {'Content-Type': NDJSON}).status, 200)

    def test_zones_that_are_thought_of_leave_room_for_those_that_are_there(self):
        server = self.server('--sync-memory', '4MiB')
        body, small = lines_of(700), lines_of(500)  # so small that more than half could be taken, if nothing were kept for the others
        server.put(lease_path('a', 'east'), {'spec': {}})
        held = [server.socket() for _ in range(16)]
        for i, s in enumerate(held):
            s.sendall(head_of(f'made-up-{i}', len(body), query='mode=delta') + body[:-10])
        eventually(lambda: metrics_of(server).value('holdfast_problems_total', code='overloaded') >= 6)
        self.assertLess(self.gauge(server), 2 << 20)
        answer = server.post('/v1/zones/east/sync?mode=delta', small, {'Content-Type': NDJSON})
        self.assertEqual((answer.status, answer.json()['summary']['created']), (200, 500))
        for s in held:
            s.close()
        eventually(lambda: self.gauge(server) == 0)

    def test_a_body_is_not_kept(self):
        """100 MB in documents of 250 kB: what they say of themselves is little, and nothing else of them may stay."""
        server = Server('--max-sync-body', '101MiB', asan='quarantine_size_mb=8')
        self.addCleanup(server.close)
        for form in (NDJSON, 'application/json'):
            lines = [json.dumps({**universal(name), 'spec': {'x': 'y' * 250_000}}) for name in names(400, prefix=form[12])]
            body = '\n'.join(lines) if form == NDJSON else '{"items":[%s]}' % ','.join(lines)
            self.assertLess(self.growth(server, body, form), 48 << 20)

    def growth(self, server, body, form):
        """How much the server's memory grows, at most, while it takes a sync in."""
        before, peak, done = self.resident(server), [0], threading.Event()

        def watch():
            while not done.is_set():
                peak[0] = max(peak[0], self.resident(server))
                time.sleep(0.01)  # between two looks
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            answer = server.post('/v1/zones/east/sync?mode=delta', body, {'Content-Type': form})
        finally:
            done.set()
            watcher.join()
        self.assertEqual(answer.json()['summary']['created'], 400)
        return peak[0] - before

    def resident(self, server):
        with open(f'/proc/{server.process.child.pid}/status', encoding='ascii') as status:
            return int(re.search(r'RssAnon:\s+(\d+) kB', status.read()).group(1)) << 10


class Stopping(unittest.TestCase):
    def server(self, *flags):
        server = Server(*flags)
        self.addCleanup(server.close)
        return server

    def send(self, server, zone, body, answers, together):
        """One sync over a bare socket, its end with the others'; its answer, or None if there was none."""
        with server.socket() as s:
            s.sendall(head_of(zone, len(body), 'Connection: close', query='mode=full&mesh=*&return=none') + body[:-10])
            together.wait()
            s.sendall(body[-10:])
            together.wait()
            text = b''
            try:
                while chunk := s.recv(65536):
                    text += chunk
            except OSError:
                pass
        head, _, rest = text.partition(b'\r\n\r\n')
        answers[zone] = Response(int(head.split()[1]), {}, rest) if head else None

    def test_sigterm_while_syncs_are_under_way(self):
        self.stop_amid(8, 3000)

    def test_sigterm_with_more_than_can_be_done_in_time(self):
        """With sanitizers, that is; a server without them may well do all."""
        self.stop_amid(12, 8000)

    def stop_amid(self, count, size):
        """So many syncs of this size are under way when SIGTERM comes."""
        undisturbed(lambda server: self.attempt_to_stop_amid(server, count, size), '--threads', '4')

    def attempt_to_stop_amid(self, server, count, size):
        body, answers, zones, together = lines_of(size), {}, [f'z{i}' for i in range(count)], threading.Barrier(count + 1)
        senders = [threading.Thread(target=self.send, args=(server, zone, body, answers, together)) for zone in zones]
        for sender in senders:
            sender.start()
        eventually(lambda: metrics_of(server).value('holdfast_sync_memory_bytes') > count * (size - 100) * 200)  # all but the ends are there
        together.wait()
        together.wait()  # the ends have been sent
        server.stop(signal.SIGTERM, timeout=DRAIN_S)
        for sender in senders:
            sender.join()
        self.assertEqual(len(answers), count)
        self.assertNotIn(None, answers.values(), 'each is answered')
        self.assertLessEqual({answer.status for answer in answers.values()}, {200, 503})
        server.start()
        for zone in zones:
            there = len(server.stream(f'?zone={zone}')[0])
            self.assertEqual(there, size if answers[zone].status == 200 else 0, (zone, answers[zone]))

    def test_a_body_that_never_ends_does_not_keep_it(self):
        server = self.server()
        body = lines_of(100)
        with server.socket() as s:
            s.sendall(head_of('east', len(body)) + body[:-10])
            eventually(lambda: metrics_of(server).value('holdfast_sync_memory_bytes') > 0)
            server.stop(timeout=DRAIN_S)
        self.assertEqual(server.start().stream()[0], [])

    def test_a_kill_keeps_zones_and_epochs(self):
        server = self.server()
        for instance in ('one', 'two'):
            server.put('/v1/zones/east/connection', {'instance': instance})
        server.put('/v1/zones/west/connection', {'instance': 'w'})
        for zone in ('east', 'west'):
            answer = server.post(f'/v1/zones/{zone}/sync?mode=full&mesh=*', lines_of(50), {'Content-Type': NDJSON})
            self.assertEqual(answer.status, 200)
        server.delete('/v1/zones/west/connection')
        before = {zone['zone']: {**zone, 'lastSync': None} for zone in server.get('/v1/zones').json()['items']}
        revision = server.revision()
        server.kill()
        server.start()
        after = {zone['zone']: zone for zone in server.get('/v1/zones').json()['items']}
        self.assertEqual((after, server.revision()), (before, revision), 'the last sync alone is forgotten')
        late = server.put('/v1/zones/east/connection', {'instance': 'one'})
        self.assertEqual((late.status, late.code), (409, 'stale-epoch'))
        again = server.put('/v1/zones/east/connection', {'instance': 'two'}).json()
        self.assertEqual((again['connection'], again['epoch'], again['sync'], again['leases']), ('refresh', 2, 'incremental', 50))
        self.assertEqual(server.delete(lease_path('service-000000', 'west')).code, 'zone-offline')


if __name__ == '__main__':
    unittest.main()

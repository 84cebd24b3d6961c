"""Bad input to a sync: what is wrong with one item rejects that item, what is wrong with the body refuses it whole; nothing is lost."""
import json
import socket
import unittest

from harness import Server, lease_path
from syncing import FORMS, NDJSON, SyncCase, encode, names, outcomes, universal

NO_LEASES = [  # items whose identity cannot be read (invalid-parameter), or can, and is one that no lease can have (invalid-name)
    ({}, 'invalid-parameter'), ({'type': 'MeshService', 'mesh': 'default'}, 'invalid-parameter'), ({'name': ''}, 'invalid-parameter'),
    ({'name': 'Upper'}, 'invalid-name'), ({'name': '-a'}, 'invalid-name'), ({'name': 'a' * 318}, 'invalid-name'),
    ({'name': 'ä'}, 'invalid-name'),
    ({'name': 5}, 'invalid-parameter'), ({'name': None}, 'invalid-parameter'), ({'name': ['a']}, 'invalid-parameter'), ({'name': 'a', 'mesh': 'Bad'}, 'invalid-name'),
    ({'name': 'a', 'mesh': 7}, 'invalid-parameter'), ({'name': 'a', 'mesh': 'm' * 64}, 'invalid-name'),
    ({'name': 'a', 'labels': {'kuma.io/display-name': 'A B'}}, 'invalid-name'),
    ({'name': 'a', 'labels': {'kuma.io/display-name': 1}}, 'invalid-parameter'),
    ({'name': 'a', 'labels': {'k8s.kuma.io/namespace': 'N!'}}, 'invalid-name'), ({'metadata': {'namespace': 'ns'}}, 'invalid-parameter'),
    ({'metadata': {'name': 'a', 'namespace': '!'}}, 'invalid-name'),
]
# Documents that are not JSON that we take, a full sync of each: the unit tests of api/text/ and api/lists/ have all others.
NOT_OBJECTS = [[], 5]
BAD_LINES = ['{', '{"name":"a"}{"name":"b"}']
BAD_VALUES = ['{"name":"a","x":9223372036854775808}']  # it is clear whose it is all the same
BAD_BYTES = [(b'{"name":"a\xff"}', True), (b'{"name":"a","x":"\x00"}', False)]


class OneItem(SyncCase):
    """Rejected; the rest is applied."""

    def check(self, form, bad, code, unreadable):
        """A bad item between good ones, in a full sync that releases one lease, if anything."""
        zone = self.zone()
        self.sync(zone, [universal('old'), universal('kept')])
        answer = self.sync(zone, [universal('kept', port=81), bad, universal('new')], form)
        result = self.rejected(answer, 2, code, form)
        self.assertEqual([r['outcome'] for r in answer['results'][:3]], ['updated', 'rejected', 'created'])
        left = {'updated': 1, 'created': 1, 'rejected': 1, 'released': 0 if unreadable else 1, 'releaseSkipped': 1 if unreadable else 0}
        self.assertEqual({name: answer['summary'][name] for name in left}, left)
        self.assertEqual(sorted(self.active(zone)), ['kept', 'new'] + (['old'] if unreadable else []))
        return result

    def test_no_identity(self):
        for document, code in NO_LEASES:
            for form in ('list', 'ndjson'):
                with self.subTest(f'{str(document)[:50]}, {form}'):
                    self.assertNotIn('service', self.check(form, document, code, code == 'invalid-parameter'))

    def test_no_object(self):
        for value in NOT_OBJECTS:
            for form in ('list', 'ndjson'):
                with self.subTest(f'{value!r}, {form}'):
                    result = self.check(form, value if form == 'list' else json.dumps(value), 'invalid-json', True)
                    self.assertLessEqual(set(result), {'outcome', 'vips', 'problem', 'line', 'item'})

    def test_a_malformed_line_in_the_middle(self):
        for line in BAD_LINES:
            with self.subTest(line[:40]):
                self.check('ndjson', line, 'invalid-json', True)
        for line in BAD_VALUES:
            with self.subTest(line[:40]):
                result = self.check('ndjson', line, 'invalid-json', False)
                self.assertEqual((result['kind'], result['mesh'], result['service']), ('MeshService', 'default', 'a'))

    def test_too_large(self):
        much = 'x' * 300_000
        for document, held in (({'name': 'a', 'much': much}, False), ({'spec': {'much': much}, 'metadata': {'name': 'a', 'namespace': 'n'}}, False),
                               ({'kind': 'Dataplane', 'much': much}, False), ({'name': much}, False), ({'much': much}, True),
                               ({'name': 5, 'much': much}, True)):
            for form in FORMS:
                with self.subTest(f'{str(document)[:50]}, {form}'):
                    self.check(form, document, 'body-too-large', held)

    def test_its_own_lease_is_held_back(self):
        for form in ('list', 'ndjson'):
            zone = self.zone()
            self.sync(zone, [universal('held'), universal('old'), universal('kept')])
            bad = {**universal('held'), 'much': 'x' * 300_000}
            for _ in range(2):  # again and again, as long as it stays in the list
                answer = self.sync(zone, [universal('kept'), bad], form)
                self.rejected(answer, 2, 'body-too-large', form)
                self.assertEqual(sorted(self.active(zone)), ['held', 'kept'])
                self.assertEqual(self.sync(zone, [universal('kept'), {**bad, 'name': 'Test-Server'}], form, dryRun='true', maxRelease=99)['summary']['released'], 1)

    def test_bytes_that_are_no_text(self):
        for line, held in BAD_BYTES:
            with self.subTest(repr(line)):
                zone = self.zone()
                self.sync(zone, [universal('old')])
                good = json.dumps(universal('new')).encode()
                answer = self.post(zone, good + b'\n' + line + b'\n' + good.replace(b'new', b'two') + b'\n', NDJSON, maxRelease=100).json()
                self.rejected(answer, 2, 'invalid-json', 'ndjson')
                self.assertEqual((answer['summary']['created'], answer['summary']['releaseSkipped']), (2, held))

    def test_another_type(self):
        for form in FORMS:
            zone = self.zone()
            self.sync(zone, [universal('kept')])
            answer = self.sync(zone, [universal('kept'), {**universal('a'), 'type': 'Dataplane'}, universal('new')], form)
            self.rejected(answer, 2, 'invalid-parameter', form)
            self.assertEqual(answer['summary']['created'], 1)

    def test_the_same_identity_twice(self):
        for form in FORMS:
            zone = self.zone()
            self.sync(zone, [universal('twice'), universal('old')])
            twice = {**universal('x-hash', port=82), 'labels': {'kuma.io/display-name': 'twice'}}
            answer = self.sync(zone, [universal('twice', port=81), twice, universal('new')], form)
            result = self.rejected(answer, 2, 'invalid-parameter', form)
            self.assertEqual((result['kind'], result['mesh'], result['service']), ('MeshService', 'default', 'twice'))
            self.assertEqual([r['outcome'] for r in answer['results']], ['updated', 'rejected', 'created', 'released'])
            self.assertEqual(sorted(self.active(zone)), ['new', 'twice'])

    def test_the_same_identity_twice_in_a_delta(self):
        for form in FORMS:
            zone = self.zone()
            self.sync(zone, [universal('a'), universal('b')])
            answer = self.sync(zone, [universal('a')], form, mode='delta', removed=[{'mesh': 'default', 'service': 'b'}] * 2)
            self.assertEqual((answer['summary']['released'], answer['summary']['rejected']), (1, 1), form)
        body = '\n'.join((json.dumps(universal('a')), '{"removed":{"mesh":"default","service":"a"}}', ''))
        answer = self.assertWritesNothing(lambda: self.post(zone, body, NDJSON, mode='delta').json())
        self.rejected(answer, 2, 'invalid-parameter', 'ndjson')

    def test_removed_that_is_out_of_form(self):
        table = [({}, 'invalid-parameter'), ({'mesh': 'default'}, 'invalid-parameter'), ({'service': 'a'}, 'invalid-parameter'),
                 ({'mesh': 'Bad', 'service': 'a'}, 'invalid-name'), ({'mesh': 'default', 'service': 'A'}, 'invalid-name'),
                 ({'kind': 'Dataplane', 'mesh': 'default', 'service': 'a'}, 'invalid-parameter'),
                 ({'mesh': 'default', 'service': 'a', 'more': 1}, 'invalid-parameter'),
                 ({'mesh': 'default', 'zone': 'west', 'service': 'a'}, 'invalid-parameter')]
        table = [(value, code, form) for value, code in table for form in FORMS]
        for value in ('a', 5, [], None):
            table += [(value, 'invalid-parameter', 'ndjson'), (value, 'invalid-json', 'list')]
        zone = self.zone()
        self.sync(zone, [universal('a')])
        for value, code, form in table:
            with self.subTest(f'{value}, {form}'):
                answer = self.sync(zone, [universal('a')], form, mode='delta', removed=[value])
                self.rejected(answer, *((2, code, 'line') if form == 'ndjson' else (1, code, 'removed')))
        self.assertEqual(sorted(self.active(zone)), ['a'])

    def test_status_in_an_odd_form_is_no_claim(self):
        for status in (None, 5, [], {'vips': None}, {'vips': {}}, {'vips': [5]}, {'vips': [{}]}, {'vips': [{'ip': 'x'}]},
                       {'vips': [{'ip': 7}]}):
            zone = self.zone()
            answer = self.sync(zone, [{**universal('a'), 'status': status}])
            self.assertEqual(outcomes(answer), {'a': 'created'}, status)


class Whole(SyncCase):
    """Refused whole: nothing is applied."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.post('/v1/zones/here/sync?mode=full&mesh=*', {'items': [universal(name) for name in names(3)]})

    def test_parameters(self):
        table = [({'mode': None}, 'mode'), ({'mode': 'FULL'}, 'FULL'), ({'mode': ''}, 'mode'), ({'mode': 'patch'}, 'patch'),
                 ({'mesh': None}, 'mesh'), ({'kind': 'Dataplane'}, 'Dataplane'), ({'kind': '*'}, 'kind'), ({'kind': ''}, 'kind'),
                 ({'dryRun': 'maybe'}, 'dryRun'), ({'dryRun': ''}, 'dryRun'), ({'force': 'yes'}, 'force'),
                 ({'maxRelease': '-1'}, 'maxRelease'),
                 ({'maxRelease': '101'}, 'maxRelease'), ({'maxRelease': '1.5'}, 'maxRelease'), ({'maxRelease': 'x'}, 'maxRelease'),
                 ({'maxRelease': ''}, 'maxRelease'), ({'maxRelease': '20%'}, 'maxRelease'), ({'returns': 'some'}, 'return'),
                 ({'returns': ''}, 'return'), ({'more': '1'}, 'more'), ({'dryrun': 'true'}, 'dryrun')]
        for query, culprit in table:
            for form in ('list', 'ndjson'):
                with self.subTest(f'{query}, {form}'):
                    self.refused('here', [universal('new')], 400, 'invalid-parameter', culprit, form=form, **query)

    def test_names(self):
        for mesh in ('Default', '', '**', 'a*'):
            self.refused('here', [universal('new')], 400, 'invalid-name', 'mesh', mesh=mesh)
        for zone in ('East', '-a', 'a' * 64):
            answer = self.assertWritesNothing(lambda z=zone: self.post(z, '{"items":[]}'))
            self.assertProblem(answer, 400, 'invalid-name', 'zone')

    def test_nothing_at_all(self):
        """What a broken pipe leaves is no empty zone, in whatever form and mode it comes."""
        blanks = ('', ' ', '\n', '\r\n \n\t\n')
        for body in blanks:
            for media in ('application/json', NDJSON):
                for query in ({'maxRelease': 100}, {'maxRelease': 100, 'dryRun': 'true', 'force': 'true'}, {'mode': 'delta'}):
                    with self.subTest(f'{body!r}, {media}, {query}'):
                        self.refused('here', body, 400, 'invalid-json', '{"items":[]}', media=media, **query)
                        chunks = (piece for piece in [body.encode()] if piece)
                        answer = self.assertWritesNothing(lambda c=chunks, m=media, q=query: self.post('here', c, m, **q))
                        self.assertProblem(answer, 400, 'invalid-json', '{"items":[]}')
                answer = self.server.post('/v1/zones/here/manifest?mesh=*', body, {'Content-Type': media})
                self.assertProblem(answer, 400, 'invalid-json', '{"items":[]}')
        self.assertEqual(self.sync('nowhere', [])['summary']['released'], 0, 'it is stated like this')

    def test_nothing_that_can_be_read(self):
        for form in ('list', 'ndjson'):
            for items in ([{}], [{'mesh': 'default'}, {'name': 5}], [{'much': 'x' * 300_000}]):
                for query in ({'maxRelease': 100}, {'mode': 'delta'}):
                    code = 'invalid-json' if 'much' in items[0] else 'invalid-parameter'
                    self.refused('here', items, 400, code, 'none of the', form=form, **query)
        self.refused('here', 'x\n{\n', 400, 'invalid-json', 'line 1', media=NDJSON, maxRelease=100)
        self.refused('here', [], 400, 'invalid-parameter', '"removed", number 1', mode='delta', removed=[{}])
        self.refused('here', [{'name': 'A'}, {'type': 'Secret'}], 409, 'mass-release-guard', 'lists none', maxRelease=99)

    def test_bodies_that_are_no_list(self):
        for body in ('{}', '{"items":null}', '{"items":{}}', '{"items":5}', '{"item":[]}'):
            with self.subTest(body):
                self.refused('here', body, 400, 'invalid-parameter')

    def test_arrays_whose_names_are_escaped_do_not_pass_for_none(self):
        for body in ('{"\\u0069tems":[{"name":"a"}]}', '{"items":[],"\\u0072emoved":[{"mesh":"default","service":"s00"}]}'):
            with self.subTest(body):
                self.refused('here', body, 400, 'invalid-parameter', mode='delta')
        self.refused('here', '{"\\u0069tems":[{"name":"a"}]}', 400, 'invalid-parameter', maxRelease='100')

    def test_a_last_line_that_is_cut_off(self):
        whole, _ = encode([universal(name) for name in names(4)] + [universal('last', port=81)], 'ndjson')
        last = whole.rstrip('\n').rindex('\n') + 1
        for n in (1, 2, 20, len(whole) - last - 2):
            for mode in ('full', 'delta'):
                self.refused('here', whole[:last + n], 400, 'invalid-json', media=NDJSON, mode=mode)
        answer = self.post('here', whole[:-1], NDJSON, dryRun='true')
        self.assertEqual(answer.json()['summary']['created'], 2, 'the last line end may be missing')

    def test_lists_that_are_not_complete(self):
        items = [universal(name) for name in names(3)]
        parts = [{'next': 'http://127.0.0.1/meshes/default/meshservices?offset=100'}, {'next': ''}, {'next': 5}, {'total': 4},
                 {'total': 100}, {'metadata': {'continue': 'eyJ2IjoibWV0YS5rOHMuaW8vdjEi'}}, {'metadata': {'continue': 'x', 'resourceVersion': '1'}},
                 {'metadata': {'continue': 1}}, {'metadata': {'remainingItemCount': 5}}, {'total': 3.5}]
        for part in parts:
            for body in ({**part, 'items': items}, {'items': items, **part}):
                self.refused('here', json.dumps(body), 400, 'incomplete-list')
                self.refused('here', json.dumps(body), 400, 'incomplete-list', dryRun='true', maxRelease=100, force='true')
        for part in ({'next': None}, {'total': 3}, {'metadata': {}}, {'metadata': {'continue': ''}}, {'metadata': {'continue': None, 'remainingItemCount': 0}}, {'apiVersion': 'v1', 'kind': 'List'}):
            answer = self.assertWritesNothing(lambda p=part: self.post('here', json.dumps({**p, 'items': items})))
            self.assertEqual((answer.status, answer.json()['summary']['unchanged']), (200, 3), part)

    def test_removed_in_a_full_sync(self):
        removed = [{'mesh': 'default', 'service': 's00'}]
        for form in FORMS:
            self.refused('here', [universal(name) for name in names(3)], 400, 'invalid-parameter', 'removed', form=form, removed=removed)

    def test_media_types(self):
        body, _ = encode([universal(name) for name in names(3)])
        for media in ('text/plain', 'application/yaml', 'application/x-www-form-urlencoded', 'application/x-ndjsonp'):
            self.refused('here', body, 415, 'unsupported-media-type', media, media=media)
        for media in ('application/json; charset=utf-8', 'application/vnd.kuma+json', 'APPLICATION/JSON'):
            self.assertEqual(self.post('here', body, media).json()['summary']['unchanged'], 3, media)
        lines, _ = encode([universal(name) for name in names(3)], 'ndjson')
        for media in ('application/x-ndjson; charset=utf-8', 'Application/X-NDJSON'):
            self.assertEqual(self.post('here', lines, media).json()['summary']['unchanged'], 3, media)

    def test_line_ends_and_empty_lines(self):
        lines = [json.dumps(universal(name)) for name in names(3)]
        for body in ('\r\n'.join(lines) + '\r\n', '\n\n'.join(lines) + '\n\n', '\n' + '\n'.join(lines), ' ' + ' \n\t'.join(lines)):
            self.assertEqual(self.post('here', body, NDJSON).json()['summary']['unchanged'], 3, body[:20])
        answer = self.post('here', '\n'.join(['', lines[0], '', 'x', *lines[1:], '']), NDJSON).json()
        self.rejected(answer, 4, 'invalid-json', 'ndjson')


class Streams(SyncCase):
    """Bodies as they come over the wire."""

    def pieces(self, zone, body, media, size, **query):
        """The body in chunks of `size` bytes."""
        return self.post(zone, (body[i:i + size] for i in range(0, len(body), size)), media, **query)

    def test_tiny_pieces(self):
        items = [universal(name, labels={'owner': 'Jürgen 日本 \U0001f980 "\\'}) for name in names(12)]
        for form in FORMS:
            body, media = encode(items, form)
            body = json.dumps(json.loads(body), ensure_ascii=False).encode() if form != 'ndjson' else b''.join(
                json.dumps(item, ensure_ascii=False).encode() + b'\n' for item in items)
            zone = self.zone()
            expected = self.post(zone, body, media).json()
            self.assertEqual(expected['summary']['created'], 12)
            for size in (1, 2, 3, 7, 100, 1000, len(body)):
                answer = self.assertWritesNothing(lambda s=size, z=zone, b=body, m=media: self.pieces(z, b, m, s))
                self.assertEqual((answer.status, answer.json()['summary']['unchanged']), (200, 12), (form, size))
            other = self.zone()
            self.assertEqual(self.pieces(other, body, media, 1).json()['summary'], expected['summary'], form)

    def test_a_chunked_body_that_is_wrong(self):
        zone = self.zone()
        for size in (1, 5):
            self.assertProblem(self.pieces(zone, b'{"items":[{"name":"a"},', 'application/json', size), 400, 'invalid-json')
            self.assertProblem(self.pieces(zone, b'{"name":"a"}\n{"name":', NDJSON, size), 400, 'invalid-json')
            answer = self.pieces(zone, b'{"name":"a"}\nnothing\n{"name":"b"}\n', NDJSON, size, dryRun='true').json()
            self.rejected(answer, 2, 'invalid-json', 'ndjson')
        self.assertEqual(self.leases(zone), {})

    def cut(self, zone, head, body, how):
        """Sends the beginning of a request and closes the connection."""
        s = self.server.socket()
        s.sendall(head.encode() + body)
        self.server.wait_for_requests(1)
        if how == 'shut':
            s.shutdown(socket.SHUT_WR)
            try:
                while s.recv(4096):
                    pass
            except OSError:
                pass
        elif how == 'reset':
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        s.close()
        self.server.wait_for_requests(0)

    def test_a_body_that_breaks_off_applies_nothing(self):
        zone = self.zone()
        self.sync(zone, [universal('old')])
        before, digest = self.server.revision(), self.file_digest()
        for form in ('list', 'ndjson'):
            text, media = encode([universal(f'new-{i}') for i in range(300)], form)
            body = text.encode()
            line = f'POST /v1/zones/{zone}/sync?mode=full&mesh=*&maxRelease=100 HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media}\r\n'
            ends = body.index(b'\n') + 1 if form == 'ndjson' else 500  # behind a whole line
            for n in (0, 1, ends, len(body) // 2, len(body) - 1):
                for how in ('close', 'shut', 'reset'):
                    self.cut(zone, f'{line}Content-Length: {len(body)}\r\n\r\n', body[:n], how)
                    self.cut(zone, f'{line}Transfer-Encoding: chunked\r\n\r\n', b'%x\r\n%s\r\n' % (n, body[:n]) if n else b'', how)
        self.assertEqual((self.server.revision(), self.file_digest()), (before, digest))
        self.assertEqual(sorted(self.active(zone)), ['old'])
        self.assertEqual(self.sync(zone, [universal('old'), universal('more')])['summary']['created'], 1, 'and the zone is not locked')

    def test_a_slow_body_holds_nobody_up(self):
        zone = self.zone()
        body = encode([universal('slow')], 'ndjson')[0].encode()
        with self.server.socket() as s:
            s.sendall(f'POST /v1/zones/{zone}/sync?mode=full&mesh=*&maxRelease=100 HTTP/1.1\r\nHost: localhost\r\nContent-Type: {NDJSON}\r\n'
                      f'Content-Length: {len(body)}\r\n\r\n'.encode() + body[:20])
            self.assertEqual(self.sync(self.zone(), [universal('a')])['summary']['created'], 1)
            self.assertEqual(self.sync(zone, [universal('fast')])['summary']['created'], 1, 'the same zone')
            self.acquire(lease_path('single', zone))
            s.sendall(body[20:])
            self.assertTrue(s.recv(4096).startswith(b'HTTP/1.1 200'))


class Limits(unittest.TestCase):
    assertProblem = SyncCase.assertProblem

    def post(self, server, lines, media=NDJSON, query='mode=full&mesh=*', **more):
        connection = server.connect()
        try:
            return server.post(f'/v1/zones/east/sync?{query}', lines, {'Content-Type': media}, connection=connection, **more)
        finally:
            connection.close()

    def server(self, *flags):
        server = Server(*flags)
        self.addCleanup(server.close)
        return server

    def test_a_hundred_thousand_items_and_one(self):
        server = self.server()
        before = server.revision()
        lines = [f'{{"name":"s{i:06}"}}' for i in range(100_001)]
        texts = {NDJSON: '\n'.join(lines) + '\n', 'application/json': '{"items":[' + ','.join(lines) + ']}'}
        for media, text in texts.items():
            self.assertProblem(self.post(server, text, media), 413, 'body-too-large', '100000')
            self.assertEqual(server.revision(), before)
        answer = self.post(server, '\n'.join(lines[:-1]) + '\n', query='mode=full&mesh=*&dryRun=true&return=none')
        self.assertEqual((answer.status, answer.json()['summary']['created']), (200, 100_000))
        self.assertEqual((server.revision(), server.stream()[0]), (before, []))

    def test_flags(self):
        server = self.server('--max-sync-items', '3', '--max-sync-body', '4KiB')
        before = server.revision()
        lines = [f'{{"name":"s{i}"}}\n' for i in range(4)]
        for query in ('mode=full&mesh=*', 'mode=delta'):
            self.assertProblem(self.post(server, ''.join(lines), query=query), 413, 'body-too-large', '3')
            large = json.dumps({'name': 'a', 'spec': {'text': 'x' * 5000}}) + '\n'
            self.assertProblem(self.post(server, large, query=query), 413, 'body-too-large', '4096')
            self.assertProblem(self.post(server, '{"items":[' + large + ']}', 'application/json', query), 413, 'body-too-large')
            self.assertProblem(self.post(server, iter([large.encode()] * 3), query=query), 413, 'body-too-large')
        self.assertEqual(server.revision(), before)
        self.assertEqual(self.post(server, ''.join(lines[:3])).json()['summary']['created'], 3)
        self.assertProblem(server.post('/v1/lookup', b'{"items":[' + b' ' * 300_000 + b']}'), 413, 'body-too-large', '262144')
        self.assertProblem(server.put('/v1/pools/p', b'{"cidrs":[' + b' ' * 1_100_000 + b']}'), 413, 'body-too-large', '1048576')


if __name__ == '__main__':
    unittest.main()

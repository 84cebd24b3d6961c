"""HTTP over connections that are kept, cut off, slow or gone."""
import socket
import threading
import unittest
from unittest import mock

import commands_path  # noqa: F401
from scripted import HANG, OK, Script, ok
from shared import client
from shared.client import CUT_OFF, LATE, ODD, UNREACHABLE, Client, Request, TransferError, many
from shared.failure import Failure
from shared.places import place_of
from shared.server import Server, is_json, member_of, read_json, split_login


class Case(unittest.TestCase):
    def script(self, *connections):
        script = Script(*connections)
        self.addCleanup(script.close)
        return script

    def client(self, script):
        made = Client(place_of(script.url))
        self.addCleanup(made.close)
        return made

    def fails(self, kind, act):
        with self.assertRaises(TransferError) as caught:
            act()
        self.assertEqual(caught.exception.kind, kind, caught.exception)


class One(Case):
    def test_a_connection_is_kept(self):
        script = self.script([ok(b'1'), ok(b'2'), ok(b'3')])
        c = self.client(script)
        self.assertEqual([c.whole('GET', f'/{i}').body for i in range(3)], [b'1', b'2', b'3'])
        self.assertRegex(script.seen[0][0], r'^GET /0 HTTP/1.1\r\nHost: 127.0.0.1:\d+\r\nUser-Agent: holdfast\r\nAccept: \*/\*\r\n\r\n$')

    def test_a_connection_that_was_closed_is_made_again(self):
        script = self.script([ok(b'1')], [ok(b'2')])
        c = self.client(script)
        self.assertEqual(c.whole('GET', '/').body, b'1')
        script.threads[0].join()
        self.assertEqual(c.whole('DELETE', '/').body, b'2', 'the request was not sent before')

    def test_a_request_that_was_sent_is_repeated_only_if_it_may_be(self):
        script = self.script([ok(), b''], [ok(b'2'), b''])
        c = self.client(script)
        c.whole('GET', '/')
        self.assertEqual(c.whole('PUT', '/', b'body').body, b'2')
        self.fails(UNREACHABLE, lambda: c.whole('DELETE', '/'))
        self.assertEqual([head.split()[0] for head, _ in script.seen], ['GET', 'PUT', 'PUT', 'DELETE'])

    def test_the_answer_that_is_the_last(self):
        """Of a server that says that it closes, and of one that speaks HTTP/1.0."""
        script = self.script([OK.replace(b'OK\r\n', b'OK\r\nConnection: close\r\n') % (1, b'1')], [b'HTTP/1.0 200 OK\r\n\r\nto the end'], [ok(b'3')])
        c = self.client(script)
        self.assertEqual([c.whole('GET', '/').body for _ in range(3)], [b'1', b'to the end', b'3'])

    def test_bodies(self):
        chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\nb\r\n3\r\nc\nd\r\n0\r\n\r\n'
        script = self.script([chunked, chunked, lambda head, body: ok(b'%d' % len(body)), ok(b'a' * 100)])
        c = self.client(script)
        self.assertEqual(list(c.request('GET', '/').lines()), [b'a', b'bc', b'd'])
        self.assertEqual(c.whole('GET', '/').body, b'a\nbc\nd')
        self.assertEqual(c.whole('POST', '/', b'x' * 3000000).body, b'3000000')
        self.assertEqual(c.request('GET', '/').start(10), b'a' * 10)

    def test_what_goes_wrong(self):
        for answer, kind in ((b'', UNREACHABLE), (ok(b'12')[:-1], CUT_OFF), (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', CUT_OFF),
                             (b'hello\r\n\r\n', ODD), (b'HTTP/1.1 200 OK\r\nA: ' + b'b' * 70000 + b'\r\n\r\n', ODD),
                             (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', CUT_OFF)):
            c = self.client(self.script([answer]))
            self.fails(kind, lambda c=c: c.whole('GET', '/'))
        with socket.socket() as unused:
            unused.bind(('127.0.0.1', 0))  # and does not listen
            self.fails(UNREACHABLE, lambda: Client(place_of(f'http://127.0.0.1:{unused.getsockname()[1]}')).whole('GET', '/'))

    def test_an_answer_that_does_not_come_or_pauses(self):
        for answer in (HANG, ok(b'12')[:10] + HANG, ok(b'12')[:-1] + HANG):
            self.fails(LATE, lambda answer=answer: self.client(self.script([answer])).whole('GET', '/', patience=0.05))
            with mock.patch.object(client._Limits.left, '__defaults__', (0.05,)):
                self.fails(LATE, lambda answer=answer: self.client(self.script([answer])).whole('GET', '/'))

    def test_a_refusal_of_a_body_is_read_though_the_rest_cannot_be_sent(self):
        with socket.create_server(('127.0.0.1', 0)) as server:
            def serve():
                connection = server.accept()[0]
                connection.recv(100)
                connection.sendall(b'HTTP/1.1 413 Too Large\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx')
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 20):
                    pass
                connection.close()
            thread = threading.Thread(target=serve)
            thread.start()
            c = Client(place_of(f'http://127.0.0.1:{server.getsockname()[1]}'))
            answer = c.whole('POST', '/', b'x' * 3000000)
            self.assertEqual((answer.status, answer.body), (413, b'x'))
            thread.join()


class Many(Case):
    def test_in_order_over_some_connections(self):
        def answer(head, _body):
            return ok(head.split()[1].encode())
        script = self.script(*[[answer] * 1000 for _ in range(16)])
        answers = many(self.client(script), (Request('GET', f'/{i}') for i in range(1000)))
        self.assertEqual([a.body.decode() for a in answers], [f'/{i}' for i in range(1000)])
        self.assertLessEqual(len(script.threads), 16)

    def test_requests_are_taken_as_there_is_room(self):
        taken = []

        def requests():
            for i in range(1000):
                taken.append(i)
                yield Request('GET', '/')
        script = self.script(*[[ok()] * 1000 for _ in range(16)])
        answers = many(self.client(script), requests())
        next(answers)
        self.assertLessEqual(len(taken), 64)
        answers.close()

    def test_after_the_first_failure_nothing_more_is_sent(self):
        script = self.script([ok(b'1'), ok(b'not JSON'), b''], [b''])
        with mock.patch('shared.server.many', lambda c, requests: many(c, requests, lanes=1)), self.assertRaises(Failure) as caught:
            list(Server(script.url).many([Request('PUT', '/', b'{}')] * 10))
        self.assertEqual(caught.exception.status, 3)
        self.assertEqual(len(script.seen), 4, 'the one that failed was sent twice')

    def test_answers_come_before_the_failure(self):
        script, answers = self.script([ok(b'1'), ok(b'not JSON'), b''], [b'']), []
        with mock.patch('shared.server.many', lambda c, requests: many(c, requests, lanes=1)), self.assertRaises(Failure):
            for answer in Server(script.url).many([Request('PUT', '/', b'{}')] * 10):
                answers.append(answer)
        self.assertEqual(answers, [1] + [None] * 9)


class Answers(Case):
    """What a Server makes of answers."""

    def server(self, *answers):
        return Server(self.script(list(answers)).url)

    def ends(self, status, words, act):
        with self.assertRaises(Failure) as caught:
            act()
        self.assertEqual(caught.exception.status, status)
        self.assertRegex(caught.exception.words, words)

    def test_pages(self):
        server = self.server(ok(b'{"items":[1],"continue":"a/b","x":1}'), ok(b'{"items":[2],"continue":null,"x":2}'))
        self.assertEqual(server.all_pages('/v1/zones'), {'items': [1, 2], 'continue': None, 'x': 2})
        server = self.server(*[ok(b'{"items":[1],"continue":"a"}')] * 2)
        self.ends(3, 'is not what a Holdfast server answers', lambda: server.all_pages('/v1/zones'))

    def test_what_must_be_in_it(self):
        self.assertEqual([member_of(target) for target in ('/v1/status', '/v1/zones?x=/sync', '/v1/zones/a', '/v1/zones/a/sync?b', '/v1/addresses/a/history',
                                                            '/v1/pools/p', '/v1/meshes/m/zones/z/services/s', '/v1/changes')],
                         ['storeId', 'items', 'zone', 'results', 'items', 'pool', 'service', 'changes'])
        for body in (b'', b'{}', b'[]', b'1', b'{"items":{}}', b'{"items":[]}{}', b'{"items":NaN}'):
            self.ends(3, 'is not what', lambda body=body: self.server(ok(body)).ask('GET', '/v1/zones'))

    def test_streams(self):
        server = self.server(ok(b'{"a":1}\n\n{"a":2}\n'), ok(b'{"a":1}\n{'))
        self.assertEqual(list(server.stream('/v1/leases')), [{'a': 1}, {'a': 2}])
        self.ends(3, 'is not what', lambda: list(server.stream('/v1/leases')))

    def test_problems(self):
        def problem(status, body):
            return b'HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s' % (status, len(body), body)
        for status, body, ends, words in ((400, b'{"code":"bad","detail":"so"}', 1, '^bad: so$'), (503, b'{"code":"bad"}', 3, '^bad: null$'),
                                          (400, b'<html>', 1, '^the server answered HTTP 400$'), (404, b'{}', 3, 'is not what'), (302, b'', 3, 'is not what'),
                                          (507, b'{"code":"full","detail":"x"}', 1, '^full: x hint$'), (502, b'', 3, 'HTTP 502')):
            server = self.server(problem(status, body))
            server.advice['full'] = 'hint'
            self.ends(ends, words, lambda server=server: server.ask('GET', '/v1/zones'))

    def test_json(self):
        self.assertEqual(read_json(b'"\\ud83d\\ude00 \\ud800 \xff"'), '\U0001f600 \ufffd \ufffd')
        self.assertEqual(read_json(b'{"\\udc80":["\\udfff"]}'), {'\ufffd': ['\ufffd']})
        for media, is_it in (('application/json', True), ('Application/JSON ; charset=utf-8', True), ('text/html', False), ('', False)):
            self.assertEqual(is_json(media), is_it)

    def test_passwords_are_never_shown(self):
        self.assertEqual(split_login('http://a:b@c/d@e'), ('http://c/d@e', 'a:b'))
        self.assertEqual(split_login('http://c/d'), ('http://c/d', ''))
        for url in ('http://a:secret@b?c', 'http://a:secret@', 'http://a:sec/ret@b', 'http://a:secret%0a@b', 'http://a:secret@b c'):
            with self.assertRaises(Failure) as caught:
                Server(url)
            self.assertEqual(caught.exception.status, 2)
            self.assertNotIn('sec', caught.exception.words)


if __name__ == '__main__':
    unittest.main()

"""What a request's head and its framing may look like: each shape has one answer, and nothing is smuggled behind it.

A row is what is sent before a second request, and the statuses of all answers on the connection. 'CLOSED' at the end says that the second
request is not carried out and the connection is closed; otherwise the second one must be answered too, as a PUT that makes a lease.
libmicrohttpd answers some shapes itself; those have HTML bodies, and docs/running.md lists them. Should another version of it lay out
a head differently, the first rows fail.
"""
import re
import unittest

from harness import Server, ServerCase, lease_path

HOST = b'Host: localhost\r\n'
LOOKUP = b'POST /v1/lookup HTTP/1.1\r\n' + HOST + b'Content-Type: application/json\r\n'
ITEMS = b'{"items":[]}'
CHUNKED = b'Transfer-Encoding: chunked\r\n\r\n'
CHUNKS = b'c\r\n' + ITEMS + b'\r\n0\r\n\r\n'
GET = b'GET /v1/status HTTP/1.1\r\n'
CLOSED = 'CLOSED'


def lookup(headers, body=ITEMS):
    return LOOKUP + headers + b'\r\n\r\n' + body


def chunks(body, headers=b''):
    return LOOKUP + headers + CHUNKED + body


# What libmicrohttpd reads well, and we take as it is.
TAKEN = {
    'a plain body': (lookup(b'Content-Length: 12'), [200]),
    'a length with a zero before it': (lookup(b'Content-Length: 012'), [200]),
    'a length after two blanks': (lookup(b'Content-Length:  12'), [200]),
    'a length after a tab': (lookup(b'Content-Length:\t12'), [200]),
    'a length right after the colon': (lookup(b'Content-Length:12'), [200]),
    'a header without a value': (lookup(b'X:\r\nContent-Length: 12'), [200]),
    'a value with a tab and UTF-8': (lookup(b'X: a\tb \xc3\xa9\r\nContent-Length: 12'), [200]),
    'each character of a token': (lookup(b"!#$%&'*+-.^_`|~09azAZ: x\r\nContent-Length: 12"), [200]),
    'a cookie': (lookup(b'Cookie: a=b; c="d"; e\r\nContent-Length: 12'), [200]),
    'a value with a colon, and blanks at its end': (lookup(b'X: a: b  \r\nContent-Length: 12'), [200]),
    'chunks': (chunks(CHUNKS), [200]),
    'Chunked': (lookup(b'Transfer-Encoding: Chunked', CHUNKS), [200]),
    'CHUNKED': (lookup(b'Transfer-Encoding: CHUNKED', CHUNKS), [200]),
    'chunks after a tab': (lookup(b'Transfer-Encoding:\tchunked', CHUNKS), [200]),
    'chunk extensions': (chunks(b'c;a=b;c="d"\r\n' + ITEMS + b'\r\n0;x\r\n\r\n'), [200]),
    'a chunk size with zeros before it': (chunks(b'0' * 4000 + CHUNKS), [200]),
    'trailers': (chunks(CHUNKS[:-2] + b'Content-Length: 5\r\nX: y\r\n\r\n'), [200]),
    'GET with a body': (GET + HOST + b'Content-Length: 12\r\n\r\n' + ITEMS, [200]),
    'GET with chunks': (GET + HOST + CHUNKED + CHUNKS, [200]),
    'Expect: 100-continue': (lookup(b'Expect: 100-continue\r\nContent-Length: 12'), [100, 200]),
    'Expect of something else': (lookup(b'Expect: nonsense\r\nContent-Length: 12'), [200]),
    'a later minor version': (GET.replace(b'1.1', b'1.9') + HOST + b'\r\n', [200]),
    'empty lines before it': (b'\r\n' * 1000 + GET + HOST + b'\r\n', [200]),
    'a hundred requests': ((b'GET /livez HTTP/1.1\r\n' + HOST + b'\r\n') * 100, [200] * 100),
    'the absolute form': (b'GET http://localhost/v1/status HTTP/1.1\r\n' + HOST + b'\r\n', [200]),
    'the absolute form, HTTP': (b'GET HTTP://localhost:1/v1/status HTTP/1.1\r\nHost: of-no-interest\r\n\r\n', [200]),
    'the absolute form of https': (b'GET https://LOCALHOST/v1/status HTTP/1.1\r\n' + HOST + b'\r\n', [200]),
    'the absolute form without a path': (b'GET http://localhost HTTP/1.1\r\n' + HOST + b'\r\n', [404]),
    'the asterisk form': (b'OPTIONS * HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    'another method': (b'BREW /v1/status HTTP/1.1\r\n' + HOST + b'\r\n', [405]),
    'CONNECT': (b'CONNECT localhost:443 HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    '%00': (b'GET /v1/zones/a%00b HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    'a percent sign twice encoded': (b'GET /v1/zones/%2561 HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    'encoded dots': (b'GET /v1/zones/%2e%2e%2fstatus HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    'bytes that are not UTF-8': (b'GET /v1/zones/\xff\xfe HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    'an overlong slash': (b'GET /v1/zones/%c0%af HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    'half an escape': (b'GET /v1/zones/a% HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    'a body for a path that is not there': (b'POST /nope HTTP/1.1\r\n' + HOST + b'Content-Length: 12\r\n\r\n' + ITEMS, [404]),
    'an upgrade to HTTP/2': (b'GET /livez HTTP/1.1\r\n' + HOST + b'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n'
                             b'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n', [200]),
}

# What only seems to be right: RFC 9112 has it refused, or it is read in two ways. The problem names it.
REFUSED = {
    'two lengths': (lookup(b'Content-Length: 4\r\nTransfer-Encoding: chunked', CHUNKS), 'exclude each other'),
    'two lengths, the other way': (lookup(b'Transfer-Encoding: chunked\r\nContent-Length: 4', CHUNKS), 'exclude each other'),
    'a length twice': (lookup(b'Content-Length: 12\r\nContent-Length: 12'), 'Content-Length is given twice'),
    'a length, then another': (lookup(b'Content-Length: 12\r\nContent-Length: 0'), 'Content-Length is given twice'),
    **{f'length {text}': (lookup(b'Content-Length: ' + text), 'Content-Length')
       for text in (b'12, 12', b'+12', b'-12', b'0x0c', b'12 ', b'1_2', b'12\t', b'12abc', b'', b'1 2', b'12,')},
    **{f'coding {text}': (lookup(b'Transfer-Encoding: ' + text, CHUNKS), 'Transfer-Encoding')
       for text in (b'chunked ', b'chunked, identity', b'identity', b'identity, chunked', b'gzip, chunked', b'xchunked', b'\x0bchunked',
                    b'chunked\x00', b'chunked;q=1', b'"chunked"', b'', b'chunked,')},
    'chunked twice': (lookup(b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', CHUNKS), 'Transfer-Encoding is given twice'),
    'chunks in HTTP/1.0': (chunks(CHUNKS).replace(b'HTTP/1.1', b'HTTP/1.0'), 'Transfer-Encoding'),
    'a request as the body of an unknown coding': (lookup(b'Transfer-Encoding: identity', b''), 'Transfer-Encoding'),
    'a folded length': (lookup(b'Content-Length: 1\r\n 2'), 'folded'),
    'a folded coding': (lookup(b'Transfer-Encoding: chun\r\n ked', CHUNKS), 'folded'),
    'a folded last header': (lookup(b'Content-Length: 12\r\nX: a\r\n\tb'), 'folded'),
    'an empty fold': (lookup(b'Content-Length: 12\r\nX: a\r\n \r\nY: b'), 'folded'),
    'folds in a large head': (lookup(b'Content-Length: 12\r\n' + b'X: %s\r\n b\r\n' % (b'a' * 150) * 50), 'folded'),
    'a fold before the first header': (LOOKUP.replace(b'1\r\nHost', b'1\r\n X: y\r\nHost') + b'Content-Length: 12\r\n\r\n' + ITEMS, 'name'),
    'a blank before a colon': (lookup(b'Content-Length : 12'), 'a space, a tab'),
    'a tab before a colon': (lookup(b'Content-Length\t: 12'), 'a space, a tab'),
    'a coding with a blank before the colon, and a length': (lookup(b'Transfer-Encoding : chunked\r\nContent-Length: 22', CHUNKS), 'a space, a tab'),
    'a coding with a blank before the colon': (lookup(b'Transfer-Encoding : chunked', CHUNKS), 'a space, a tab'),
    'lines that end with LF': (lookup(b'Content-Length: 12').replace(b'\r\n', b'\n'), 'CR LF'),
    'an empty line that is LF alone': (LOOKUP + b'Content-Length: 12\r\n\n' + ITEMS, 'CR LF'),
    'a value with LF in it': (lookup(b'X: a\nContent-Length: 12'), 'CR LF'),
    'a value with CR in it': (lookup(b'X: a\rContent-Length: 0\r\nContent-Length: 12'), 'control character'),
    **{f'a value with control character {n}': (lookup(b'X: a%cb\r\nContent-Length: 12' % n), 'control character')
       for n in (1, 8, 11, 12, 14, 27, 31, 127)},
    'a value with a NUL in it': (lookup(b'X: a\0b\r\nContent-Length: 12'), 'NUL'),
    'two NULs that look like a line end': (lookup(b'X: a\0\0Y: b\r\nContent-Length: 12'), 'folded'),
    'two NULs in the last header': (lookup(b'Content-Length: 12\r\nX: a\0\0Y: b'), 'folded'),
    'a length with a NUL in it': (lookup(b'Content-Length: 12\0, 0'), 'NUL'),
    'a name with a character that no token has': (lookup(b'X(a): b\r\nContent-Length: 12'), 'name'),
    'a name that is not ASCII': (lookup(b'X\xc3\xa9: b\r\nContent-Length: 12'), 'name'),
    'a name with a control character': (lookup(b'X\x1b: b\r\nContent-Length: 12'), 'name'),
    'no name': (LOOKUP.replace(b'1\r\nHost', b'1\r\n: x\r\nHost') + b'Content-Length: 12\r\n\r\n' + ITEMS, 'name'),
    'a line that begins with a colon': (b'GET /livez HTTP/1.1\r\n' + HOST + b': y\r\n', 'colon'),
    'a line that is a colon': (b'GET /livez HTTP/1.1\r\n' + HOST + b':\r\n', 'colon'),
    'no Host': (GET + b'\r\n', 'Host is missing'),
    'two Hosts': (GET + HOST + HOST + b'\r\n', 'Host is given twice'),
    'two Hosts in HTTP/1.0': (GET.replace(b'1.1', b'1.0') + HOST + b'host: a\r\n\r\n', 'Host is given twice'),
    # What comes next would not be in its place either, and is refused in other words.
    'a request line that ends with LF': (GET.replace(b'\r\n', b'\n') + HOST + b'\r\n', 'the request line does not end with CR LF'),
    'a request line that ends with LF, and no header': (b'GET /livez HTTP/1.0\n\r\n', 'after the request line, a line is folded'),
    'a line that is LF alone after the request line': (b'GET /livez HTTP/1.0\n\n', 'after the request line, a line is folded'),
    'blanks in the target': (b'GET /v1/status HTTP/1.1 HTTP/1.1\r\n' + HOST + b'\r\n', 'request line'),
    'two blanks before the target': (b'GET  /v1/status HTTP/1.1\r\n' + HOST + b'\r\n', 'request line'),
    'two blanks behind the target': (b'GET /v1/status  HTTP/1.1\r\n' + HOST + b'\r\n', 'request line'),
    'a NUL in the target': (b'GET /v1/sta\0tus HTTP/1.1\r\n' + HOST + b'\r\n', 'request line'),
    'a control character in the target': (b'GET /v1/sta\x1btus HTTP/1.1\r\n' + HOST + b'\r\n', 'request line'),
    'a tab in the target': (b'GET /v1/status?a\tb HTTP/1.1\r\n' + HOST + b'\r\n', 'request line'),
    'a method with a control character': (b'G\x1bET /livez HTTP/1.1\r\n' + HOST + b'\r\n', 'request line'),
    'a method that is no token': (b'G(ET /livez HTTP/1.1\r\n' + HOST + b'\r\n', 'request line'),
}

# Refused by libmicrohttpd before anything of ours sees them, or in the middle of a body.
BY_THE_LIBRARY = {
    'a header without a colon': (lookup(b'garbage\r\nContent-Length: 12'), [400]),
    'a NUL in a name': (LOOKUP + b'Con\0tent-Length: 12\r\n\r\n', [400]),
    'a chunk size with blanks': (chunks(b'c \r\n' + ITEMS + b'\r\n0\r\n\r\n'), [400]),
    'a chunk size 0x': (chunks(b'0xc\r\n' + ITEMS + b'\r\n0\r\n\r\n'), [400]),
    'a chunk size -1': (chunks(b'-1\r\n' + ITEMS), [400]),
    'a chunk size of 2^64': (chunks(b'10000000000000000\r\n' + ITEMS), [413]),
    'a chunk longer than its size': (chunks(b'5\r\n' + ITEMS + b'\r\n0\r\n\r\n'), [400]),
    'a chunk extension of 30 KiB': (chunks(b'c;' + b'a' * 30720 + b'\r\n' + ITEMS + b'\r\n0\r\n\r\n'), [500]),
    'HTTP/2': (GET.replace(b'1.1', b'2.0') + HOST + b'\r\n', [505]),
    'the beginning of HTTP/2': (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0', [505]),
    'a version with a NUL in it': (b'GET /livez HTTP/1.1\0x\r\n' + HOST + b'\r\n', [400]),
    'a version with two NULs in it': (b'GET /livez HTTP/1.1\0\0Y: b\r\n' + HOST + b'\r\n', [400]),
    'HTTP/0.9': (b'GET /v1/status\r\n\r\n', [400]),
    'no target': (b'GET  HTTP/1.1\r\n' + HOST + b'\r\n', [400]),
    'a method alone': (b'GET\r\n\r\n', []),
    'TLS': (bytes.fromhex('16030100f4010000f00303') + b'\n' * 2, []),
    'a query of 100 KiB': (b'GET /v1/leases?zone=' + b'a' * 100000 + b' HTTP/1.1\r\n' + HOST + b'\r\n', [414]),
    'a method of 30 KiB': (b'A' * 30720 + b' /livez HTTP/1.1\r\n' + HOST + b'\r\n', [414]),
    '100,000 headers': (GET + HOST + b'A: b\r\n' * 100000 + b'\r\n', [431]),
}

CLOSING = {
    'Connection: close': (b'GET /livez HTTP/1.1\r\n' + HOST + b'Connection: close\r\n\r\n', [200]),
    'HTTP/1.0': (GET.replace(b'1.1', b'1.0') + b'\r\n', [200]),
    'HTTP/1.0 with a Host': (GET.replace(b'1.1', b'1.0') + HOST + b'\r\n', [200]),
    'a head of 17 KiB': (GET + HOST + b'X: ' + b'a' * 17000 + b'\r\n\r\n', [431]),
    'a head of 17 KiB and two lengths': (lookup(b'X: ' + b'a' * 17000 + b'\r\nContent-Length: 4\r\nTransfer-Encoding: chunked', CHUNKS), [400]),
    'a head of 17 KiB and a length twice': (lookup(b'X: ' + b'a' * 17000 + b'\r\nContent-Length: 12\r\nContent-Length: 0'), [400]),
    'a head of 17 KiB and a coding in HTTP/1.0': (lookup(b'X: ' + b'a' * 17000 + b'\r\nTransfer-Encoding: chunked', CHUNKS)
                                                  .replace(b'HTTP/1.1', b'HTTP/1.0'), [400]),
    'a length beyond 64 bits': (lookup(b'Content-Length: 99999999999999999999999'), [413]),
    'a length of 2^64 - 1': (lookup(b'Content-Length: 18446744073709551615'), [413]),
    'a query of 300 parameters': (b'GET /v1/leases?' + b'a&' * 299 + b' HTTP/1.1\r\n' + HOST + b'\r\n', [431]),
    '300 headers': (GET + HOST + b'A: b\r\n' * 300 + b'\r\n', [431]),
}


class Shapes(ServerCase):
    """Each shape, followed by a request that must be carried out, or must not be."""

    def statuses(self, data, name):
        """The statuses of all answers to `data` and a PUT behind it, whether that was carried out, and what came back."""
        path = lease_path(name)
        behind = f'PUT {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'.encode()
        answer = self.server.raw(data + behind, end=True)
        found = [int(status) for status in re.findall(rb'(?:^|(?<=\n)|(?<=>))HTTP/1\.1 (\d{3}) ', answer)]
        return found, self.server.get(path).status == 200, answer

    def each(self, table, judge):
        """Calls judge(expected, statuses, carried out, answer) for each row."""
        for n, (shape, (data, expected)) in enumerate(table.items()):
            with self.subTest(shape):
                judge(expected, *self.statuses(data, f'{self.name()}-{n}'))
        self.assertEqual(self.server.get('/readyz').status, 200)

    def test_taken(self):
        self.each(TAKEN, lambda expected, found, carried_out, answer:
                  self.assertEqual((found, carried_out), (expected + [201], True), answer[:400]))

    def test_refused(self):
        def judge(named, found, carried_out, answer):
            self.assertEqual((found, carried_out), ([400], False), answer)
            self.assertIn(b'\r\nConnection: close\r\n', answer)
            self.assertIn(b'"code":"invalid-parameter"', answer)
            self.assertIn(named.encode(), answer)
        self.each(REFUSED, judge)

    def test_refused_by_the_library(self):
        self.each(BY_THE_LIBRARY, lambda expected, found, carried_out, answer:
                  self.assertEqual((found, carried_out), (expected, False), answer[:400]))

    def test_closing(self):
        def judge(expected, found, carried_out, answer):
            self.assertEqual((found, carried_out), (expected, False), answer[:400])
            self.assertIn(b'\r\nConnection: close\r\n', answer)
        self.each(CLOSING, judge)

    def test_lenient_chunks_smuggle_nothing(self):
        """libmicrohttpd takes a bare LF where chunks want CR LF. What follows the last chunk is the next request, as for everybody."""
        for n, body in enumerate((b'c;a\nb\r\n' + ITEMS + b'\r\n0\r\n\r\n', b'c\n' + ITEMS + b'\n0\n\n')):
            found, carried_out, answer = self.statuses(chunks(body), f'lenient-{n}')
            self.assertIn((found, carried_out), (([400], False), ([200, 201], True)), answer)

    def test_a_head_in_pieces_is_read_alike(self):
        """However it arrives: the head's buffer grows, and is used again by the next request."""
        many = b''.join(b'X-%d: %s\r\n' % (i, b'v' * 90) for i in range(90))
        good, folded = lookup(many + b'Content-Length: 12'), lookup(many + b'Y: a\r\n b\r\nContent-Length: 12')
        for request, status in ((good, b'200'), (folded, b'400')):
            for size in (1, 700, 4096):
                if size == 1 and request is good:
                    continue  # enough that the other one is
                with self.subTest((status, size)), self.server.socket() as s:
                    s.sendall(lookup(b'Content-Length: 12'))
                    self.assertTrue(s.recv(65536).startswith(b'HTTP/1.1 200 '))
                    for at in range(0, len(request), size):
                        s.sendall(request[at:at + size])
                    self.assertTrue(s.recv(65536).startswith(b'HTTP/1.1 %s ' % status))

    def test_answers_keep_the_connection(self):
        """Also GET, HEAD and what is refused for what it asks, not for how it is framed."""
        for method, target, status in (('GET', '/v1/status', 200), ('HEAD', '/v1/status', 200), ('GET', '/v1/none', 404),
                                       ('GET', '/v1/leases?x', 400), ('DELETE', '/v1/status', 405), ('PUT', lease_path('kept'), 200)):
            with self.subTest((method, target)), self.server.socket() as s:
                for _ in range(3):
                    s.sendall(f'{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
                    answer = s.recv(65536)
                    self.assertIn(int(answer[9:12]), (status, 201), answer)
                    self.assertNotIn(b'Connection:', answer)


class Expectations(ServerCase):
    """A client that waits for 100 Continue is not asked for a body that is refused anyway."""

    def test_what_is_refused_is_refused_at_once(self):
        path = lease_path('expecting').encode()
        json = b'Content-Type: application/json\r\n'
        for shape, line, headers, status in (
                ('too large', b'PUT ' + path, json + b'Content-Length: 307200\r\n', b'413'),
                ('no such path', b'POST /v1/zone/e/sync', json + b'Content-Length: 3072000\r\n', b'404'),
                ('another method', b'POST ' + path, json + b'Content-Length: 12\r\n', b'405'),
                ('no media type', b'PUT ' + path, b'Content-Length: 12\r\n', b'415'),
                ('another media type', b'PUT ' + path, b'Content-Type: text/plain\r\nContent-Length: 12\r\n', b'415'),
                ('a coding', b'PUT ' + path, json + b'Content-Encoding: gzip\r\nContent-Length: 12\r\n', b'415'),
                ('chunks of another type', b'PUT ' + path, b'Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n', b'415'),
                ('an unknown parameter', b'PUT ' + path + b'?x', json + b'Content-Length: 12\r\n', b'400'),
                ('another page', b'PUT ' + path, json + b'Origin: http://a.example\r\nContent-Length: 12\r\n', b'403')):
            with self.subTest(shape):
                answer = self.server.raw(line + b' HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n' + headers + b'\r\n')
                self.assertTrue(answer.startswith(b'HTTP/1.1 %s ' % status), answer)
                self.assertIn(b'\r\nConnection: close\r\n', answer)

    def test_what_is_taken_is_asked_for(self):
        with self.server.socket() as s:
            s.sendall(b'PUT %s HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n'
                      % lease_path('asked').encode())
            self.assertEqual(s.recv(4096), b'HTTP/1.1 100 Continue\r\n\r\n')
            s.sendall(b'{}')
            self.assertTrue(s.recv(4096).startswith(b'HTTP/1.1 201 '))


class LargeBodies(unittest.TestCase):
    """The sender of a body that is refused gets the refusal, although it has not finished sending: the connection is not reset."""

    def sent(self, server, head, pieces):
        with server.socket() as s:
            s.sendall(head)
            for piece in pieces:
                s.sendall(piece)  # would fail if the connection were reset
            answer = b''
            while chunk := s.recv(65536):
                answer += chunk
            return answer

    def test_the_refusal_can_be_read(self):
        server = Server()
        self.addCleanup(server.close)
        put = b'PUT %s HTTP/1.1\r\nHost: localhost\r\n' % lease_path('large').encode()
        json, piece = b'Content-Type: application/json\r\n', b' ' * (1 << 20)
        chunk = b'100000\r\n' + piece + b'\r\n'
        for shape, head, pieces, status in (
                ('a length beyond what is read', put + json + b'Content-Length: 25165824\r\n\r\n', [piece] * 24, b'413'),
                ('chunks beyond what is read', put + json + CHUNKED, [chunk] * 24, b'413'),
                ('a head that is wrong', put + json + b'X : y\r\nContent-Length: 4194304\r\n\r\n', [piece] * 4, b'400'),
                ('a length that is none', put + json + b'Content-Length: 4194304,\r\n\r\n', [piece] * 4, b'400'),
                ('a head that is too large', put + json + b'X: ' + b'y' * 17000 + b'\r\nContent-Length: 4194304\r\n\r\n', [piece] * 4, b'431'),
                ('an endless head', put + b'X: ', [piece] * 4, b'431')):
            with self.subTest(shape):
                answer = self.sent(server, head, pieces)
                self.assertTrue(answer.startswith(b'HTTP/1.1 %s ' % status), answer)
        self.assertEqual(server.get('/readyz').status, 200)


if __name__ == '__main__':
    unittest.main()

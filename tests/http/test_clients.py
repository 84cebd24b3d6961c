"""Clients that misbehave, one by one: whatever they send and however they leave, nothing of theirs stays behind."""
import select
import unittest

from harness import ServerCase, eventually, undisturbed
from test_metrics import Metrics

GET, POST, HOST = b'GET /livez HTTP/1.1\r\n', b'POST /v1/lookup HTTP/1.1\r\n', b'Host: localhost\r\n'
CHUNKED = POST + HOST + b'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
SHAPES = {
    'a good request': GET + HOST + b'\r\n',
    'two good requests': 2 * (GET + HOST + b'\r\n'),
    'a Content-Length that is no number': GET + HOST + b'Content-Length: x\r\n\r\n',
    'a Content-Length beyond 64 bits': GET + HOST + b'Content-Length: 99999999999999999999999\r\n\r\n',
    'a header without a colon': GET + HOST + b'garbage\r\n\r\n',
    'an empty header name': GET + HOST + b': x\r\nA: b\r\n\r\n',
    '310 parameters': b'GET /livez?' + b'&' * 310 + b' HTTP/1.1\r\n' + HOST + b'\r\n',
    '310 parameters, and another request': b'GET /livez?' + b'&' * 310 + b' HTTP/1.1\r\n' + HOST + b'\r\n' + GET + HOST + b'\r\n',
    '8000 parameters': b'GET /livez?' + b'&' * 8000 + b' HTTP/1.1\r\n' + HOST + b'\r\n',  # libmicrohttpd gives it up without a word
    'a good request, and 8000 parameters': GET + HOST + b'\r\nGET /livez?' + b'&' * 8000 + b' HTTP/1.1\r\n' + HOST + b'\r\n',
    'too many headers': GET + HOST + b'A: b\r\n' * 1000 + b'\r\n',
    'too large a header': GET + HOST + b'A: ' + b'b' * 30000 + b'\r\n\r\n',
    'too large a cookie': GET + HOST + b'Cookie: ' + b'a=b;' * 3000 + b'\r\n\r\n',
    'too long a path': b'GET /' + b'b' * 30000 + b' HTTP/1.1\r\n' + HOST + b'\r\n',
    'HTTP/2.0': b'GET /livez HTTP/2.0\r\n' + HOST + b'\r\n',
    'a method alone': b'GET\r\n\r\n',
    'no path': b'GET  HTTP/1.1\r\n' + HOST + b'\r\n',
    'a chunk without a size': CHUNKED + b'zz\r\n',
    'a chunk beyond 64 bits': CHUNKED + b'10000000000000000\r\n',
    'too long an extension of a chunk': CHUNKED + b'1;' + b'a' * 30000,
    'too large trailers': CHUNKED + b'0\r\nX: ' + b'a' * 30000,
    'two lengths': POST + HOST + b'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'half a request line': b'GET /liv',
    'half a head': GET + HOST + b'A: ',
    'half a body': POST + HOST + b'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    'half a sync': b'POST /v1/zones/a/sync?mode=delta HTTP/1.1\r\n' + HOST + b'Content-Type: application/x-ndjson\r\nContent-Length: 100\r\n\r\n{',
    'a sync that is too large': b'POST /v1/zones/a/sync?mode=delta HTTP/1.1\r\n' + HOST +
                                b'Content-Type: application/json\r\nContent-Length: 999999999999\r\n\r\n{',
}


class ClientCase(ServerCase):
    def metrics(self):
        return Metrics(self.server.get('/metrics').body.decode())

    def gauges(self):
        """Connections and requests, without the one that asks."""
        metrics = self.metrics()
        return metrics.value('holdfast_http_connections') - 1, metrics.value('holdfast_http_requests_under_way') - 1

    def nothing_is_left(self, of):
        """Waits until the server has noticed that everybody else has gone."""
        try:
            eventually(lambda: self.gauges() == (0, 0))
        except AssertionError:
            self.fail(f'{of}: connections and requests that are left: {self.gauges()}')


class Given(ClientCase):
    """Requests that libmicrohttpd or the server gives up at some point."""
    TIMES = 20

    def leave(self, data, read):
        """Sends bytes and leaves, with or without waiting for the server to be done."""
        with self.server.socket() as s:
            try:
                s.sendall(data)
                if read:
                    s.shutdown(1)
                    while s.recv(65536):
                        pass
            except TimeoutError:
                raise
            except OSError:
                pass  # the server closed first

    def test_nothing_is_left_of_any_shape(self):
        for name, data in SHAPES.items():
            for i in range(2 * self.TIMES):
                self.leave(data, i % 2)
            self.nothing_is_left(name)

    def test_a_request_that_was_given_up_holds_up_no_stop(self):
        for _ in range(self.TIMES):
            self.leave(SHAPES['8000 parameters'], True)
        self.server.stop(timeout=2)  # longer, if it waited for requests that nobody ends
        self.server.start()

    def test_who_is_given_up_hears_of_it_while_the_rest_is_still_read(self):
        def attempt(server):
            with server.socket() as s:
                s.sendall(SHAPES['8000 parameters'])
                for _ in range(40):  # a server that reads on and says nothing does so for longer
                    if select.select([s], [], [], 0.1)[0]:
                        break
                    s.send(b'x')
                else:
                    self.fail('the connection is still open')
                self.assertEqual(s.recv(100), b'')
        undisturbed(attempt)


if __name__ == '__main__':
    unittest.main()

"""A proxy between a command and the server, at which a test can do something at the right moment."""
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def pass_on(self):
        between = self.server.between
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        try:
            with between.lock:
                between.requests.append((self.command, self.path, self.headers.get('Authorization')))
                between.hook(self.command, self.path)
        except ConnectionError:
            self.close_connection = True
            return
        connection = http.client.HTTPConnection('127.0.0.1', between.port, timeout=120)
        try:
            connection.request(self.command, self.path, body, {name: self.headers[name] for name in ('Content-Type', 'Accept') if self.headers[name]})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):  # of a server that the test has killed
            self.close_connection = True
            return
        finally:
            connection.close()
        self.send_response(answer.status)
        self.send_header('Content-Type', answer.headers['Content-Type'])
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = pass_on


class Between:
    """`hook(method, target)` is called before each request is passed on to the server, one at a time; ConnectionError drops the request."""

    def __init__(self, port, hook):
        self.port, self.hook, self.requests, self.lock = port, hook, [], threading.Lock()
        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.between = self
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}'
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

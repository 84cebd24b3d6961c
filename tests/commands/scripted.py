"""A server that gives each connection the next list of answers and then closes it."""
import socket
import threading

HANG = b'<hang>'  # at the end of an answer: the connection stays open
OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s'


def ok(body=b'{}'):
    return OK % (len(body), body)


def problem(status, code, detail='so', headers=b''):
    """A refusal."""
    body = b'{"code":"%s","detail":"%s"}' % (code.encode(), detail.encode())
    return b'HTTP/1.1 %d X\r\n%sContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%s' % (status, headers, len(body), body)


def read_request(stream):
    """Head and body of a request, or nothing if the connection has ended."""
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        line = stream.readline()
        if not line:
            return None
        head += line
    length = [line.split(b':')[1] for line in head.split(b'\r\n') if line.lower().startswith(b'content-length:')]
    return head.decode(), stream.read(int(length[0])) if length else b''


class Script:
    """A server that gives each connection the next list of answers and then closes it; a function makes an answer of (head, body)."""

    def __init__(self, *connections):
        self.connections, self.seen = list(connections), []
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self.socket.getsockname()[1]}'
        self.threads = []
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self):
        for answers in self.connections:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            self.threads.append(threading.Thread(target=self.serve, args=(connection, answers), daemon=True))
            self.threads[-1].start()

    def serve(self, connection, answers):
        with connection, connection.makefile('rb') as stream:
            for answer in answers:
                request = read_request(stream)
                if request is None:
                    return
                self.seen.append(request)
                connection.sendall(answer(*request) if callable(answer) else answer.removesuffix(HANG))
                if not callable(answer) and answer.endswith(HANG):
                    stream.read()  # until the client leaves
                    return

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

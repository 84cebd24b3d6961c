"""HTTP with one server, over http.client: a connection that is kept, limits of time, proxies, and many requests at once.

It knows nothing of Holdfast: server.py does, and Kuma's API is read through it as well. What goes wrong below HTTP is a TransferError.
"""
import io
import select
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator

from .places import BadAddress, Place, proxy_for

CONNECT_S = 10  # the most that a connection may take to be made
IDLE_S = 120    # the most that an answer may pause
LANES = 16      # connections of many()
_CHUNK = 1 << 18

UNREACHABLE, LATE, CUT_OFF, ODD = 'unreachable', 'late', 'cut off', 'odd'


class TransferError(Exception):
    """No whole answer came. `kind` is UNREACHABLE, LATE (in time), CUT_OFF or ODD (it is not HTTP); `reason` is for people."""

    def __init__(self, kind: str, reason: str):
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class _Limits:
    """How long an answer may take, and may pause."""

    def __init__(self, patience: float):
        self._end = time.monotonic() + patience if patience else None

    def left(self, most: float = IDLE_S) -> float:
        """Seconds until the request has to be given up, at most `most`."""
        if self._end is None:
            return most
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError('timed out')
        return min(most, left)


class _LimitedReader(io.RawIOBase):
    """What comes over a socket, each read within the limits."""

    def __init__(self, sock, limits: _Limits):
        self._sock, self._limits, self._raw = sock, limits, sock.makefile('rb', buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int | None:
        self._sock.settimeout(self._limits.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LimitedSocket:
    """What HTTPResponse asks of a socket."""

    def __init__(self, sock, limits: _Limits):
        self._sock, self._limits = sock, limits

    def makefile(self, _mode: str):
        return io.BufferedReader(_LimitedReader(self._sock, self._limits), 1 << 16)


class Answer:
    """A status, headers, and a body that is read whole (body) or as it comes (chunks, lines)."""

    def __init__(self, response: 'http.client.HTTPResponse'):
        self._response, self._body = response, None
        self.status: int = response.status
        self.media: str = response.getheader('Content-Type') or ''

    def header(self, name: str) -> str:
        """A header's value; empty if there is none."""
        return self._response.getheader(name) or ''

    def chunks(self) -> Iterator[bytes]:
        """The body, as it comes."""
        with _translated():
            while data := self._response.read(_CHUNK):
                yield data
        if self._response.length:
            raise TransferError(CUT_OFF, f'{self._response.length} bytes are missing')

    def lines(self) -> Iterator[bytes]:
        """The lines of the body, as they come, without their ends; for bodies that are too long to be held."""
        rest = b''
        for chunk in self.chunks():
            *whole, rest = (rest + chunk).split(b'\n')
            yield from whole
        if rest:
            yield rest

    @property
    def body(self) -> bytes:
        """The whole body."""
        if self._body is None:
            self._body = b''.join(self.chunks())
        return self._body

    def start(self, most: int) -> bytes:
        """The body, or its first `most` bytes."""
        if self._body is None:
            with _translated():
                return self._response.read(most)
        return self._body[:most]


class _translated:
    """Makes a TransferError of what http.client and sockets raise."""

    def __enter__(self):
        return self

    def __exit__(self, _type, error, _traceback):
        if error is None:
            return
        import http.client
        if isinstance(error, TimeoutError):
            raise TransferError(LATE, 'it took too long') from None
        if isinstance(error, http.client.IncompleteRead):
            raise TransferError(CUT_OFF, 'it ended early') from None
        if isinstance(error, http.client.RemoteDisconnected):
            raise TransferError(UNREACHABLE, 'the connection was closed without an answer') from None
        if isinstance(error, http.client.HTTPException):
            raise TransferError(ODD, 'it is not HTTP') from None
        if isinstance(error, BadAddress):
            raise TransferError(UNREACHABLE, f'its proxy cannot be used: {error}') from None
        if isinstance(error, (OSError, UnicodeError)):
            raise TransferError(UNREACHABLE, getattr(error, 'strerror', None) or str(error)) from None


class Client:
    """Requests to one place, one after the other, over a connection that is kept. Not for several threads: each has its own, by twin()."""

    def __init__(self, place: Place, authorization: bytes | None = None):
        """`authorization` is the value of that header."""
        self._place, self._authorization = place, authorization
        self._connection = self._limits = self._proxy = None

    def twin(self) -> 'Client':
        """Another one of the same place, with a connection of its own."""
        return Client(self._place, self._authorization)

    def close(self) -> None:
        """Closes the connection. The next request makes another."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def request(self, method: str, target: str, body: bytes | None = None, headers: dict | None = None, patience: float = 0) -> Answer:
        """Sends a request, and returns the answer with its body not read yet; it has to be read before the next request.

        `target` is what follows the place's address, `patience` how many seconds the answer with its body may take, 0 as many as it takes.
        A connection that was kept and turns out to be closed is made again for a request that may be repeated.
        """
        self._limits = _Limits(patience)
        reused = self._is_alive()
        try:
            with _translated():
                return self._exchange(method, target, body, headers or {})
        except TransferError as error:
            self.close()
            if not reused or error.kind != UNREACHABLE or method not in ('GET', 'PUT'):
                raise
        try:
            with _translated():
                return self._exchange(method, target, body, headers or {})
        except TransferError:
            self.close()
            raise

    def whole(self, method: str, target: str, body: bytes | None = None, headers: dict | None = None, patience: float = 0) -> Answer:
        """As request(), with the body read."""
        answer = self.request(method, target, body, headers, patience)
        try:
            answer.body
        except TransferError:
            self.close()
            raise
        return answer

    def _is_alive(self) -> bool:
        """Whether there is a connection that can be used once more; one on which something is to be read has been closed."""
        if self._connection and self._connection.sock:
            poll = select.poll()
            poll.register(self._connection.sock, select.POLLIN)
            if not poll.poll(0):
                return True
        self.close()  # with an answer that was to be the last, http.client lets go of the socket
        return False

    def _exchange(self, method: str, target: str, body: bytes | None, headers: dict) -> Answer:
        if not self._connection:
            self._connection = self._connect()
        connection = self._connection
        connection.sock.settimeout(self._limits.left())
        connection.putrequest(method, self._place.request_target(target, self._proxy), skip_host=True, skip_accept_encoding=True)
        for name, value in {**self._place.headers(self._proxy), 'User-Agent': 'holdfast', 'Accept': '*/*', **headers}.items():
            connection.putheader(name, value)
        if self._authorization:
            connection.putheader('Authorization', self._authorization)
        if body is not None:
            connection.putheader('Content-Length', str(len(body)))
        connection.endheaders()
        try:
            for at in range(0, len(body or b''), _CHUNK):
                connection.sock.settimeout(self._limits.left())
                connection.send(memoryview(body)[at:at + _CHUNK])
        except ConnectionError:
            pass  # a server that refuses the rest of a body has answered, and that is read next
        return Answer(connection.getresponse())

    def _connect(self) -> 'http.client.HTTPConnection':
        import http.client  # which takes long, and is not needed to say how a command is used
        place, proxy = self._place, proxy_for(self._place)
        self._proxy = proxy
        host, port = (proxy.host, proxy.port) if proxy else (place.host, place.port)
        if place.secure:
            import ssl
            connection = http.client.HTTPSConnection(host, port, context=ssl.create_default_context())
        else:
            connection = http.client.HTTPConnection(host, port)
        if proxy and place.secure:
            connection.set_tunnel(place.host, place.port, proxy.headers())
        connection.timeout = self._limits.left(CONNECT_S)
        connection.response_class = lambda sock, **more: http.client.HTTPResponse(_LimitedSocket(sock, self._limits), **more)
        connection.connect()
        return connection


class Request:
    """One of many(): a method, a target, and a body that is sent as JSON."""

    def __init__(self, method: str, target: str, body: bytes | None = None):
        self.method, self.target, self.body = method, target, body


def many(client: Client, requests: Iterable[Request], lanes: int = LANES) -> Iterator[Answer | TransferError]:
    """Sends many requests over some connections at once; yields the answers, with their bodies read, in the order of the requests.

    After the first request without an answer no further one is sent; those that are not sent yield the same TransferError. Requests are
    taken from the iterable as there is room for them, and answers are held only until it is their turn.
    """
    from concurrent.futures import ThreadPoolExecutor
    local, failure, clients = threading.local(), [], []

    def send(request: Request) -> Answer | TransferError:
        if failure:
            return failure[0]
        if not hasattr(local, 'client'):
            local.client = client.twin()
            clients.append(local.client)
        try:
            headers = {} if request.body is None else {'Content-Type': 'application/json'}
            return local.client.whole(request.method, request.target, request.body, headers)
        except TransferError as error:
            failure.append(error)
            return error
    executor, waiting = ThreadPoolExecutor(lanes), deque()
    try:
        for request in requests:
            waiting.append(executor.submit(send, request))
            if len(waiting) >= 4 * lanes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        if not waiting:
            for one in clients:
                one.close()

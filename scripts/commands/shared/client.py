"""HTTP with one server, over http.client: a kept connection, time limits, proxies, and many requests at once.

It knows nothing about Holdfast: server.py does, and Kuma's API is read through it as well. A failure below HTTP is a TransferError."""
import io
import select
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator

from .places import BadAddress, Place, proxy_for

CONNECT_S = 10  # limit for making a connection
IDLE_S = 120    # limit for a pause in an answer
LANES = 16      # number of connections used by many()
_CHUNK = 1 << 18

UNREACHABLE, LATE, CUT_OFF, ODD = 'unreachable', 'late', 'cut off', 'odd'


class TransferError(Exception):
    """No complete answer arrived. `kind` is UNREACHABLE, LATE, CUT_OFF or ODD (not HTTP); `reason` is for people."""

    def __init__(self, kind: str, reason: str):
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class _Limits:
    """How long an answer may take, and may pause."""

    def __init__(self, patience: float):
        self._end = time.monotonic() + patience if patience else None

    def left(self, most: float = IDLE_S) -> float:
        """Returns the seconds until the request must be given up, at most `most`."""
        if self._end is None:
            return most
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError('timed out')
        return min(most, left)


class _LimitedReader(io.RawIOBase):
    """Reads from a socket, each time within the limits."""

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
    """The part of a socket that HTTPResponse uses."""

    def __init__(self, sock, limits: _Limits):
        self._sock, self._limits = sock, limits

    def makefile(self, _mode: str):
        return io.BufferedReader(_LimitedReader(self._sock, self._limits), 1 << 16)


class Answer:
    """A status, headers, and a body that is read whole (body) or as it arrives (chunks, lines)."""

    def __init__(self, response: 'http.client.HTTPResponse'):
        self._response, self._body = response, None
        self.status: int = response.status
        self.media: str = response.getheader('Content-Type') or ''

    def header(self, name: str) -> str:
        """Returns a header's value; empty if it is missing."""
        return self._response.getheader(name) or ''

    def chunks(self) -> Iterator[bytes]:
        """Yields the body as it arrives."""
        with _translated():
            while data := self._response.read(_CHUNK):
                yield data
        if self._response.length:
            raise TransferError(CUT_OFF, f'{self._response.length} bytes are missing')

    def lines(self) -> Iterator[bytes]:
        """Yields the lines of the body as they arrive, without line ends; for bodies too long to be held."""
        rest = b''
        for chunk in self.chunks():
            *whole, rest = (rest + chunk).split(b'\n')
            yield from whole
        if rest:
            yield rest

    @property
    def body(self) -> bytes:
        """Returns the whole body."""
        if self._body is None:
            self._body = b''.join(self.chunks())
        return self._body

    def start(self, most: int) -> bytes:
        """Returns the body, or its first `most` bytes."""
        if self._body is None:
            with _translated():
                return self._response.read(most)
        return self._body[:most]


class _translated:
    """Turns exceptions of http.client and sockets into TransferErrors."""

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
    """Sends requests to one place, one after another, over a kept connection. Not thread-safe: each thread has its own, made by twin()."""

    def __init__(self, place: Place, authorization: bytes | None = None):
        """`authorization` is the value of that header."""
        self._place, self._authorization = place, authorization
        self._connection = self._limits = self._proxy = None

    def twin(self) -> 'Client':
        """Returns another client of the same place, with its own connection."""
        return Client(self._place, self._authorization)

    def close(self) -> None:
        """Closes the connection. The next request opens a new one."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def request(self, method: str, target: str, body: bytes | None = None, headers: dict | None = None, patience: float = 0) -> Answer:
        """Sends a request, and returns the answer. Its body must be read before the next request.

        `target` follows the place's address. `patience` limits the seconds for the answer with its body; 0: no limit. If a kept connection
        turns out to be closed, a request that may be repeated is sent again on a new one.
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
        """Sends a request as request() does, and reads the body."""
        answer = self.request(method, target, body, headers, patience)
        try:
            answer.body
        except TransferError:
            self.close()
            raise
        return answer

    def _is_alive(self) -> bool:
        """Returns whether the kept connection can be used again; one with readable bytes has been closed."""
        if self._connection and self._connection.sock:
            poll = select.poll()
            poll.register(self._connection.sock, select.POLLIN)
            if not poll.poll(0):
                return True
        self.close()  # http.client gives up the socket with an answer that was to be the last
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
            pass  # a server that refuses the rest of a body has answered, and the answer is read next
        return Answer(connection.getresponse())

    def _connect(self) -> 'http.client.HTTPConnection':
        import http.client  # loaded late: it takes long, and --help does not need it
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
    """One request of many(): a method, a target, and a body that is sent as JSON."""

    def __init__(self, method: str, target: str, body: bytes | None = None):
        self.method, self.target, self.body = method, target, body


def many(client: Client, requests: Iterable[Request], lanes: int = LANES) -> Iterator[Answer | TransferError]:
    """Sends many requests over several connections; yields the answers, with their bodies read, in the order of the requests.

    After the first request without an answer no more are sent; those not sent yield the same TransferError. Requests are taken from the
    iterable as connections become free, and answers are held only until their turn.
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

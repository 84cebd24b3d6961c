"""Moves many leases into a pool, over several connections at once, with a limit of moves a second. A move that got no answer is repeated: the server
moves a lease into a pool once."""
import threading
import time
from collections import deque
from collections.abc import Iterator

from shared.client import Answer, Client, TransferError
from shared.failure import Failure
from shared.lease import target_of
from shared.server import PATIENCE_S, Server, read_json
from shared.words import at, text, uri

from .census import Ranges, identity_of, left_there
from .patience import Away, Stopped, patiently

LANES = 16
RETRY_AFTER_MAX_S = 30
_AGAIN = (429, 500, 502, 503, 504)  # these may be answered otherwise the next time
_ENDS = ('pool-exhausted', 'storage-full', 'no-pool', 'unauthorized', 'forbidden')  # so would all others be
_NOT_BACK = ('address-taken', 'address-outside-pool')  # the overlap ended meanwhile, or the pool was edited
MOVED, GONE, QUARANTINED, OFFLINE, FAILED, LEFT = 'moved', 'gone', 'quarantined', 'offline', 'failed', 'left'


class Result:
    """What became of one lease: its outcome, the server's words if that is FAILED, and how long it keeps the addresses that it left."""

    def __init__(self, lease: dict, outcome: str, words: str = '', until: str = ''):
        self.lease, self.outcome, self.words, self.until = lease, outcome, words, until


class Pace:
    """Lets so many through a second, for all threads together; any number if that is None."""

    def __init__(self, rate: int | None):
        self._step = 1 / rate if rate else 0
        self._next, self._lock = time.monotonic(), threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Waits for its turn. Raises Stopped."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._step
        if stop.wait(turn - now) if turn > now else stop.is_set():
            raise Stopped


def retry_after(answer: Answer) -> float | None:
    """Returns the seconds that the server asks to wait, within bounds."""
    value = answer.header('Retry-After')
    return min(int(value), RETRY_AFTER_MAX_S) if value.isascii() and value.isdigit() and len(value) < 10 else None


class Movers:
    """Moves leases. `failure` is why it gave up, if it did; then `stop` is set."""

    def __init__(self, server: Server, pool: str, query: str, ranges: Ranges, rate: int | None, stop: threading.Event):
        """`query` is that of each move, `ranges` the pool's. After `stop` is set no request is sent; those under way are completed."""
        self._server, self._pool, self._query, self._ranges, self._pace, self._stop = server, pool, query, ranges, Pace(rate), stop
        self._local, self._lock, self._clients = threading.local(), threading.Lock(), []
        self.failure: Failure | None = None

    def run(self, leases: Iterator[dict]) -> Iterator[Result]:
        """Yields the results, in the order of the leases, which are taken as connections become free."""
        from concurrent.futures import ThreadPoolExecutor
        executor, waiting, failure = ThreadPoolExecutor(LANES), deque(), None
        try:
            for lease in leases:
                waiting.append(executor.submit(self._move, lease))
                if len(waiting) >= 2 * LANES:
                    yield waiting.popleft().result()
                if self._stop.is_set():
                    break
        except (Away, Stopped, Failure) as error:  # the leases cannot be listed; what is under way is completed
            self._stop.set()
            failure = error
        while waiting:
            yield waiting.popleft().result()
        executor.shutdown()
        while self._clients:
            self._clients.pop().close()
        if failure:
            raise failure

    def _give_up(self, failure: Failure) -> None:
        with self._lock:
            self.failure = self.failure or failure
        self._stop.set()

    def _move(self, lease: dict) -> Result:
        try:
            self._pace.wait(self._stop)
            with self._server.reading():
                target = target_of(*identity_of(lease))
                back = ''.join(f'&address={uri(ip)}' for ip in left_there(lease, self._ranges))
            answer = self._post(target, back)
            if back and answer.status // 100 == 4 and self._code(answer) in _NOT_BACK:
                answer = self._post(target, '')
            return self._judge(lease, target, answer)
        except Stopped:
            return Result(lease, LEFT)
        except Away as away:
            self._give_up(Failure(3, away.words))
        except Failure as failure:
            self._give_up(failure)
        return Result(lease, LEFT)

    def _post(self, target: str, more: str) -> Answer:
        return patiently(lambda: self._send('POST', f'{target}/move{self._query}{more}'), self._stop)

    def _code(self, answer: Answer) -> str:
        return self._server.problem(answer).partition(':')[0]

    def _client(self) -> Client:
        if not hasattr(self._local, 'client'):
            self._local.client = self._server.client.twin()
            self._clients.append(self._local.client)
        return self._local.client

    def _send(self, method: str, target: str) -> Answer:
        try:
            answer = self._client().whole(method, target, patience=PATIENCE_S)
        except TransferError as error:
            raise Away(self._server.failed(error).words) from None
        if answer.status in _AGAIN:
            raise Away(self._server.problem(answer), retry_after(answer))
        return answer

    def _judge(self, lease: dict, target: str, answer: Answer) -> Result:
        if answer.status // 100 == 2:
            with self._server.reading():
                moved = self._server.understood(answer, target)
                if moved['pool'] != self._pool:
                    raise ValueError(moved)
                return Result(lease, MOVED, until=max([text(at(vip, 'until')) for vip in moved.get('previousVips') or []], default=''))
        words = self._server.problem(answer)
        code = self._code(answer)
        if code in _ENDS:
            raise Failure(1, words)
        if code == 'lease-exists' and self._is_quarantined(target):
            return Result(lease, QUARANTINED)
        outcome = {'not-found': GONE, 'zone-offline': OFFLINE}.get(code, FAILED)
        return Result(lease, outcome, words)

    def _is_quarantined(self, target: str) -> bool:
        answer = patiently(lambda: self._send('GET', target), self._stop)
        if answer.status // 100 != 2:
            return False
        with self._server.reading():
            return read_json(answer.body)['state'] != 'active'

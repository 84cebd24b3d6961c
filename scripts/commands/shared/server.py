"""The Holdfast server at HOLDFAST_URL: sending requests, and what its answers mean for a command.

Answers are not trusted: one that no Holdfast server gives ends the command with status 3 and always the same message."""
import json
import os
import re
from collections.abc import Iterable, Iterator

from . import screen
from .client import CUT_OFF, LATE, ODD, Answer, Client, Request, TransferError, many
from .failure import Failure
from .places import BadAddress, credentials, place_of
from .words import at, text, uri

TOKEN_MAX_BYTES = 65536
PATIENCE_S = 30  # for requests that are answered at once
JSON_MEDIA = ('application/json', 'application/x-ndjson', 'application/problem+json')
_IN_TROUBLE = (500, 501, 502, 503, 504)
_LISTS = {'/v1/changes': 'changes', '/v1/zones': 'items', '/v1/pools': 'items', '/v1/leases': 'items'}
_MEMBERS = ((r'/v1/status', 'storeId'), (r'/v1/verify', 'violations'), (r'/v1/transfers', 'results'), (r'.*/history', 'items'), (r'/v1/zones/.*/sync', 'results'),
            (r'/v1/zones/.*', 'zone'), (r'/v1/pools/.*', 'pool'), (r'/v1/addresses/.*', 'address'))


def member_of(target: str) -> str:
    """The member that the answer to a request must have; the plural ones are arrays."""
    path = target.partition('?')[0]
    if path in _LISTS:
        return _LISTS[path]
    return next((member for pattern, member in _MEMBERS if re.fullmatch(pattern, path, re.S)), 'service')


def is_json(media: str) -> bool:
    """Returns whether Holdfast answers with a media type."""
    return ''.join(media.partition(';')[0].split()).lower() in JSON_MEDIA


def read_json(data: bytes):
    """Returns the single JSON value. Raises ValueError for anything else."""
    value = json.loads(data.decode('utf-8', 'replace'), parse_constant=_no_constant)
    return _without_surrogates(value) if re.search(rb'\\u[dD][89a-fA-F]', data) else value


def _no_constant(name: str):
    raise ValueError(f'{name} is not JSON')


def _without_surrogates(value):
    """Replaces lone surrogates, which cannot be written, by U+FFFD."""
    if isinstance(value, str):
        return re.sub('[\ud800-\udfff]', '\ufffd', value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
    return value


def split_login(url: str) -> tuple[str, str]:
    """Splits a URL into the part without user and password, and these as written there. They are never shown."""
    scheme, separator, rest = url.partition('://')
    authority, slash, path = rest.partition('/')
    login, at_sign, host = authority.rpartition('@')
    if not separator or not at_sign:
        return url, ''
    return f'{scheme}://{host}{slash}{path}', login


def own_token() -> str:
    """Returns HOLDFAST_TOKEN, or the one line of the file that HOLDFAST_TOKEN_FILE names; empty if neither is set."""
    token, path = os.environ.get('HOLDFAST_TOKEN', ''), os.environ.get('HOLDFAST_TOKEN_FILE', '')
    if not path:
        return token
    if token:
        raise Failure(2, 'HOLDFAST_TOKEN and HOLDFAST_TOKEN_FILE are both set')
    try:
        with open(path, encoding='utf-8', errors='surrogateescape') as file:
            token = file.read(TOKEN_MAX_BYTES).removesuffix('\n')
    except (OSError, ValueError) as error:
        raise Failure(2, f'HOLDFAST_TOKEN_FILE: {path}: {getattr(error, "strerror", None) or "it cannot be used"}') from None
    if not token:
        raise Failure(2, f'HOLDFAST_TOKEN_FILE: {path} is empty')
    return token


class _Reading:
    """Blames the answer for any exception while it is read."""

    def __init__(self, server: 'Server'):
        self._server = server

    def __enter__(self):
        return self

    def __exit__(self, _type, error, _traceback):
        if isinstance(error, (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError)):
            raise self._server.strange() from None


class Server:
    """The server. Raises Failure for every error that ends the command."""

    def __init__(self, url: str | None = None, token: str | None = None):
        """Reads HOLDFAST_URL, and HOLDFAST_TOKEN or HOLDFAST_TOKEN_FILE, unless they are stated; wrong values end the command with status 2."""
        url = url or os.environ.get('HOLDFAST_URL') or 'http://127.0.0.1:8241'
        token = own_token() if token is None else token
        url, login = split_login(url)
        self.url = url.rstrip('/')
        self.advice: dict[str, str] = {}  # hints to append to problems, by code
        self._check(login, token)
        authorization = None
        if token:
            authorization = b'Bearer ' + token.encode('utf-8', 'surrogateescape')
        elif login:
            from base64 import b64encode
            authorization = b'Basic ' + b64encode(credentials(login))
        try:
            place = place_of(self.url)
        except BadAddress:
            raise Failure(2, f'HOLDFAST_URL: {self.url} cannot be used') from None
        if token and not place.secure and not place.is_this_host():
            raise Failure(2, f'HOLDFAST_URL: a token is not sent to {self.url}, as everybody on the way could read it; use https://')
        self.client = Client(place, authorization)

    def _check(self, login: str, token: str) -> None:
        url = self.url
        if '@' in url:
            raise Failure(2, 'HOLDFAST_URL: it has a misplaced @ (write a / in a password as %2F)')
        if '?' in url or '#' in url:
            raise Failure(2, f'HOLDFAST_URL: "{url}" has a ? or a #; state only the beginning of an address')
        if not url.startswith(('http://', 'https://')) or url in ('http://', 'https://'):
            raise Failure(2, f'HOLDFAST_URL: "{url}" is not an http:// or https:// address')
        if any(c.isspace() or not (c.isprintable() or '\udc80' <= c <= '\udcff') for c in token):
            raise Failure(2, 'HOLDFAST_TOKEN contains a space or a control character')
        if login and any(byte < 32 or byte == 127 for byte in credentials(login)):
            raise Failure(2, 'HOLDFAST_URL: the user or the password contains a control character')

    # Failures.

    def strange(self) -> Failure:
        """Returns the failure for an answer that no Holdfast server gives."""
        return Failure(3, f'the answer of {self.url} is not what a Holdfast server answers')

    def failed(self, error: TransferError) -> Failure:
        """Returns the failure for a missing or incomplete answer."""
        if error.kind == CUT_OFF:
            return Failure(3, f'the answer of the server at {self.url} was cut off')
        if error.kind == LATE:
            return Failure(3, f'the server at {self.url} did not answer in time, or cannot be reached')
        if error.kind == ODD:
            return self.strange()
        return Failure(3, f'the server at {self.url} cannot be reached: {error.reason}')

    def refused(self, answer: Answer) -> Failure:
        """Returns the failure for a problem (RFC 9457): status 1, or 3 if the server is in trouble."""
        return Failure(3 if answer.status in _IN_TROUBLE else 1, self.problem(answer))

    def problem(self, answer: Answer) -> str:
        """Returns a problem's words. An answer without a code, and with a status that Holdfast never sends without one, is from something else."""
        code, words = '', ''
        try:
            problem = read_json(answer.start(65536))
            if problem['code']:
                code = text(problem['code'])
                words = f'{code}: {text(problem.get("detail"))}'
        except (TransferError, ValueError, TypeError, KeyError, AttributeError):
            pass
        if not words and (answer.status in (404, 405, 501) or answer.status // 100 == 3):
            raise self.strange()
        if code in self.advice:
            words += ' ' + self.advice[code]
        return words or f'the server answered HTTP {answer.status}'

    def reading(self) -> _Reading:
        """Returns a context for reading an answer's contents: an unexpected value ends the command with strange()."""
        return _Reading(self)

    # Requests.

    def open(self, method: str, target: str, body: bytes | None = None, headers: dict | None = None, patience: float = 0,
             json_only: bool = True) -> Answer:
        """Sends a request, and returns the answer, whatever its status, with its body unread.

        `json_only`: a successful answer must have a JSON media type.
        """
        try:
            answer = self.client.request(method, target, body, headers, patience)
        except TransferError as error:
            raise self.failed(error) from None
        if json_only and answer.status // 100 == 2 and not is_json(answer.media):
            raise self.strange()
        return answer

    def get(self, method: str, target: str, body: bytes | None = None, headers: dict | None = None, patience: float = 0) -> Answer:
        """Sends a request as open() does, and reads the body."""
        answer = self.open(method, target, body, headers, patience)
        try:
            answer.body
        except TransferError as error:
            self.client.close()
            raise self.failed(error) from None
        return answer

    def fetch(self, target: str) -> dict:
        """GETs one object, without a time limit."""
        answer = self.get('GET', target)
        if answer.status // 100 != 2:
            raise self.refused(answer)
        with self.reading():
            value = read_json(answer.body)
            at(value)
        if not isinstance(value, dict):
            raise self.strange()
        return value

    def ask(self, method: str, target: str, value=None, patience: float = PATIENCE_S, headers: dict | None = None) -> dict:
        """Sends a request, with a JSON body if a value is given. Returns the answer, one object with its required member.

        `patience` limits the seconds; 0: no limit.
        """
        body = None if value is None else screen.to_json(value).encode('utf-8', 'replace')
        answer = self.get(method, target, body, {**({'Content-Type': 'application/json'} if body else {}), **(headers or {})}, patience)
        return self.understood(answer, target)

    def understood(self, answer: Answer, target: str) -> dict:
        """Returns what a request is answered, one object with its required member; raises the failure of one that is refused."""
        if answer.status // 100 != 2:
            raise self.refused(answer)
        member = member_of(target)
        with self.reading():
            result = read_json(answer.body)
            if member in ('items', 'changes', 'results') and not isinstance(result[member], list):
                raise TypeError(member)
            if not isinstance(result, dict) or member not in result:
                raise TypeError(member)
        return result

    def all_pages(self, target: str) -> dict:
        """Reads all pages of a list as one list."""
        items, following = [], None
        while True:
            page = self.ask('GET', target + (f'?continue={following}' if following else ''))
            items += page['items']
            last, following = following, uri(page['continue']) if page.get('continue') else None
            if not following:
                return {**page, 'items': items}
            if following == last:
                raise self.strange()

    def stream(self, target: str) -> Iterator:
        """GETs NDJSON: yields the values of its lines as they arrive."""
        answer = self.open('GET', target, headers={'Accept': 'application/x-ndjson'})
        if answer.status // 100 != 2:
            raise self.refused(answer)
        try:
            for line in answer.lines():
                if line.strip():
                    with self.reading():
                        value = read_json(line)
                    yield value
        except TransferError as error:
            self.client.close()
            raise self.failed(error) from None

    def many(self, requests: Iterable[Request]) -> Iterator:
        """Sends many requests over several connections: yields each answer's JSON, whatever its status, in the order of the requests.

        Yields None for an answer that is not JSON, or is missing. If the server becomes unreachable, raises the Failure after the last answer.
        """
        failure = None
        for answer in many(self.client, requests):
            if isinstance(answer, TransferError):
                failure = failure or answer
                yield None
                continue
            try:
                yield read_json(answer.body)
            except ValueError:
                yield None
        if failure:
            raise self.failed(failure)

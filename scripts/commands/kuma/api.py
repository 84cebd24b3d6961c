"""Reads all lists of services from Kuma's API, page by page."""
import re

from shared.client import Client, TransferError
from shared.failure import Failure
from shared.places import BadAddress, place_of
from shared.words import uri
from .reading import NotJson, value_of

SOURCE = "Kuma's API"
KINDS = ('meshservices', 'meshexternalservices', 'meshmultizoneservices')
FIRST_PAGE = 'size=1000'
ANSWER_S = 300  # the largest allowed page
MOST_PAGES = 1000  # where a list does not state its length
TOKEN = re.compile(r'[A-Za-z0-9._~+/=-]+')
NEXT = re.compile(r'[^?#]*\?(?P<query>[A-Za-z0-9%._~&=+*:,;/@!$()-]+)(#.*)?')


class NoSuchList(Exception):
    """Kuma does not know this path."""


def read_token(file: str) -> bytes:
    """Reads the token from a file."""
    try:
        with open(file, 'rb') as stream:
            token = stream.read().translate(None, b'\r\n').decode('ascii', 'replace')
    except OSError:
        raise Failure(2, f'--kuma-token-file: {file} cannot be read') from None
    if not TOKEN.fullmatch(token):
        raise Failure(2, f'--kuma-token-file: {file} does not hold a token')
    return token.encode()


def next_query(page: dict) -> str | None:
    """Returns the query of the next page; None if this is the last page, '' if the query cannot be determined.

    The link begins with Kuma's idea of its own address, which is ignored: the token must not go anywhere else.
    """
    following = page.get('next') or ''
    if not isinstance(following, str):
        raise NotJson('not a list')
    match = NEXT.fullmatch(following)
    return None if following == '' else match['query'] if match else ''


class KumaApi:
    """The API at one address. Raises Failure for every error that ends the command."""

    def __init__(self, url: str, token_file: str | None = None):
        """`url` does not end with a slash; the token is read at once."""
        self.url, self._token_file = url, token_file
        authorization = b'Bearer ' + read_token(token_file) if token_file else None
        try:
            self._client = Client(place_of(url), authorization)
        except BadAddress:
            raise self._unreachable('the address cannot be used') from None

    def _unreachable(self, reason: str) -> Failure:
        return Failure(3, f'Kuma at {self.url} cannot be reached: {reason}')

    def pages(self, mesh: str | None = None) -> list[dict]:
        """Reads the pages of all lists, of one mesh or of all."""
        pages = []
        for one in [mesh] if mesh else self._meshes():
            if not [kind for kind in KINDS if self._try_list(f'/meshes/{uri(one)}/{kind}', pages)]:
                raise Failure(2, f'Kuma at {self.url} knows neither mesh "{uri(one)}" nor these kinds of services (HTTP 404)')
        return pages

    def _meshes(self) -> list[str]:
        pages = []
        if not self._try_list('/meshes', pages):
            raise Failure(2, f"{self.url}/meshes does not exist (HTTP 404): is this the address of Kuma's API?")
        names = [item.get('name') for page in pages for item in page['items'] or [] if isinstance(item, dict)]
        return [name for name in names if isinstance(name, str)]

    def _try_list(self, path: str, pages: list[dict]) -> bool:
        """Appends all pages of a list; returns false if Kuma does not know it."""
        try:
            self._list(path, pages)
        except NoSuchList:
            return False
        return True

    def _list(self, path: str, pages: list[dict]) -> None:
        seen, most, total = [FIRST_PAGE], MOST_PAGES, 0
        while True:
            page, following = self._page(path, seen[-1])
            count = len(page['items'] or [])
            total = total_of(page)
            if len(seen) == 1 and total > 0 and count > 0:
                most = 2 * (-(-total // count)) + 10
            if following == '':
                raise Failure(2, f"Kuma's pages of {path}: the link to the next page cannot be followed")
            if following and (count == 0 or len(seen) >= most or following in seen):
                raise Failure(2, f"Kuma's pages of {path} do not end: after {len(seen)} pages of {total} services another one follows")
            pages.append(page)
            if not following:
                return
            seen.append(following)

    def _page(self, path: str, query: str) -> tuple[dict, str | None]:
        """Returns a page, and the query of the next one."""
        target = f'{path}?{query}'
        media, body = self._get(target)
        try:
            page = value_of(body)
            if not isinstance(page, dict) or not isinstance(page.get('items', ''), list | None):
                raise NotJson('not a list')
            return page, next_query(page)
        except NotJson:
            raise Failure(2, f"the answer to GET {self.url}{target} is not a list in JSON ({media or 'no media type'}): is this the address of Kuma's API?") from None

    def _get(self, target: str) -> tuple[str, bytes]:
        """Returns the media type and the body of an answer. Raises NoSuchList."""
        try:
            answer = self._client.whole('GET', target, headers={'Accept': 'application/json'}, patience=ANSWER_S)
        except TransferError as error:
            raise self._unreachable(error.reason) from None
        except BadAddress as error:
            raise self._unreachable(str(error)) from None
        if answer.status // 100 == 2:
            return answer.media, answer.body
        if answer.status == 404:
            raise NoSuchList
        raise self._refused(answer.status, self.url + target)

    def _refused(self, status: int, url: str) -> Failure:
        if status in (401, 403) and self._token_file:
            return Failure(2, f'Kuma does not accept the token in {self._token_file} for {url} (HTTP {status})')
        if status in (401, 403):
            return Failure(2, f'Kuma wants a token for {url} (HTTP {status}): state --kuma-token-file')
        if status // 100 == 3:
            return Failure(2, f'{url} is a redirection (HTTP {status}), which is not followed: state the address that it leads to')
        if status // 100 == 5:
            return Failure(3, f'Kuma is in trouble: it answered HTTP {status} to GET {url}')
        return Failure(2, f'Kuma answered HTTP {status} to GET {url}')


def total_of(page: dict) -> int:
    """Returns how many items the whole list states that it has; 0 if it does not state it."""
    total = page.get('total')
    return int(total) if isinstance(total, (int, float)) and not isinstance(total, bool) else 0

"""How a lease is named, in paths and in words, and how many of them are read."""
from collections.abc import Callable, Iterator

from .server import Server
from .words import text, uri

PLURALS = {'MeshService': 'services', 'MeshExternalService': 'externalservices', 'MeshMultiZoneService': 'multizoneservices'}
FIRST_PAGE, PAGE = 500, 5000  # the first page is small, so that it appears soon


def target_of(zone: str, mesh: str, kind: str, service: str) -> str:
    """Returns the lease's path."""
    return f'/v1/meshes/{uri(mesh)}/zones/{uri(zone)}/{PLURALS[kind]}/{uri(service)}'


def of_zone(lease: dict) -> str:
    """Names the service and its zone."""
    return f'{text(lease["service"])} of zone {text(lease["zone"])}'


def in_full(lease: dict) -> str:
    """Names the service with its kind, zone and mesh."""
    return f'{text(lease["kind"])} {of_zone(lease)}, mesh {text(lease["mesh"])}'


def tag_of(lease: dict) -> str:
    """Returns the lease's entity tag, without its quotes."""
    version = lease.get('version')
    if not version:
        return text(lease['revision'])
    from hashlib import sha256
    return f'{text(lease["revision"])}-{sha256(version.encode()).hexdigest()[:8]}'


def pages(server: Server, target: str, limit: int | None, fetch: Callable[[str], dict] | None = None) -> Iterator[list]:
    """Yields the leases, page by page. `target` has a query, even an empty one; `fetch` GETs a page in place of Server.fetch()."""
    size, following = FIRST_PAGE, ''
    while True:
        if limit is not None:
            size = min(size, limit)
        page = (fetch or server.fetch)(f'{target}&limit={size}{following}')
        with server.reading():
            items = page['items']
            if not isinstance(items, list):
                raise TypeError(items)
            following = '&continue=' + uri(page['continue']) if page.get('continue') else ''
        yield items
        if limit is not None:
            limit -= len(items)
        if not following or limit == 0:
            return
        size = PAGE

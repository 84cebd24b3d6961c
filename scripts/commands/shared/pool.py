"""Reads a server's pool, and changes its configuration."""
import ipaddress
from collections.abc import Callable

from .failure import Failure
from .server import Server
from .words import joined, text, uri

SHOWN = 32  # ranges of a list

Change = Callable[[dict], None]
"""Changes a pool in place, or raises Failure if that is impossible."""


def target_of(name: str) -> str:
    """Returns the pool's path."""
    return f'/v1/pools/{uri(name)}'


def forms(value: str) -> list[str]:
    """Returns a range as the server may write it: an address with its prefix length, and FIRST-LAST as a CIDR where it is one."""
    first, dash, last = value.lower().partition('-')
    if not dash:
        return [first, first + '/32', first + '/128']
    try:
        ends = ipaddress.ip_address(first), ipaddress.ip_address(last)
        networks = list(ipaddress.summarize_address_range(*ends))
    except (TypeError, ValueError):  # which the server refuses
        return [value.lower()]
    return [f'{ends[0]}-{ends[1]}', *(str(network) for network in networks if len(networks) == 1)]


def add(name: str, value: str) -> Change:
    """Returns a change that adds the value to the list."""
    def change(pool: dict) -> None:
        values = pool.get(name) or []
        if not any(form in values for form in forms(value)):
            pool[name] = [*values, value]
    return change


def remove(name: str, value: str) -> Change:
    """Returns a change that removes the range from the list, in whatever form the server writes it."""
    def change(pool: dict) -> None:
        removed = forms(value)
        left = [one for one in pool[name] if one not in removed]
        if len(left) == len(pool[name]):
            raise Failure(1, f'{text(pool.get("pool"))} has no {value} in its {name}: {some(pool[name])}')
        pool[name] = left
    return change


def only(name: str, values: list[str]) -> Change:
    """Returns a change that replaces the list by these values; '*' among them empties it, which means all."""
    def change(pool: dict) -> None:
        pool[name] = [] if '*' in values else sorted(set(values))
    return change


def put(name: str, value) -> Change:
    """Returns a change that sets a member to this value."""
    def change(pool: dict) -> None:
        pool[name] = value
    return change


def changed(pool: dict, changes: list[Change]) -> dict:
    """Returns the pool after all changes. Other members stay, even unknown ones."""
    result = dict(pool)
    for change in changes:
        change(result)
    if result.get('cidrs') == []:
        raise Failure(1, f'that is the last range of {text(result.get("pool"))}: add another one first, or delete the pool')
    return result


def some(ranges: list[str]) -> str:
    """Lists ranges, of which a pool may have thousands."""
    return joined(ranges[:SHOWN]) + (f', and {len(ranges) - SHOWN} more' if len(ranges) > SHOWN else '')


def unless_changed(server: Server, revision) -> dict:
    """Returns headers with which a write is refused if the configuration has another revision by now."""
    server.advice['precondition-failed'] = '(somebody else changed the pool; look at it again)'
    return {} if revision is None else {'If-Match': f'"{text(revision)}"'}


def edit(server: Server, name: str, changes: list[Change], query: str = '', revision: str | None = None) -> dict:
    """Changes a pool on the server, unless somebody else does so meanwhile. Returns its new state.

    `query` is appended to the PUT's path. `revision`: the one that the configuration must still have.
    """
    before = server.ask('GET', target_of(name))
    with server.reading():
        after = changed(before, changes)
        headers = unless_changed(server, before.get('revision') if revision is None else revision)
    return server.ask('PUT', target_of(name) + query, after, headers=headers)

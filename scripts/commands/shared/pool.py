"""Reads a server's pool, and changes its configuration."""
from collections.abc import Callable

from .failure import Failure
from .server import Server
from .words import joined, text, uri

Change = Callable[[dict], None]
"""Changes a pool in place, or raises Failure if that is impossible."""


def target_of(name: str) -> str:
    """Returns the pool's path."""
    return f'/v1/pools/{uri(name)}'


def add(name: str, value: str) -> Change:
    """Returns a change that adds the value to the list."""
    def change(pool: dict) -> None:
        values = pool.get(name) or []
        if value.lower() not in values:
            pool[name] = [*values, value]
    return change


def remove(name: str, value: str) -> Change:
    """Returns a change that removes the range from the list, whether the server writes an address with or without a prefix length."""
    def change(pool: dict) -> None:
        forms = [value.lower() + suffix for suffix in ('', '/32', '/128')]
        left = [one for one in pool[name] if one not in forms]
        if len(left) == len(pool[name]):
            raise Failure(1, f'{text(pool.get("pool"))} has no {value} in its {name}: {joined(pool[name])}')
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


def edit(server: Server, name: str, changes: list[Change], query: str = '') -> dict:
    """Changes a pool on the server. Returns its new state. `query` is appended to the PUT's path."""
    before = server.ask('GET', target_of(name))
    with server.reading():
        after = changed(before, changes)
    return server.ask('PUT', target_of(name) + query, after)

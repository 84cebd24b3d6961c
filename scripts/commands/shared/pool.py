"""A pool as the server has it, and changes of what is configured in it."""
from collections.abc import Callable

from .failure import Failure
from .server import Server
from .words import joined, text, uri

Change = Callable[[dict], None]
"""Changes a pool in place, or raises Failure if it cannot be done."""


def target_of(name: str) -> str:
    """Where the pool is."""
    return f'/v1/pools/{uri(name)}'


def add(name: str, value: str) -> Change:
    """A change: the list has the value, too."""
    def change(pool: dict) -> None:
        values = pool.get(name) or []
        if value.lower() not in values:
            pool[name] = [*values, value]
    return change


def remove(name: str, value: str) -> Change:
    """A change: the list has the range no more, whether the server writes an address alone or with the length of its prefix."""
    def change(pool: dict) -> None:
        forms = [value.lower() + suffix for suffix in ('', '/32', '/128')]
        left = [one for one in pool[name] if one not in forms]
        if len(left) == len(pool[name]):
            raise Failure(1, f'{text(pool.get("pool"))} has no {value} in its {name}: {joined(pool[name])}')
        pool[name] = left
    return change


def only(name: str, values: list[str]) -> Change:
    """A change: the list has these values and no others; '*' among them means that it has none, which is for all."""
    def change(pool: dict) -> None:
        pool[name] = [] if '*' in values else sorted(set(values))
    return change


def put(name: str, value) -> Change:
    """A change: a member has this value."""
    def change(pool: dict) -> None:
        pool[name] = value
    return change


def changed(pool: dict, changes: list[Change]) -> dict:
    """The pool after all changes. What is not touched stays, whether it is known here or not."""
    result = dict(pool)
    for change in changes:
        change(result)
    if result.get('cidrs') == []:
        raise Failure(1, f'that is the last range of {text(result.get("pool"))}: add another one first, or delete the pool')
    return result


def edit(server: Server, name: str, changes: list[Change], query: str = '') -> dict:
    """Changes a pool of the server's; returns it as it is then. `query` is what the PUT has behind its path."""
    before = server.ask('GET', target_of(name))
    with server.reading():
        after = changed(before, changes)
    return server.ask('PUT', target_of(name) + query, after)

"""Formats values from JSON for people: times, durations, addresses, rows of a table.

A missing value is None and shows as "-" in a row. A value of the wrong type raises TypeError, ValueError or AttributeError, which
Server.reading() turns into one message."""


def at(value, *names: str):
    """Returns the member of a member of an object; None if any of them is missing or null."""
    for name in names:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise TypeError(f'not an object: {value!r}')
        value = value.get(name)
    return value


def text(value) -> str:
    """Formats a value within a sentence: text unchanged, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    from .screen import to_json
    return to_json(value)


_CELL = {ord('\t'): '\\t', ord('\n'): '\\n', ord('\r'): '\\r', ord('\\'): '\\\\'}


def cell(value) -> str:
    """Formats a value for a table: text on one line. Objects and arrays are not allowed."""
    if value is None:
        return ''
    if isinstance(value, (dict, list)):
        raise TypeError(f'not a cell: {value!r}')
    return text(value).translate(_CELL)


def cells(values) -> list[str]:
    """Makes a row in which missing values stay empty."""
    return [cell(value) for value in values]


def row(values) -> list[str]:
    """Makes a row of a table, with "-" for missing or empty values."""
    return [cell(value) or '-' for value in values]


def time(value: str | None) -> str | None:
    """Formats a time from the server without its fraction."""
    return None if value is None else value[:19] + 'Z'


def ips(vips: list | None) -> str:
    """Formats the addresses of a lease."""
    return ','.join(text(at(vip, 'ip')) if at(vip, 'ip') is not None else '' for vip in vips or [])


def joined(values: list, separator: str = ', ') -> str:
    """Joins texts with a separator."""
    return separator.join('' if value is None else text(value) for value in values)


def many(number, word: str) -> str:
    """Formats a number of things: "1 lease", "2 leases"."""
    return f'{text(number)} {word}{"" if number == 1 else "s"}'


def duration(seconds: int) -> str:
    """Formats seconds in the largest unit that is exact."""
    for size, unit in ((86400, 'd'), (3600, 'h'), (60, 'm')):
        if seconds and seconds % size == 0:
            return f'{seconds // size}{unit}'
    return f'{seconds}s'


_UNRESERVED = frozenset(b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~')


def uri(value) -> str:
    """Escapes a text for a path or a query."""
    data = text(value).encode('utf-8', 'surrogateescape')
    return ''.join(chr(byte) if byte in _UNRESERVED else f'%{byte:02X}' for byte in data)

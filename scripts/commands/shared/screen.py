"""Standard output and standard error: what is written there, and nothing that a terminal would obey or be fooled by.

All text goes through plain() or, as JSON, through escaped(). Output is collected and written in large pieces; flush() writes what is left.
"""
import os

from .failure import Ended, Failure

# Control characters except tab and newline, C1 controls, and characters that change the direction of writing or end a line.
_TRICKY = [*range(9), *range(0xb, 0x20), *range(0x7f, 0xa0), 0x61c, 0x200e, 0x200f, *range(0x2028, 0x202f), *range(0x2066, 0x206a)]
_PLAIN = dict.fromkeys(_TRICKY, '?')
_ONE_LINE = {**_PLAIN, 9: '?', 10: '?'}
_ESCAPED = {code: f'\\u{code:04x}' for code in _TRICKY}
_PIECE = 65536

command = ''  # the command that runs; messages begin with it
_pending: list[bytes] = []
_pending_size = 0


def plain(text: str) -> str:
    """The text with a question mark for each character that a terminal could obey; tabs and newlines stay."""
    return text.translate(_PLAIN)


def one_line(text: str) -> str:
    """As plain(), for a message: tabs and newlines go as well."""
    return text.translate(_ONE_LINE)


def escaped(text: str) -> str:
    """JSON text in which each such character is written as an escape; in JSON they can only be part of a string."""
    return text.translate(_ESCAPED)


def encoded(text: str) -> bytes:
    """UTF-8. Bytes of an argument or a file name that are not UTF-8 become what they were."""
    try:
        return text.encode('utf-8', 'surrogateescape')
    except UnicodeEncodeError:
        return text.encode('utf-8', 'replace')


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def flush() -> None:
    """Writes what is pending. A reader that has left ends the command quietly, as SIGPIPE would; any other failure is reported."""
    global _pending_size
    data = b''.join(_pending)
    _pending.clear()
    _pending_size = 0
    try:
        _write_all(1, data)
    except BrokenPipeError:
        raise Ended(141) from None
    except OSError:
        raise Failure(2, 'the output cannot be written') from None


def _write(text: str) -> None:
    global _pending_size
    data = encoded(text)
    _pending.append(data)
    _pending_size += len(data)
    if _pending_size >= _PIECE:
        flush()


def put(text: str) -> None:
    """Writes lines of text to standard output."""
    _write(plain(text))


def put_line(words: str) -> None:
    """Writes one line to standard output."""
    _write(one_line(words) + '\n')


def put_json(value, lines: bool = False) -> None:
    """Writes a value as JSON: indented, or on one line."""
    _write(escaped(to_json(value, None if lines else 2)) + '\n')


def to_json(value, indent: int | None = None) -> str:
    """The value as JSON, compact unless an indent is given."""
    import json  # only commands that speak to a server need it
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=(',', ':') if indent is None else None)


def to_stderr(text: str) -> None:
    """Writes text to standard error at once, behind what went to standard output. A failure is ignored: there is no place to report it."""
    flush()
    try:
        _write_all(2, encoded(plain(text)))
    except OSError:
        pass


def say(words: str, name: str | None = None) -> None:
    """Writes one line to standard error that begins with the command's name, or with another command's."""
    name = command if name is None else name
    to_stderr(f'holdfast{" " + name if name else ""}: {one_line(words)}\n')


class Table:
    """Aligns rows of cells; the first row is the head. Columns never become narrower, so that batches of rows fit each other."""

    def __init__(self, minima: tuple[int, ...] = ()):
        """`minima` are the least widths of the columns from the left."""
        self._widths = list(minima)

    def put(self, rows: list) -> None:
        """Writes a batch of rows; each is a list of texts, as row() in words.py makes them."""
        rows = [[plain(cell) for cell in row] for row in rows]
        widths = self._widths
        for row in rows:
            widths.extend([0] * (len(row) - len(widths)))
            for i, cell in enumerate(row):
                if len(cell) > widths[i]:
                    widths[i] = len(cell)
        for row in rows:
            cells = [cell.ljust(widths[i] + 2) if i < len(widths) - 1 else cell for i, cell in enumerate(row)]
            _write(''.join(cells).rstrip(' ') + '\n')


def ask(question: str) -> bool:
    """Asks at standard error, and reads the answer from standard input; anything but yes is no."""
    to_stderr(f'{one_line(question)} [y/N] ')
    answer = b''
    try:
        while not answer.endswith(b'\n'):
            byte = os.read(0, 1)
            if not byte:
                break
            answer += byte
    except OSError:
        pass
    return answer.strip() in (b'y', b'Y', b'yes', b'Yes', b'YES')


def confirm(yes: bool, question: str) -> None:
    """Goes on if `yes` (--yes was given) or if the answer is yes."""
    if not yes and not ask(question):
        raise Failure(1, 'cancelled')


def must_be_able_to_ask(yes: bool, what: str) -> None:
    """Refuses what has to be confirmed if nobody can be asked and --yes was not given."""
    if not yes and not os.isatty(0):
        raise Failure(2, f'{what} asks first, and there is no terminal to ask at: state --yes if it is meant')

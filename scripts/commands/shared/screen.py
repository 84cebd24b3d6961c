"""Writes to standard output and standard error, and nothing that could control or mislead a terminal.

All text goes through plain() or, as JSON, through escaped(). Output is collected and written in large pieces; flush() writes the rest."""
import os

from .failure import Ended, Failure

# Control characters except tab and newline, C1 controls, and characters that change the writing direction or end a line.
_TRICKY = [*range(9), *range(0xb, 0x20), *range(0x7f, 0xa0), 0x61c, 0x200e, 0x200f, *range(0x2028, 0x202f), *range(0x2066, 0x206a)]
_PLAIN = dict.fromkeys(_TRICKY, '?')
_ONE_LINE = {**_PLAIN, 9: '?', 10: '?'}
_ESCAPED = {code: f'\\u{code:04x}' for code in _TRICKY}
_PIECE = 65536

command = ''  # the running command; messages begin with its name
_pending: list[bytes] = []
_pending_size = 0
_drawn = False  # whether the terminal's last line is one of redraw()


def plain(text: str) -> str:
    """Replaces each character that could control a terminal by a question mark; keeps tabs and newlines."""
    return text.translate(_PLAIN)


def one_line(text: str) -> str:
    """Cleans a message as plain() does, and also removes tabs and newlines."""
    return text.translate(_ONE_LINE)


def escaped(text: str) -> str:
    """Escapes each such character in JSON text, where it can only be part of a string."""
    return text.translate(_ESCAPED)


def encoded(text: str) -> bytes:
    """Encodes as UTF-8. Bytes of an argument or a file name that are not UTF-8 are written unchanged."""
    try:
        return text.encode('utf-8', 'surrogateescape')
    except UnicodeEncodeError:
        return text.encode('utf-8', 'replace')


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def flush() -> None:
    """Writes pending output. Ends the command quietly, as SIGPIPE would, if the reader has gone; reports any other failure."""
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
    """Returns the value as JSON, compact unless an indent is given."""
    import json  # only needed by commands that talk to a server
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=(',', ':') if indent is None else None)


def to_stderr(text: str) -> None:
    """Writes text to standard error at once, after pending standard output. Ignores a failure: it cannot be reported anywhere."""
    global _drawn
    flush()
    clear, _drawn = (b'\r\x1b[K' if _drawn else b''), False
    try:
        _write_all(2, clear + encoded(plain(text)))
    except OSError:
        pass


def redraw(words: str) -> None:
    """Writes a line to a terminal's standard error in place of the previous such line. Other messages take its place, too."""
    global _drawn
    to_stderr('')
    try:
        _write_all(2, encoded(one_line(words)))
    except OSError:
        pass
    _drawn = True


def end_redraw() -> None:
    """Keeps the line of redraw(), if there is one: what is written next begins a new line."""
    global _drawn
    if _drawn:
        _drawn = False
        to_stderr('\n')


def say(words: str, name: str | None = None) -> None:
    """Writes one line to standard error that begins with the name of this command, or of another."""
    name = command if name is None else name
    to_stderr(f'holdfast{" " + name if name else ""}: {one_line(words)}\n')


class Table:
    """Aligns rows of cells; the first row is the head. Columns never become narrower, so that batches of rows fit each other."""

    def __init__(self, minima: tuple[int, ...] = ()):
        """`minima` are the minimum widths of the columns, from the left."""
        self._widths = list(minima)

    def put(self, rows: list) -> None:
        """Writes a batch of rows; each is a list of texts, as row() in words.py makes it."""
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
    """Asks on standard error, and reads the answer from standard input; anything except yes is no."""
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
    """Continues if `yes` (--yes was given) or if the answer is yes."""
    if not yes and not ask(question):
        raise Failure(1, 'cancelled')


def must_be_able_to_ask(yes: bool, what: str) -> None:
    """Refuses an action that needs confirmation if nobody can be asked and --yes was not given."""
    if not yes and not os.isatty(0):
        raise Failure(2, f'{what} needs confirmation, and standard input is not a terminal: confirm with --yes')

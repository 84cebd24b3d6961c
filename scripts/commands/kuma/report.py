"""A report of a command for Kuma: one object with --json, else tables and words."""
from collections.abc import Iterable

from shared import screen
from shared.words import row

from .documents import Item


def counts(items: Iterable[Item], verdicts: Iterable[str]) -> dict[str, int]:
    """How many items have each of these verdicts, in their order."""
    given = [item.verdict for item in items]
    return {verdict: given.count(verdict) for verdict in verdicts}


def has_have(number: int) -> str:
    """The verb for so many."""
    return 'has' if number == 1 else 'have'


class Report:
    """The object, and what is said of it instead."""

    def __init__(self, told: dict):
        self._told, self._tables, self._words = told, [], []

    def table(self, head: tuple, rows: list) -> None:
        """A table with a head, if it has rows."""
        self._tables.append([row(values) for values in (head, *rows)] if rows else [])

    def rows(self, rows: list[list[str]]) -> None:
        """A table without a head, of cells."""
        self._tables.append(rows)

    def words(self, *lines: str) -> None:
        """Lines behind the tables."""
        self._words += lines

    def put(self, as_json: bool) -> None:
        """Writes it to standard output."""
        if as_json:
            screen.put_json(self._told)
            return
        for rows in self._tables:
            screen.Table().put(rows)
        for line in self._words:
            screen.put(line + '\n')

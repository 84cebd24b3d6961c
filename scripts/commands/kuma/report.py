"""The report of a command for Kuma: one object with --json, otherwise tables and sentences."""
from collections.abc import Iterable

from shared import screen
from shared.words import row

from .documents import Item


def counts(items: Iterable[Item], verdicts: Iterable[str]) -> dict[str, int]:
    """Counts the items by verdict, in the order of the verdicts."""
    given = [item.verdict for item in items]
    return {verdict: given.count(verdict) for verdict in verdicts}


def has_have(number: int) -> str:
    """Returns the verb for a number."""
    return 'has' if number == 1 else 'have'


class Report:
    """Holds the object for --json, and the text that replaces it."""

    def __init__(self, told: dict):
        self._told, self._tables, self._words = told, [], []

    def table(self, head: tuple, rows: list) -> None:
        """Adds a table with a head, if it has rows."""
        self._tables.append([row(values) for values in (head, *rows)] if rows else [])

    def rows(self, rows: list[list[str]]) -> None:
        """Adds a table of cells without a head."""
        self._tables.append(rows)

    def words(self, *lines: str) -> None:
        """Adds lines after the tables."""
        self._words += lines

    def put(self, as_json: bool) -> None:
        """Writes the report to standard output."""
        if as_json:
            screen.put_json(self._told)
            return
        for rows in self._tables:
            screen.Table().put(rows)
        for line in self._words:
            screen.put(line + '\n')

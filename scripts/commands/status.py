"""Show the server's version, its store, and how full it is"""
from shared import screen
from shared.options import parse
from shared.server import Server
from shared.words import at, cells, text

USAGE = '''Usage: holdfast status [--json]
Shows the server's version, its store (id, epoch, revision), the numbers of leases, pools and zones, and the size of its database.

  --json   the server's answer to GET /v1/status
'''


def mebibytes(size: int) -> str:
    """Returns bytes in MiB with at most one digit after the point."""
    tenths = int(size / 1048576 * 10 + 0.5)
    return f'{tenths // 10}.{tenths % 10} MiB' if tenths % 10 else f'{tenths // 10} MiB'


def known(value) -> str:
    """Returns a version or a number, or that it is unknown."""
    is_known = isinstance(value, str) and value or isinstance(value, (int, float)) and not isinstance(value, bool)
    return text(value) if is_known else 'unknown'


def rows(url: str, status: dict) -> list[list[str]]:
    """Returns the lines to show."""
    changes = f'changes kept from {status["compactedRevision"] + 1}' if status['changes'] > 0 else 'no changes kept'
    leases = [text(at(status, 'leases', state)) for state in ('active', 'quarantined')]
    return [cells(row) for row in (
        ('server', f'{url}, version {known(status.get("version"))}, up {known(status.get("uptimeSeconds"))} s'),
        ('store', f'{text(status["storeId"])}, format {known(status.get("format"))}, epoch {text(status["storeEpoch"])}, '
                  f'since {text(status["createdAt"])}'),
        ('revision', f'{text(status["revision"])}, {changes}'),
        ('leases', f'{leases[0]} active, {leases[1]} in quarantine'),
        ('pools', text(status['pools'])),
        ('zones', text(status['zones'])),
        ('database', f'{mebibytes(status["usedBytes"])} of {mebibytes(status["mapBytes"])}'))]


def main(arguments: list[str]) -> None:
    options = parse(arguments, flags=('--json',))
    server = Server()
    status = server.ask('GET', '/v1/status')
    if '--json' in options:
        screen.put_json(status)
        return
    with server.reading():
        lines = rows(server.url, status)
    screen.Table().put(lines)

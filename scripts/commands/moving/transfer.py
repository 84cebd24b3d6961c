"""Transfers: leases go to other names, with everything that they have; all of them or none."""
import os

from shared import screen
from shared.client import Answer
from shared.failure import Failure, WrongArguments
from shared.options import Arguments
from shared.server import Server, read_json
from shared.words import at, ips, many, row, text

ITEMS_MAX = 100000  # of one transfer
ROWS_MAX = 20       # a longer table is not shown
TARGET = '/v1/transfers'
JSON, NDJSON = 'application/json', 'application/x-ndjson'


class Batch:
    """The items of one transfer, and the body that states them."""

    def __init__(self, body: bytes, media: str, items: list[dict]):
        self.body, self.media, self.items = body, media, items


def make_batch(pairs) -> Batch:
    """Returns the transfer of leases, each a pair of identities, from and to."""
    items = [{'from': old, 'to': new} for old, new in pairs]
    return Batch(''.join(screen.to_json(item) + '\n' for item in items).encode('utf-8', 'replace'), NDJSON, items)


def _checked(item, where: str) -> dict:
    if not isinstance(item, dict) or not isinstance(item.get('from'), dict) or not isinstance(item.get('to'), dict):
        raise Failure(2, f'{where}: it is not {{"from":{{…}},"to":{{…}}}}')
    return item


def _read_line(line: bytes, where: str) -> dict:
    try:
        item = read_json(line)
    except (ValueError, RecursionError):
        raise Failure(2, f'{where}: it is not JSON') from None
    return _checked(item, where)


def _read_items(data: bytes, name: str) -> tuple[list, str]:
    try:
        whole = read_json(data)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict) and 'items' in whole:
        if not isinstance(whole['items'], list):
            raise Failure(2, f'{name}: "items" is not an array')
        return [_checked(item, f'{name}, number {i} of "items"') for i, item in enumerate(whole['items'], 1)], JSON
    return [_read_line(line, f'{name}, line {i}') for i, line in enumerate(data.split(b'\n'), 1) if line.strip()], NDJSON


def parse_batch(data: bytes, name: str) -> Batch:
    """Reads a transfer as the API takes it: {"items":[…]}, or an item a line. `name` is the file's."""
    items, media = _read_items(data, name)
    if not items:
        raise Failure(2, f'{name}: it has no items')
    if len(items) > ITEMS_MAX:
        raise Failure(2, f'{name}: it has {len(items)} items, and one transfer takes {ITEMS_MAX}. Several transfers are not atomic together: split it '
                         'where it does no harm that one part is refused')
    return Batch(data, media, items)


def read_batch(name: str) -> Batch:
    """Reads the transfer in a file, or in standard input if the name is -."""
    pieces = []
    try:
        if name == '-':
            while piece := os.read(0, 1 << 20):
                pieces.append(piece)
        else:
            with open(name, 'rb') as file:
                pieces.append(file.read())
    except OSError as error:
        raise Failure(2, f'{name}: it cannot be read: {error.strerror}') from None
    return parse_batch(b''.join(pieces), 'standard input' if name == '-' else name)


def who(identity: dict) -> str:
    """Names a service; its kind is not stated if it is the usual one."""
    kind = identity.get('kind') or 'MeshService'
    return (f'{"" if kind == "MeshService" else text(kind) + " "}{text(identity.get("service"))} of zone {text(identity.get("zone"))}, '
            f'mesh {text(identity.get("mesh"))}')


def send(server: Server, batch: Batch, dry_run: bool, max_release: int | None, force: bool, results: bool) -> Answer:
    """Sends a transfer. Returns the answer, whatever its status; `results`: with those of all items."""
    query = [f'dryRun={"true" if dry_run else "false"}', f'return={"all" if results else "none"}']
    if max_release is not None:
        query.append(f'maxRelease={max_release}')
    if force:
        query.append('force=true')
    return server.get('POST', f'{TARGET}?{"&".join(query)}', batch.body, {'Content-Type': batch.media})


def question(batch: Batch) -> str:
    """Returns the question before a transfer."""
    first = f'{who(batch.items[0]["from"])}, to {who(batch.items[0]["to"])}'
    what = first if len(batch.items) == 1 else f'{many(len(batch.items), "lease")}, the first of them {first}'
    return f'Transfer {what}? The addresses go along; the old names have none then.'


def summary(answer: dict) -> str:
    """Returns what a transfer did, or would do."""
    leases = many(answer['transferred'], 'lease') + ', each with its address'
    if answer['dryRun']:
        return f'would transfer {leases}; nothing was written'
    return f'transferred: {leases}, at revision {text(answer["revision"])}'


def result_rows(results: list[dict]) -> list[list[str]]:
    """Writes the table of results."""
    return [['FROM', 'TO', 'VIP'], *(row([who(at(result, 'from')), who(at(result, 'to')), ips(at(result, 'vips'))]) for result in results)]


def report(server: Server, answer: dict, as_json: bool) -> None:
    """Shows what a transfer did."""
    if as_json:
        screen.put_json(answer)
        return
    with server.reading():
        rows, words = result_rows(answer['results']), summary(answer)
    if len(rows) > 1:
        screen.Table().put(rows)
    screen.put_line(words)


def batch_of(options: Arguments) -> Batch:
    """Returns the transfer that the command line states."""
    if '--file' in options:
        return read_batch(options.get('--file'))
    mesh, kind = options.get('--mesh', 'default'), options.get('--kind', 'MeshService')
    old = {'kind': kind, 'mesh': mesh, 'zone': options.word(0), 'service': options.word(1)}
    new = {'kind': options.get('--to-kind', kind), 'mesh': options.get('--to-mesh', mesh), 'zone': options.word(2), 'service': options.word(3)}
    if old == new:
        raise WrongArguments('transfer: both names are the same')
    return make_batch([(old, new)])


def transfer(options: Arguments) -> None:
    """leases transfer"""
    yes, dry_run, as_json = '--yes' in options, '--dry-run' in options, '--json' in options
    screen.must_be_able_to_ask(yes or dry_run, 'a transfer')
    batch, server = batch_of(options), Server()
    server.advice['mass-release-guard'] = '(--max-release 100, if that is meant)'
    if '--force' not in options:
        server.advice['zone-offline'] = '(--force)'
    limits = options.get('--max-release'), '--force' in options
    if not dry_run and not yes:
        server.understood(send(server, batch, True, *limits, False), TARGET)  # nobody is asked about what is refused
        screen.confirm(yes, question(batch))
    answer = send(server, batch, dry_run, *limits, as_json or len(batch.items) <= ROWS_MAX)
    report(server, server.understood(answer, TARGET), as_json)

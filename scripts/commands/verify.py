"""Check all invariants of a running server's store, of a data directory, or of a backup"""
from shared import daemon, screen
from shared.failure import WrongArguments
from shared.options import Arguments, no_dash, parse
from shared.server import Server
from shared.words import many, text

USAGE = '''Usage: holdfast verify [PATH] [--data-dir DIR] [--json]
Checks that everything in a store fits together: leases and addresses both ways, free extents, deadlines, history, the feed, counters and digests.
Nothing is changed. Each violation is named with its table, its key and what was expected.

  PATH     a data directory, whose server may be running, or a backup; without it, the running server checks its own store (POST /v1/verify)
  --data-dir DIR
           the same as DIR for PATH
  --json   print the counts and the violations (the first 1,000) as JSON

Exit status: 0 good; 1 violations were found; 2 wrong arguments, or unreadable; 3 the server cannot be reached.
'''


def lines(report: dict) -> list[str]:
    """Writes a report."""
    counts = {name: text(count) for name, count in report['counts'].items()}
    violations = report['violations']
    return [f'store {text(report["storeId"])}, epoch {text(report["storeEpoch"])}, revision {text(report["revision"])}',
            *(f'  {text(item["table"])}: {text(item["detail"])}' for item in report['items']),
            '{leases} leases, {addresses} addresses, {holders} past holders, {pools} pools with {extents} free extents, {zones} zones with {scopes} '
            'scopes, {deadlines} deadlines, {changes} changes, {remembered} remembered addresses'.format_map(counts),
            many(violations, 'violation') if violations else 'good: every invariant holds']


def path_of(options: Arguments) -> str:
    """Returns the path that was given, or None."""
    paths = [*options.all('--data-dir'), *options.words]
    if len(paths) > 1:
        raise WrongArguments('one path at a time')
    if '' in paths:
        raise WrongArguments('the path is empty')
    return ''.join(paths)


def main(arguments: list[str]) -> int:
    options = parse(arguments, values={'--data-dir': None}, flags=('--json', '--'), is_word=no_dash)
    path, json = path_of(options), '--json' in options
    if path:
        daemon.execute(daemon.binary(), 'verify', *(['--json'] if json else []), '--', path)
    server = Server()
    report = server.ask('POST', '/v1/verify', patience=0)
    if json:
        screen.put_json(report)
    else:
        with server.reading():
            words = lines(report)
        for line in words:
            screen.put_line(line)
    return 0 if report['violations'] == 0 else 1

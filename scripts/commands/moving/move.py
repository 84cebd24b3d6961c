"""Moves one lease to another address."""
from shared import screen
from shared.lease import in_full, of_zone
from shared.options import Arguments
from shared.server import Server
from shared.words import at, ips, joined, text, time, uri


def query_of(options: Arguments) -> str:
    """Returns the query that the options state, with its question mark."""
    query = [f'address={uri(address)}' for address in options.all('--address')]
    if '--pool' in options:
        query.append('pool=' + uri(options.get('--pool')))
    query.append(f'overlap={options.get("--overlap", 0)}s')
    if '--force' in options:
        query.append('force=true')
    return '?' + '&'.join(query)


def condition(options: Arguments) -> dict:
    """Returns the header with the tag that the lease must have; its quotes may be left out."""
    tag = options.get('--if-match')
    if tag is None:
        return {}
    return {'If-Match': tag if tag == '*' or tag.startswith(('"', 'W/')) else f'"{tag}"'}


def question(lease: dict) -> str:
    """Returns the question before a move without an overlap."""
    old = ips(lease['vips'])
    return (f'Move {in_full(lease)}, away from {old}, without an overlap? {old} is free at once, the next service may get it, and clients that '
            'still use it would reach that one. (--overlap 1h keeps it for an hour.)')


def words_of(before: dict, after: dict) -> list[str]:
    """Returns what a move did, as lines."""
    old, new, who = ips(before['vips']), ips(after['vips']), of_zone(after)
    if new == old and after['pool'] == before['pool']:
        return [f'{who} is at {new} already, in pool {text(after["pool"])}; nothing was changed']
    lines = [f'moved: {who} from {old} to {new}, in pool {text(after["pool"])}']
    previous = after.get('previousVips') or []
    lines += [f'{text(vip["ip"])} works as well until {text(time(vip["until"]))} at the earliest' for vip in previous]
    bound = [at(vip, 'ip') for vip in previous + after['vips']]
    lost = [at(vip, 'ip') for vip in before['vips'] if at(vip, 'ip') not in bound]
    return lines + ([f'{joined(lost)} no longer belongs to it'] if lost else [])


def move(server: Server, target: str, options: Arguments) -> None:
    """leases move"""
    yes, asks = '--yes' in options, options.get('--overlap', 0) == 0
    if asks:
        screen.must_be_able_to_ask(yes, 'a move without an overlap')
    before = server.ask('GET', target)
    if asks:
        with server.reading():
            words = question(before)
        screen.confirm(yes, words)
    if '--force' not in options:
        server.advice['zone-offline'] = '(--force)'
    after = server.ask('POST', f'{target}/move{query_of(options)}', headers=condition(options))
    if '--json' in options:
        screen.put_json(after, lines=True)
        return
    with server.reading():
        lines = words_of(before, after)
    for line in lines:
        screen.put_line(line)

"""Find leases by service, VIP or pool; show, move, transfer, release and purge them"""
from moving.move import move
from moving.transfer import transfer
from shared import options as checks
from shared import screen
from shared.failure import Failure, WrongArguments
from shared.lease import in_full, of_zone, pages, tag_of, target_of
from shared.options import Arguments, no_dash, only, parse
from shared.server import Server
from shared.words import at, cells, ips, row, text, time, uri

USAGE = '''Usage: holdfast leases [find] [SERVICE|PREFIX*] [--zone ZONE] [--mesh MESH] [--kind KIND] [--pool POOL]
                       [--state active|quarantined] [--limit N] [--json]
       holdfast leases [find] --vip IP [--json]
       holdfast leases show ZONE SERVICE [--mesh MESH] [--kind KIND] [--json]
       holdfast leases vip IP [--json]
       holdfast leases move ZONE SERVICE [--mesh MESH] [--kind KIND] [--address IP…] [--pool POOL] [--overlap TIME] [--if-match TAG] [--force]
                       [--yes] [--json]
       holdfast leases transfer ZONE SERVICE TO-ZONE TO-SERVICE [--mesh MESH] [--kind KIND] [--to-mesh MESH] [--to-kind KIND]
                       [--max-release PERCENT] [--force] [--dry-run] [--yes] [--json]
       holdfast leases transfer --file FILE [--max-release PERCENT] [--force] [--dry-run] [--yes] [--json]
       holdfast leases release ZONE SERVICE [--mesh MESH] [--kind KIND] [--force] [--yes] [--json]
       holdfast leases purge ZONE SERVICE [--mesh MESH] [--kind KIND] [--force] [--yes] [--json]

find      the leases that match every filter, at most --limit of them. They are read in pages; a lease that changes meanwhile may be
          shown as before or as after its change.
show      everything about one lease
vip       the state of an address, which lease holds it, and which held it before
move      to another address: that of --address, at most one of each family, or the next free one of --pool, or of the lease's own pool. For
          the time of --overlap the old address stays with the service, and both work. Without one it is free at once; then it asks first.
transfer  renames a service, or all of a file, {"items":[{"from":{"kind","mesh","zone","service"},"to":{…}}]} or an item a line: the lease goes
          to the new name with its address and everything else that it has. All of them or none, at most 100,000. Asks first.
release   into quarantine: the address stays bound to the service for its pool's quarantine time. Asks first.
purge     release without quarantine: the address is free at once, and the next service may get it. Asks first.

A lease is named by its zone and service, and by its mesh and kind if these are not "default" and "MeshService".

  --vip IP          the lease that holds this address
  --overlap TIME    how long the old address works as well: 90s, 30m, 1h, 2d
  --if-match TAG    move only if the lease is as it was shown with this tag
  --file FILE       the transfers; - is standard input
  --max-release PERCENT
                    transfer: how many of a zone's, mesh's or kind's leases may leave it; default 20, 100 for all
  --dry-run         show what would be transferred, and write nothing
  --force           even if the zone is offline and its leases are frozen
  --yes             do not ask
  --json            leases: one a line, as the server sends them; vip: the server's answer with its "history"; transfer: the server's answer
'''


HEAD = ['ZONE', 'MESH', 'KIND', 'SERVICE', 'VIP', 'STATE', 'POOL', 'GEN', 'CHANGED']
FILTERS = ('--zone', '--mesh', '--kind', '--pool', '--state')
NAMING = ('--mesh', '--kind')
TRANSFERRING = ('--max-release', '--force', '--dry-run', '--yes')
TAKES = {'show': NAMING, 'move': (*NAMING, '--address', '--pool', '--overlap', '--if-match', '--force', '--yes'),
         'transfer': (*NAMING, '--to-mesh', '--to-kind', *TRANSFERRING), 'release': (*NAMING, '--force', '--yes'),
         'purge': (*NAMING, '--force', '--yes')}
ACTIONS = ('find', 'vip', *TAKES)


def lease_row(lease: dict) -> list[str]:
    """Returns a line of the table."""
    return row([at(lease, 'zone'), at(lease, 'mesh'), at(lease, 'kind'), at(lease, 'service'), ips(at(lease, 'vips')), at(lease, 'state'),
                at(lease, 'pool'), at(lease, 'generation'), time(at(lease, 'modifiedAt'))])


def previous_rows(lease: dict) -> list[tuple]:
    """Writes the addresses that the lease has left and still holds."""
    return [('previous vip', f'{text(vip["ip"])} until {time(vip["until"])} at the earliest') for vip in lease.get('previousVips') or []]


def lease_rows(lease: dict) -> list[list[str]]:
    """Writes everything about a lease."""
    until = lease.get('quarantinedUntil')
    return [cells(line) for line in (
        ('service', lease.get('service')),
        ('zone', lease.get('zone')),
        ('mesh', lease.get('mesh')),
        ('kind', lease.get('kind')),
        ('vip', ips(lease.get('vips'))),
        *previous_rows(lease),
        ('pool', lease.get('pool')),
        ('state', text(lease['state']) + (f' until {time(until)} at the earliest' if until else '')),
        ('generation', lease.get('generation')),
        ('revision', lease.get('revision')),
        ('tag', tag_of(lease)),
        ('version', lease.get('version') or '-'),
        ('fingerprint', lease.get('fingerprint') or 'none: no configuration was sent yet'),
        ('created', time(lease.get('createdAt'))),
        ('changed', time(lease.get('modifiedAt'))))]


def address_rows(address: dict) -> list[list[str]]:
    """Writes the state of an address."""
    rows = [('address', address.get('address')), ('state', address.get('state')), ('pool', address.get('pool') or 'none, or it drains')]
    lease = address.get('lease')
    if lease:
        rows.append(('held by', in_full(lease)))
        if lease.get('quarantinedUntil'):
            rows.append(('until', f'{time(lease["quarantinedUntil"])}, unless it comes back'))
        rows += [('previous', f'until {time(vip["until"])} at the earliest; the lease has {ips(lease["vips"])} now')
                 for vip in lease.get('previousVips') or [] if vip['ip'] == address.get('address')]
    return [cells(line) for line in rows]


def history_rows(history: dict) -> list[list[str]]:
    """Writes which leases held an address."""
    return [['FROM', 'TO', 'BY', 'ZONE', 'MESH', 'KIND', 'SERVICE'],
            *(row([time(at(item, 'from')), time(at(item, 'to')) or 'now', item.get('by'), at(item, 'zone'), at(item, 'mesh'), at(item, 'kind'),
                    at(item, 'service')]) for item in history['items'])]


def place(address: dict) -> str:
    """Returns whether a free address can be given to a lease."""
    pool = address.get('pool')
    return f', in pool {text(pool)}' if pool else ': in no pool, or in a range that drains'


def find(server: Server, options: Arguments) -> None:
    """leases find"""
    query = [f'{name[2:]}={uri(value)}' for name, value in options.pairs if name in FILTERS]
    if options.word(0):
        query.append('service=' + uri(options.word(0)))
    found = pages(server, '/v1/leases?' + '&'.join(query), options.get('--limit'))
    if '--json' in options:
        for items in found:
            for lease in items:
                screen.put_json(lease, lines=True)
            screen.flush()
        return
    table, head = screen.Table(), [HEAD]
    for items in found:
        with server.reading():
            rows = head + [lease_row(lease) for lease in items]
        table.put(rows)
        screen.flush()
        head = []


def find_vip(server: Server, vip: str, json: bool) -> None:
    """leases find --vip"""
    address = server.ask('GET', f'/v1/addresses/{uri(vip)}')
    lease = address.get('lease')
    with server.reading():
        rows = [HEAD] + ([lease_row(lease)] if lease else [])
        words = f'{text(address["address"])} is {text(address["state"])}{place(address)}'
    if lease is None:
        screen.to_stderr(screen.one_line(words) + '\n')
    if not json:
        screen.Table().put(rows)
    elif lease:
        screen.put_json(lease, lines=True)


def show_vip(server: Server, vip: str, json: bool) -> None:
    """leases vip"""
    target = f'/v1/addresses/{uri(vip)}'
    address = server.ask('GET', target)
    history = server.ask('GET', target + '/history')
    if json:
        screen.put_json({**address, 'history': history['items']})
        return
    with server.reading():
        about, holders = address_rows(address), history_rows(history)
    screen.Table().put(about)
    screen.put('\n')
    screen.Table().put(holders)


def show(server: Server, target: str, json: bool) -> None:
    """leases show"""
    lease = server.ask('GET', target)
    if json:
        screen.put_json(lease, lines=True)
        return
    with server.reading():
        rows = lease_rows(lease)
    screen.Table().put(rows)


def now_free(server: Server, lease: dict) -> None:
    """Reports the state of a purged lease's addresses, as far as known: they may be in use again, or their range may be draining."""
    for vip in lease['vips']:
        try:
            address = server.ask('GET', f'/v1/addresses/{uri(at(vip, "ip"))}')
        except Failure:
            continue
        with server.reading():
            holder = address.get('lease')
            words = f'{text(address["address"])} is {text(address["state"])}' + (f': {of_zone(holder)} has it' if holder else place(address))
        screen.put_line(words)


def release_question(lease: dict) -> str:
    """Returns the question before a release."""
    return f'Release {in_full(lease)}, at {ips(lease["vips"])}?'


def purge_question(lease: dict) -> str:
    """Returns the question before a purge."""
    return (f'Purge {in_full(lease)}? Without quarantine, {ips(lease["vips"])} is free at once, '
            'the next service may get it, and clients that still use it would reach that one.')


def released(lease: dict) -> str:
    """Writes the result of a release."""
    return f'released: {of_zone(lease)} keeps {ips(lease["vips"])} in quarantine until {text(time(lease.get("quarantinedUntil")))}'


def purged(lease: dict) -> str:
    """Writes the result of a purge."""
    return f'purged: {of_zone(lease)} is gone, which had {ips(lease["vips"])}'


def remove(server: Server, target: str, options: Arguments, purge: bool) -> None:
    """leases release, leases purge"""
    yes = '--yes' in options
    screen.must_be_able_to_ask(yes, 'a purge' if purge else 'a release')
    if not yes:
        lease = server.ask('GET', target)
        with server.reading():
            question = (purge_question if purge else release_question)(lease)
        screen.confirm(yes, question)
    parameters = ['purge=true'] if purge else []
    if '--force' in options:
        parameters.append('force=true')
    else:
        server.advice['zone-offline'] = '(--force)'
    lease = server.ask('DELETE', f'{target}?{"&".join(parameters)}')
    if '--json' in options:
        screen.put_json(lease, lines=True)
        return
    with server.reading():
        words = (purged if purge else released)(lease)
    screen.put_line(words)
    if purge:
        now_free(server, lease)


def check_words(action: str, options: Arguments) -> None:
    """Refuses too few or too many words of an action that is for one lease."""
    if not options.word(0) or not options.word(1):
        raise WrongArguments(f'{action}: the zone and the service are missing')
    if action == 'transfer' and (not options.word(2) or not options.word(3)):
        raise WrongArguments('transfer: the new zone and the new service are missing')
    options.no_more_words(4 if action == 'transfer' else 2)


def check(options: Arguments) -> str:
    """Returns the action named by the words; refuses words and options that do not go with it."""
    action, words = 'find', options.words
    if words and words[0] == 'list':  # as the other commands call it
        words.pop(0)
    elif words and words[0] in ACTIONS:
        action = words.pop(0)
    if action == 'find':
        vip = '--vip' in options
        only(options, ('--vip',) if vip else (*FILTERS, '--limit'), 'find --vip' if vip else 'find')
        options.no_more_words(0 if vip else 1)
        if options.get('--limit') == 0:
            raise WrongArguments('--limit: must be at least 1')
    elif action == 'vip':
        only(options, (), 'vip' + (' --vip' if '--vip' in options else ''))
        if not options.word(0):
            raise WrongArguments('vip: the address is missing')
        options.no_more_words(1)
    elif action == 'transfer' and '--file' in options:
        only(options, ('--file', *TRANSFERRING), 'transfer --file')
        options.no_more_words(0)
    else:
        only(options, TAKES[action], action + (' --vip' if '--vip' in options else ''))
        check_words(action, options)
    return action


def main(arguments: list[str]) -> None:
    texts = ('--zone', '--mesh', '--pool', '--vip', '--address', '--if-match', '--file', '--to-mesh')
    options = parse(arguments, noun='option', is_word=no_dash, flags=('--json', '--yes', '--force', '--dry-run'),
                    values={**dict.fromkeys(texts), '--kind': checks.kind, '--to-kind': checks.kind, '--limit': checks.whole_number,
                            '--state': checks.one_of('active', 'quarantined'), '--overlap': checks.overlap, '--max-release': checks.percentage})
    action, json = check(options), '--json' in options
    if action == 'transfer':
        transfer(options)
        return
    server = Server()
    if action == 'find' and '--vip' in options:
        find_vip(server, options.get('--vip'), json)
    elif action == 'find':
        find(server, options)
    elif action == 'vip':
        show_vip(server, options.word(0), json)
    else:
        target = target_of(options.word(0), options.get('--mesh', 'default'), options.get('--kind', 'MeshService'), options.word(1))
        if action == 'show':
            show(server, target, json)
        elif action == 'move':
            move(server, target, options)
        else:
            remove(server, target, options, purge=action == 'purge')

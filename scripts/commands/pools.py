"""Show how full the pools are; create, edit, drain, migrate and delete them"""
from moving.migrate import migrate
from shared import options as checks
from shared import pool, screen
from shared.failure import Failure, WrongArguments
from shared.options import Arguments, no_dash, only, parse
from shared.server import Server, read_json
from shared.words import cells, duration, joined, row, text, time

USAGE = '''Usage: holdfast pools [list] [--json]
       holdfast pools show POOL [--json]
       holdfast pools create POOL --cidr CIDR… [--strategy sequential|hashed] [--quarantine TIME] [--reserve RANGE…]
                             [--kind KIND…] [--mesh MESH…] [--zone ZONE…] [--json]
       holdfast pools edit POOL [--add-cidr CIDR…] [--remove-cidr CIDR…] [--reserve RANGE…] [--unreserve RANGE…]
                           [--strategy sequential|hashed] [--quarantine TIME] [--kind KIND…] [--mesh MESH…] [--zone ZONE…]
                           [--if-match REVISION] [--json]
       holdfast pools drain POOL CIDR [--unreserve RANGE…] [--if-match REVISION] [--json]
       holdfast pools migrate POOL TO-POOL --overlap TIME [--rate N] [--kind KIND] [--mesh MESH] [--zone ZONE] [--force] [--dry-run] [--yes]
                              [--json]
       holdfast pools delete POOL [--if-match REVISION] [--yes] [--json]

list     every pool, a line for each family, with the share of its addresses that are leased or in quarantine
show     everything about one pool
create   creates a pool; its name must be unused
edit     changes what the options state and keeps the rest. No lease ever moves. A CIDR with held addresses must be drained instead.
         If somebody else changes the pool meanwhile, it is refused, as are drain and delete.
drain    removes a CIDR from the pool: it gets no new leases, existing ones stay, and it disappears with its last held address
migrate  moves every active lease of a pool to another pool. For the time of --overlap the old addresses stay with their services, and both
         work. Nothing is moved unless all fit. May be interrupted (Ctrl-C completes the requests under way) and run again: what is in the other
         pool is not moved again, and what the old pool gets meanwhile is moved too. Leases in quarantine stay until it ends; so do leases of
         zones that are offline, without --force. Exit status 1: something is left that should have moved, or does not fit.
         Asks first if the overlap is 0.
delete   deletes a pool without leases. Asks first.

Options marked … may be given more than once.

  --cidr CIDR          a range, such as 10.20.0.0/16, fd00:fd01::/64 or 10.0.0.10-10.0.0.99
  --reserve RANGE      addresses that are never assigned: an address, a CIDR, or FIRST-LAST
  --quarantine TIME    how long a released address stays with its service: 90s, 30m, 1h, 2d
  --kind, --mesh, --zone
                       which services the pool is for. edit: replaces the previous list; '*' means all. migrate: only these leases
  --overlap TIME       how long the old addresses work as well: 90s, 30m, 1h, 2d
  --rate N             at most N moves a second
  --dry-run            show what would move and whether it fits, and write nothing
  --force              even leases of zones that are offline
  --if-match REVISION  only if this is still the revision of the pool, as `pools show` writes it
  --yes                do not ask
  --json               the server's answer; migrate: what was done, and what is left
'''


HEAD = ['POOL', 'CIDRS', 'STRATEGY', 'CAPACITY', 'LEASED', 'QUARANTINED', 'RESERVED', 'FREE', 'USED']
CONFIGURING = ('--strategy', '--quarantine', '--kind', '--mesh', '--zone')
TAKES = {'list': (), 'show': (), 'create': ('--cidr', '--reserve', *CONFIGURING), 'drain': ('--unreserve', '--if-match'),
         'delete': ('--yes', '--if-match'),
         'migrate': ('--overlap', '--rate', '--kind', '--mesh', '--zone', '--force', '--dry-run', '--yes'),
         'edit': ('--add-cidr', '--remove-cidr', '--reserve', '--unreserve', '--if-match', *CONFIGURING)}


def number(option: str, value: str) -> str:
    """Checks the number of a revision."""
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise WrongArguments(f'{option}: "{value}" is not a revision')
    return value


def kind_or_all(option: str, value: str) -> str:
    """Checks a kind of service, or '*'."""
    return value if value == '*' else checks.kind(option, value)


def bar(family: dict) -> str:
    """Shows the share of the pool's addresses that are held, without draining ranges. Counts may exceed 64 bits, so the server writes them as text."""
    held = float(family['leased']) + float(family['quarantined']) - float(family['draining'])
    all_there_is = held + float(family['free'])
    if all_there_is <= 0:
        return '-'
    share = held / all_there_is
    marks = max(1, int(share * 10)) if held > 0 else 0
    percent = str(int(share * 100))
    if held > 0 and percent == '0':
        percent = '<1'
    elif family['free'] != '0' and int(share * 100) > 99:
        percent = '99'
    return f'[{"#" * marks}{"-" * (10 - marks)}] {percent} %'


def families(entry: dict) -> list[tuple[str, dict]]:
    """Yields the pool's counts for IPv4 and IPv6, if it has such ranges."""
    return [(family, entry[family]) for family in ('ipv4', 'ipv6') if entry.get(family)]


def cidrs_of(entry: dict, family: str) -> str:
    """Lists the ranges of a family, three at most."""
    found = [cidr for cidr in entry['cidrs'] if (':' in cidr) == (family == 'ipv6')]
    return ','.join(found[:3]) + (f',+{len(found) - 3}' if len(found) > 3 else '')


def list_rows(entries: list[dict]) -> list[list[str]]:
    """Writes the table of all pools, a row for each family."""
    return [HEAD, *(row([entry.get('pool'), cidrs_of(entry, family), entry.get('strategy'), counts.get('capacity'), counts.get('leased'),
                         counts.get('quarantined'), counts.get('reserved'), counts.get('free'), bar(counts)])
                    for entry in entries for family, counts in families(entry))]


def family_line(counts: dict) -> str:
    """Returns the counts of a family in words."""
    words = (f'{bar(counts)} of {text(counts["capacity"])}: {text(counts["leased"])} leased, {text(counts["quarantined"])} in quarantine, '
             f'{text(counts["reserved"])} reserved, {text(counts["free"])} free')
    more = (('remembered', 'of them remembered for services that had them'), ('draining', 'still held in draining ranges'),
            ('previous', 'of the leased kept by leases that were moved away'))
    return words + ''.join(f', {text(counts[name])} {what}' for name, what in more if counts.get(name, '0') != '0')


def pool_rows(entry: dict) -> list[list[str]]:
    """Writes everything about a pool."""
    def or_all(names: list) -> str:
        return joined(names) if names else 'all'
    rows = [('pool', entry.get('pool')), ('cidrs', pool.some(entry['cidrs']))]
    if entry['draining']:
        rows.append(('draining', pool.some(entry['draining'])))
    rows += [('reserved', pool.some(entry['reserved']) if entry['reserved'] else 'nothing'),
             ('strategy', entry.get('strategy')),
             ('quarantine', duration(entry['quarantineSeconds'])),
             ('for', f'kinds: {or_all(entry["kinds"])}; meshes: {or_all(entry["meshes"])}; zones: {or_all(entry["zones"])}'),
             ('leases', f'{text(entry["leases"]["active"])} active, {text(entry["leases"]["quarantined"])} in quarantine'),
             *((family, family_line(counts)) for family, counts in families(entry)),
             ('revision', f'{text(entry.get("revision"))}, {text(time(entry.get("modifiedAt")))}')]
    return [cells(line) for line in rows]


def tell(server: Server, entry: dict, json: bool) -> None:
    """Shows a pool."""
    if json:
        screen.put_json(entry)
        return
    with server.reading():
        rows = pool_rows(entry)
    screen.Table().put(rows)


def changes_of(options: Arguments) -> list[pool.Change]:
    """Returns the changes that the options state."""
    makers = {'--cidr': lambda value: pool.add('cidrs', value), '--add-cidr': lambda value: pool.add('cidrs', value),
              '--remove-cidr': lambda value: pool.remove('cidrs', value), '--reserve': lambda value: pool.add('reserved', value),
              '--unreserve': lambda value: pool.remove('reserved', value), '--strategy': lambda value: pool.put('strategy', value),
              '--quarantine': lambda value: pool.put('quarantineSeconds', value)}
    changes = [makers[option](value) for option, value in options.pairs if option in makers]
    lists = (('kinds', '--kind'), ('meshes', '--mesh'), ('zones', '--zone'))
    return changes + [pool.only(name, options.all(option)) for name, option in lists if option in options]


def show_all(server: Server, json: bool) -> None:
    """pools list"""
    found = server.all_pages('/v1/pools')
    if json:
        screen.put_json(found)
        return
    with server.reading():
        rows = list_rows(found['items'])
    screen.Table().put(rows)


def create(server: Server, name: str, changes: list[pool.Change]) -> dict:
    """Creates the new pool."""
    answer = server.get('GET', pool.target_of(name))
    if answer.status // 100 == 2:
        with server.reading():
            is_pool = read_json(answer.body)['pool']
        raise Failure(1, f'{name} already exists; change it with pools edit') if is_pool else server.strange()
    if answer.status != 404:
        raise server.refused(answer)
    server.problem(answer)  # which a server of something else does not have
    return server.ask('PUT', pool.target_of(name), pool.changed({'cidrs': [], 'reserved': []}, changes), headers={'If-None-Match': '*'})


def drain(server: Server, name: str, cidr: str, changes: list[pool.Change], revision: str | None, json: bool) -> None:
    """pools drain"""
    server.advice['invalid-parameter'] = '(state --unreserve CIDR, so that it goes with the range)'
    after = pool.edit(server, name, [*changes, pool.remove('cidrs', cidr)], '?drain=true', revision)
    tell(server, after, json)
    if after.get('draining') == []:
        screen.say('it had no held addresses; the range is gone')


def delete(server: Server, name: str, yes: bool, revision: str | None, json: bool) -> None:
    """pools delete"""
    screen.must_be_able_to_ask(yes, 'a deletion')
    if not yes:
        before = server.ask('GET', pool.target_of(name))
        with server.reading():
            question = f'Delete pool {text(before["pool"])} with {pool.some(before["cidrs"])}?'
            revision = before.get('revision') if revision is None else revision
        screen.confirm(yes, question)
    deleted = server.ask('DELETE', pool.target_of(name), headers=pool.unless_changed(server, revision))
    if json:
        screen.put_json(deleted)
        return
    with server.reading():
        words = f'deleted: pool {text(deleted["pool"])}, {pool.some(deleted["cidrs"])}'
    screen.put_line(words)


def check_migrate(options: Arguments) -> None:
    """Refuses options that do not go with a migration."""
    if '--overlap' not in options:
        raise WrongArguments('migrate: --overlap is missing; with 0 the old addresses are free at once')
    for option in ('--kind', '--mesh', '--zone'):
        if len(options.all(option)) > 1 or options.get(option) == '*':
            raise WrongArguments(f'migrate: {option} takes one name; leave it out for all')


def check(options: Arguments) -> str:
    """Returns the action; refuses words and options that do not go with it."""
    action = options.word(0) or 'list'
    if action not in TAKES:
        raise WrongArguments(f'"{action}" is not one of list, show, create, edit, drain, migrate and delete')
    only(options, TAKES[action], action)
    if action == 'list':
        options.no_more_words(1)
    elif not options.word(1):
        raise WrongArguments(f'{action}: the pool is missing')
    elif action == 'drain' and not options.word(2):
        raise WrongArguments('drain: the CIDR is missing')
    elif action == 'migrate' and not options.word(2):
        raise WrongArguments('migrate: the pool to move to is missing')
    else:
        options.no_more_words(3 if action in ('drain', 'migrate') else 2)
    if action == 'migrate':
        check_migrate(options)
    if action == 'create' and '--cidr' not in options:
        raise WrongArguments('create: --cidr is missing')
    if action == 'edit' and set(options.names()) <= {'--json', '--if-match'}:
        raise WrongArguments('edit: nothing to change is stated')
    return action


def main(arguments: list[str]) -> int | None:
    texts = ('--cidr', '--add-cidr', '--remove-cidr', '--reserve', '--unreserve', '--mesh', '--zone')
    options = parse(arguments, noun='option', is_word=no_dash, flags=('--json', '--yes', '--force', '--dry-run'),
                    values={**dict.fromkeys(texts), '--strategy': checks.one_of('sequential', 'hashed'), '--quarantine': checks.seconds,
                            '--kind': kind_or_all, '--overlap': checks.overlap, '--rate': checks.at_least_one,
                            '--if-match': number})
    action, name, json = check(options), options.word(1), '--json' in options
    if action == 'migrate':
        return migrate(name, options.word(2), options)
    revision = options.get('--if-match')
    server = Server()
    if action == 'list':
        show_all(server, json)
    elif action == 'show':
        tell(server, server.ask('GET', pool.target_of(name)), json)
    elif action == 'create':
        tell(server, create(server, name, changes_of(options)), json)
    elif action == 'edit':
        tell(server, pool.edit(server, name, changes_of(options), revision=revision), json)
    elif action == 'drain':
        drain(server, name, options.word(2), changes_of(options), revision, json)
    else:
        delete(server, name, '--yes' in options, revision, json)
    return None

"""Show the zones' states, leases and last syncs; take zones offline, rename and retire them"""
from moving.rename import rename
from shared import options as checks
from shared import screen
from shared.failure import WrongArguments
from shared.options import Arguments, no_dash, only, parse
from shared.server import Server
from shared.words import at, cells, many, row, text, time, uri

USAGE = '''Usage: holdfast zones [list] [--json]
       holdfast zones show ZONE [--json]
       holdfast zones offline ZONE [--yes] [--json]
       holdfast zones rename ZONE TO-ZONE [--mesh MESH] [--kind KIND] [--force] [--dry-run] [--yes] [--json]
       holdfast zones retire ZONE [--purge] [--yes] [--json]

list      every zone that ever had a lease or a connection. The last sync is known only if it came after the server's start.
show      everything about one zone
offline   marks the zone's control plane as gone. The zone's leases are frozen until one connects: nothing is released, and no quarantine
          ends. Asks first.
rename    gives all leases of a zone to the same services of another one, each with its address and everything else that it has, those in
          quarantine too: one transfer, all of them or none. Refused if the other zone has a lease of the same name. The zone may be offline,
          and should be: while its control plane is online, --force is needed. Asks first, and says what comes next. More than 100,000 leases
          are renamed in parts: those of a mesh or kind at a time.
retire    ends a zone that is gone for good: all its leases go into quarantine, which ends on time, and the zone is no longer listed. Refused while
          the zone is online. Shows what it would do, and asks first. The zone's epoch is kept: a late control plane is refused, and a new zone
          of that name continues above it.

  --purge      with retire: free the addresses at once, including those in quarantine
  --mesh, --kind
               with rename: only the leases of this mesh or kind
  --force      with rename: even if the zone is online
  --dry-run    with rename: show what would be done, and write nothing
  --yes        do not ask
  --json       the server's answer

States: online, offline (disconnected, its leases are frozen), unmanaged (no control plane ever connected, nothing is frozen).
'''

HEAD = ['ZONE', 'STATE', 'EPOCH', 'ACTIVE', 'QUARANTINED', 'RECONNECTS', 'LAST SYNC']
TAKES = {'list': (), 'show': (), 'offline': ('--yes',), 'rename': ('--mesh', '--kind', '--force', '--dry-run', '--yes'),
         'retire': ('--purge', '--yes')}


def counts(sync: dict) -> str:
    """Returns what a sync did, such as "3 created, 2 unchanged", without zeros."""
    found = [f'{count} {"release skipped" if what == "releaseSkipped" else what}' for what, count in sync['summary'].items() if count > 0]
    return ', '.join(found) or 'nothing'


def list_rows(zones: list[dict]) -> list[list[str]]:
    """Writes the table of all zones."""
    rows = [HEAD]
    for zone in zones:
        sync = zone.get('lastSync')
        rows.append(row([zone.get('zone'), zone.get('state'), zone.get('epoch'), at(zone, 'leases', 'active'), at(zone, 'leases', 'quarantined'),
                         zone.get('reconnects'), f'{text(time(sync["at"]))} {text(sync["mode"])}: {counts(sync)}' if sync else None]))
    return rows


def zone_rows(zone: dict) -> list[list[str]]:
    """Writes everything about one zone."""
    sync = zone.get('lastSync')
    rows = [('zone', zone['zone']),
            ('state', f'{text(zone.get("state"))} since {text(time(zone.get("changedAt")))}'),
            ('epoch', f'{text(zone.get("epoch"))}, {text(zone.get("reconnects"))} reconnects'),
            ('instance', zone.get('instance')),
            ('ttl', f'{text(zone["ttl"])}: offline if nobody refreshes the connection for that long' if zone.get('ttl') else None),
            ('leases', f'{text(at(zone, "leases", "active"))} active, {text(at(zone, "leases", "quarantined"))} in quarantine'),
            ('digest', zone.get('digest')),
            ('first seen', time(zone.get('createdAt')))]
    if sync:
        rows += [('last sync', f'{text(time(sync["at"]))}, {text(sync["mode"])}, in {text(sync["durationMs"])} ms, '
                               f'epoch {text(sync["epoch"])}, revision {text(sync["revision"])}'), ('', counts(sync))]
    else:
        rows.append(('last sync', 'none since the server started'))
    return [cells('-' if value is None else value for value in line) for line in rows]


def retire_question(zone: dict, purge: bool) -> str:
    """Returns the question before a retirement, with what it would do."""
    active, quarantined = zone['leases']['active'], zone['leases']['quarantined']
    if purge:
        what = f'the addresses of {many(active + quarantined, "lease")} come free at once'
    else:
        what = (f'{many(active, "lease")} {"goes" if active == 1 else "go"} into quarantine, '
                f'where {text(quarantined)} {"is" if quarantined == 1 else "are"} already')
    return f'Retire zone {text(zone["zone"])} ({text(zone["state"])}, epoch {text(zone["epoch"])}) for good: {what}?'


def retired(answer: dict) -> str:
    """Returns what a retirement did."""
    done = [many(answer['released'], 'lease') + ' released' if answer['released'] > 0 else '',
            many(answer['purged'], 'lease') + ' freed' if answer['purged'] > 0 else '',
            f'{answer["quarantined"]} in quarantine' if answer['quarantined'] > 0 else '']
    return f'{text(answer["zone"])} is retired at epoch {text(answer["epoch"])}: {", ".join(filter(None, done)) or "it had no lease"}'


def show_all(server: Server, json: bool) -> None:
    """zones list"""
    zones = server.all_pages('/v1/zones')
    if json:
        screen.put_json(zones)
        return
    with server.reading():
        rows = list_rows(zones['items'])
    screen.Table().put(rows)


def show(server: Server, name: str, json: bool) -> None:
    """zones show"""
    zone = server.ask('GET', f'/v1/zones/{uri(name)}')
    if json:
        screen.put_json(zone)
        return
    with server.reading():
        rows = zone_rows(zone)
    screen.Table().put(rows)


def offline(server: Server, name: str, yes: bool, json: bool) -> None:
    """zones offline"""
    screen.must_be_able_to_ask(yes, 'taking a zone offline')
    target = f'/v1/zones/{uri(name)}'
    if not yes:
        zone = server.ask('GET', target)
        with server.reading():
            question = (f'Take zone {text(zone["zone"])} offline ({text(zone["state"])}, {many(zone["leases"]["active"], "lease")}, '
                        f'instance {text(zone.get("instance") or "none")})?')
        screen.confirm(yes, question)
    zone = server.ask('DELETE', target + '/connection')
    if json:
        screen.put_json(zone)
        return
    with server.reading():
        active = zone['leases']['active']
        words = (f'{text(zone["zone"])} is {text(zone["state"])} at epoch {text(zone["epoch"])}: its {many(active, "lease")} '
                 f'{"is" if active == 1 else "are"} frozen until a control plane connects')
    screen.put_line(words)


def retire(server: Server, name: str, purge: bool, yes: bool, json: bool) -> None:
    """zones retire"""
    screen.must_be_able_to_ask(yes, 'retiring a zone')
    target = f'/v1/zones/{uri(name)}'
    if not yes:
        zone = server.ask('GET', target)
        with server.reading():
            question = retire_question(zone, purge)
        screen.confirm(yes, question)
    server.advice['zone-online'] = f'(holdfast zones offline {name}, if its control plane is gone)'
    answer = server.ask('DELETE', f'{target}?confirm={uri(name)}&purge={"true" if purge else "false"}')
    if json:
        screen.put_json(answer)
        return
    with server.reading():
        words = retired(answer)
    screen.put_line(words)


def check(options: Arguments) -> str:
    """Returns the action; refuses words and options that do not go with it."""
    action = options.words[0] if options.words and options.words[0] else 'list'
    if action not in TAKES:
        raise WrongArguments(f'"{action}" is not one of {", ".join(TAKES)}')
    only(options, TAKES[action], action)
    if action != 'list' and not options.word(1):
        raise WrongArguments(f'{action}: the zone is missing')
    if action == 'rename' and not options.word(2):
        raise WrongArguments('rename: the new name is missing')
    options.no_more_words({'list': 1, 'rename': 3}.get(action, 2))
    return action


def main(arguments: list[str]) -> int | None:
    options = parse(arguments, flags=('--json', '--yes', '--purge', '--force', '--dry-run'), is_word=no_dash, noun='option',
                    values={'--mesh': None, '--kind': checks.kind})
    action, yes, json, name = check(options), '--yes' in options, '--json' in options, options.word(1)
    if action == 'rename':
        return rename(name, options.word(2), options)
    server = Server()
    if action == 'list':
        show_all(server, json)
    elif action == 'show':
        show(server, name, json)
    elif action == 'offline':
        offline(server, name, yes, json)
    else:
        retire(server, name, '--purge' in options, yes, json)
    return None

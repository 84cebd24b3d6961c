"""What a migration would do, and what it did, in words and as JSON."""
from shared import screen
from shared.lease import in_full
from shared.words import many, text, time

from .census import space_words
from .movers import GONE, MOVED, QUARANTINED

FAILED_SHOWN = 10
SCOPES_SHOWN = 3


def still_words(source: str, to: str, still: list[str]) -> str:
    """Returns the warning that new leases go to the old pool even after the migration."""
    scopes = '; '.join(still[:SCOPES_SHOWN]) + ('; …' if len(still) > SCOPES_SHOWN else '')
    return (f'careful: new leases still go to {source}: {scopes}. Let {to} state more than {source} does, such as kind and mesh (holdfast pools edit {to} '
            '--kind KIND --mesh MESH)')


def offline_words(zone: str, count: int) -> str:
    """Returns that a zone's leases are left alone."""
    return f'{many(count, "lease")} of zone {zone}, which is offline and cannot follow (--force moves them)'


def put_plan(source: str, to: str, plan) -> None:
    """Shows what would be done."""
    census = plan.census
    if census.total:
        screen.Table().put(census.rows())
    screen.put_line(f'{many(census.total, "lease")} would move from {source} to {to}')
    for family in plan.families:
        screen.put_line(space_words(to, family))
    for zone, count in sorted(census.offline.items()):
        screen.put_line('skipped: ' + offline_words(zone, count))
    if census.quarantined:
        screen.put_line(f'left behind: {many(census.quarantined, "lease")} in quarantine')
    if plan.still:
        screen.put_line(still_words(source, to, plan.still))
    screen.put_line('it fits; nothing was written' if plan.fits else 'it does not fit; nothing was written')


def plan_json(source: str, to: str, plan) -> dict:
    """Returns what would be done, for --json."""
    scopes = [{'zone': zone, 'mesh': mesh, 'kind': kind, 'leases': count} for (zone, mesh, kind), count in sorted(plan.census.moving.items())]
    families = [{name: family[name] for name in ('family', 'needed', 'free', 'fits')} for family in plan.families]
    return {'from': source, 'to': to, 'dryRun': True, 'fits': plan.fits, 'leases': plan.census.total, 'scopes': scopes, 'families': families,
            'offline': dict(sorted(plan.census.offline.items())), 'quarantined': plan.census.quarantined, 'stillServed': plan.still}


def left_words(left: dict) -> str:
    """Returns what the old pool still has."""
    if not left:
        return 'unknown, as the server cannot be asked'
    words = f'{left["active"]} active, {left["quarantined"]} in quarantine, {left["previous"]} previous addresses'
    return words + (f' until {text(time(left["until"]))} at the earliest' if left['until'] else '')


def put_summary(migration, left: dict) -> None:
    """Shows what was done, and what is left."""
    rows = [['moved', str(migration.outcomes[MOVED])]]
    if migration.last:
        rows += [['skipped', offline_words(zone, count)] for zone, count in sorted(migration.last.offline.items())]
    if migration.outcomes[GONE]:
        rows.append(['gone', f'{many(migration.outcomes[GONE], "lease")}, renamed or purged meanwhile'])
    if migration.outcomes[QUARANTINED]:
        rows.append(['released', f'{many(migration.outcomes[QUARANTINED], "lease")} meanwhile'])
    rows += [['failed', f'{in_full(result.lease)}: {result.words}'] for result in migration.failed[:FAILED_SHOWN]]
    if len(migration.failed) > FAILED_SHOWN:
        rows.append(['', f'and {len(migration.failed) - FAILED_SHOWN} more; --json has all'])
    rows.append([f'left in {migration.source}', left_words(left)])
    screen.Table().put(rows)
    if migration.trouble:
        screen.say(f'{migration.trouble.words}; run the same command again to go on')
    elif migration.signal:
        screen.say('interrupted; run the same command again to go on')
    elif not migration.last:
        screen.say(f'pool {migration.source} gets new leases all the time; run the same command again to go on')


def summary_json(migration, left: dict) -> dict:
    """Returns what was done, for --json."""
    failed = [{**{name: result.lease[name] for name in ('kind', 'mesh', 'zone', 'service')}, 'problem': result.words} for result in migration.failed]
    return {'from': migration.source, 'to': migration.to, 'dryRun': False, 'complete': status_of(migration) == 0,
            'interrupted': migration.signal != 0, 'problem': migration.trouble.words if migration.trouble else None, 'passes': migration.passes,
            'moved': migration.outcomes[MOVED], 'gone': migration.outcomes[GONE], 'released': migration.outcomes[QUARANTINED],
            'offline': dict(sorted(migration.last.offline.items())) if migration.last else {}, 'failed': failed, 'left': left or None}


def status_of(migration) -> int:
    """Returns the exit status: 0 only if nothing is left that should have moved."""
    if migration.signal:
        return 128 + migration.signal
    if migration.trouble:
        return migration.trouble.status
    last = migration.last
    return 0 if last and not last.total and not last.offline else 1

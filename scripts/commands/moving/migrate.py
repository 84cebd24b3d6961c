"""Moves all leases of a pool into another one, in steps that can be interrupted and resumed: what is in the other pool already is not moved again."""
import threading
from collections import Counter
from collections.abc import Iterator

from shared import screen
from shared.failure import Failure, WrongArguments
from shared.lease import pages
from shared.options import Arguments
from shared.pool import target_of
from shared.progress import Progress
from shared.server import Server
from shared.words import at, many, text, uri

from .census import Census, Ranges, identity_of, space, space_words, still_served
from .interrupts import Interrupts
from .movers import FAILED, MOVED, OFFLINE, Movers, Result
from .patience import Away, Stopped, patiently
from .report import plan_json, put_plan, put_summary, status_of, still_words, summary_json

PASSES_MAX = 20  # over the pool, for leases that it gets meanwhile


class Plan:
    """What the server has before anything moves."""

    def __init__(self, source: dict, to: dict, census: Census, families: list[dict], still: list[str]):
        self.source, self.to, self.census, self.families, self.still = source, to, census, families, still

    @property
    def fits(self) -> bool:
        return all(family['fits'] for family in self.families)


class Migration:
    """One run of the command, and what came of it."""

    def __init__(self, server: Server, source: str, to: str, options: Arguments):
        self.server, self.source, self.to = server, source, to
        self.force, self.overlap, self.rate = '--force' in options, options.get('--overlap'), options.get('--rate')
        self.filters = ''.join(f'&{name[2:]}={uri(value)}' for name, value in options.pairs if name in ('--zone', '--mesh', '--kind'))
        self.stop = threading.Event()
        self.ranges = Ranges([])  # of the other pool
        self.outcomes = Counter()
        self.failed: list[Result] = []
        self.refused: set[tuple] = set()  # leases that are not tried again
        self.until = ''
        self.passes = 0
        self.last: Census | None = None  # of a pass that found nothing more to move
        self.trouble: Failure | None = None
        self.signal = 0

    def _offline(self) -> set[str]:
        """Returns the zones whose leases are not moved."""
        zones = self.server.all_pages('/v1/zones')['items']
        with self.server.reading():
            return set() if self.force else {zone['zone'] for zone in zones if zone['state'] == 'offline'}

    def _repeated(self, act):
        """Returns what `act` returns, which asks the server. It is repeated while the server is away."""
        def once():
            try:
                return act()
            except Failure as failure:
                if failure.status != 3:
                    raise
                raise Away(failure.words) from None
        return patiently(once, self.stop)

    def plan(self) -> Plan:
        """Reads both pools and all leases."""
        server = self.server
        source, to = server.ask('GET', target_of(self.source)), server.ask('GET', target_of(self.to))
        with server.reading():
            self.ranges = Ranges(to['cidrs'])
        offline, census = self._offline(), Census(self.ranges)
        for items in pages(server, f'/v1/leases?pool={uri(self.source)}{self.filters}', None):
            with server.reading():
                for lease in items:
                    census.add(lease, at(lease, 'zone') in offline)
        pools = server.all_pages('/v1/pools')['items']
        with server.reading():
            return Plan(source, to, census, space(to, census), still_served(pools, census, self.source))

    def _to_move(self, census: Census, progress: Progress) -> Iterator[dict]:
        """Yields the leases that are still to be moved, and counts all in the census."""
        offline = self._repeated(self._offline)
        target = f'/v1/leases?pool={uri(self.source)}{self.filters}'
        for items in pages(self.server, target, None, lambda page: self._repeated(lambda: self.server.fetch(page))):
            with self.server.reading():
                found = [lease for lease in items if census.add(lease, at(lease, 'zone') in offline) and identity_of(lease) not in self.refused]
            if self.passes > 1:
                progress.add(0, len(found))
            yield from found

    def _take(self, result: Result, progress: Progress) -> None:
        """Counts a result."""
        self.outcomes[result.outcome] += 1
        if result.outcome == MOVED:
            self.until = max(self.until, result.until)
            progress.add()
        elif result.outcome in (FAILED, OFFLINE):
            self.refused.add(identity_of(result.lease))
            if result.outcome == FAILED:
                self.failed.append(result)

    def _pass(self, movers: Movers, progress: Progress) -> bool:
        """Moves what is to be moved now. Returns whether it found anything."""
        self.passes += 1
        census, found = Census(self.ranges), False
        for result in movers.run(self._to_move(census, progress)):
            found = True
            self._take(result, progress)
        if not found and not self.stop.is_set():
            self.last = census
        return found

    def run(self, total: int) -> None:
        """Moves the leases, about `total`, pass by pass."""
        interrupts = Interrupts(self.stop)
        query = f'?pool={uri(self.to)}&overlap={self.overlap}s' + ('&force=true' if self.force else '')
        movers, progress = Movers(self.server, self.to, query, self.ranges, self.rate, self.stop), Progress(total, 'moved')
        try:
            while self.passes < PASSES_MAX and not self.stop.is_set() and self._pass(movers, progress):
                pass
        except Stopped:
            pass
        except Away as away:
            self.trouble = Failure(3, away.words)
        progress.end()
        self.trouble = movers.failure or self.trouble
        self.signal = interrupts.number

    def left(self) -> dict:
        """Returns what the old pool still has, as far as the server can be asked: its leases, the addresses that moved leases keep there, and
        until when the last of them does."""
        try:
            pool = self.server.ask('GET', target_of(self.source))
            with self.server.reading():
                previous = sum(int(at(pool, family, 'previous') or 0) for family in ('ipv4', 'ipv6'))
                found = {'active': pool['leases']['active'], 'quarantined': pool['leases']['quarantined'], 'previous': previous}
            if previous > self.outcomes[MOVED]:
                self._find_until()
            return {**found, 'until': self.until if previous else ''}
        except Failure:
            return {}

    def _find_until(self) -> None:
        """Finds how long leases keep their addresses that were moved before this run."""
        for items in pages(self.server, f'/v1/leases?pool={uri(self.to)}', None):
            with self.server.reading():
                ends = [text(vip['until']) for lease in items for vip in lease.get('previousVips') or []]
            self.until = max([self.until, *ends])


def refuse(plan: Plan, to: str) -> None:
    """Refuses a migration that does not fit."""
    words = [space_words(to, family) for family in plan.families if not family['fits']]
    if words:
        raise Failure(1, 'the leases do not fit, so none was moved; ' + '; '.join(words))


def migrate(source: str, to: str, options: Arguments) -> int:
    """pools migrate. Returns the exit status."""
    yes, dry_run, as_json = '--yes' in options, '--dry-run' in options, '--json' in options
    if source == to:
        raise WrongArguments('migrate: both pools are the same')
    asks = not dry_run and options.get('--overlap') == 0
    if asks:
        screen.must_be_able_to_ask(yes, 'a migration without an overlap')
    migration = Migration(Server(), source, to, options)
    plan = migration.plan()
    if dry_run:
        if as_json:
            screen.put_json(plan_json(source, to, plan))
        else:
            put_plan(source, to, plan)
        return 0 if plan.fits else 1
    refuse(plan, to)
    if plan.still:
        screen.say(still_words(source, to, plan.still))
    if asks and plan.census.total:
        screen.confirm(yes, f'Move {many(plan.census.total, "lease")} of pool {source} to {to} without an overlap? The old addresses are free at once, '
                            'the next services may get them, and clients that still use them would reach those. (--overlap 1h keeps them for an hour.)')
    migration.run(plan.census.total)
    left = migration.left()
    if as_json:
        screen.put_json(summary_json(migration, left))
    else:
        put_summary(migration, left)
    return status_of(migration)

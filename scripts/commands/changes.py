"""List what really changed, and with --follow what changes from now on"""
import time

from shared import options as checks
from shared import screen, signals
from shared.client import Answer
from shared.failure import Failure, WrongArguments
from shared.options import parse
from shared.server import Server, read_json
from shared.words import ips, row, text, uri
from shared.words import time as shown_time

USAGE = '''Usage: holdfast changes [--since REVISION] [--follow] [--zone ZONE] [--mesh MESH] [--kind KIND] [--limit N] [--json]
Lists changes of leases and pools, oldest first, one for each revision: the newest 20, or those after a revision. Sending something again
that is unchanged is not a change. BY is who asked: "holdfast" if nobody did (a deadline, the first start), "offline" for an import. Any filter
leaves out the changes of pools. A transfer is shown as FROM > TO, and both match the filters.

  --zone ZONE, --mesh MESH, --kind KIND
                     only changes of these leases; KIND is MeshService, MeshExternalService or MeshMultiZoneService
  --since REVISION   all changes after this one; 0: after the first
  --follow           wait for more, until interrupted. If the server cannot be reached, try again.
  --limit N          the newest N; with --since, the first N after it. At least 1; with --follow, 0 shows only new changes
  --json             one change a line, as the server sends it
'''

HEAD = ['REVISION', 'TIME', 'TYPE', 'CAUSE', 'BY', 'KIND', 'MESH/ZONE/SERVICE', 'VIPS']
WIDTHS = (10, 20, 13, 8, 10, 20, 40)  # of the columns, when batch follows batch: wide enough for all
NEWEST, PAGE, WINDOW = 20, 1000, 10000
FILTERS = ('--zone', '--mesh', '--kind')


def place(identity: dict) -> str:
    """A service with its mesh and zone."""
    return f'{text(identity["mesh"])}/{text(identity["zone"])}/{text(identity["service"])}'


def change_row(change: dict) -> list[str]:
    """A line of the table."""
    start = [change.get('revision'), shown_time(change.get('at')), change.get('type'), change.get('cause'), change.get('by')]
    if change.get('service'):
        who = place(change)
        if change.get('from'):
            who = f'{place(change["from"])} > {who}'
        return row([*start, change.get('kind'), who, ips(change.get('vips'))])
    return row([*start, 'pool', change.get('pool'), None])


class Where:
    """Which store the server has, and how far it has come."""

    def __init__(self, status: dict):
        self.revision, self.oldest, self.epoch = (_count(status[name]) for name in ('revision', 'compactedRevision', 'storeEpoch'))
        self.store = status['storeId']
        if not isinstance(self.store, str) or not self.store:
            raise TypeError(self.store)


def _count(value) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(value)
    return value


class Feed:
    """The changes of a server that pass the options' filters."""

    def __init__(self, server: Server, filters: str, json: bool, minima: tuple[int, ...]):
        self._server, self._filters, self._json, self._table = server, filters, json, screen.Table(minima)
        self._headed = False
        self._away = False
        self._since = 0
        self._where = self._look()

    def _look(self) -> Where:
        status = self._server.ask('GET', '/v1/status')
        with self._server.reading():
            return Where(status)

    def _show(self, changes: list[dict]) -> None:
        """Writes changes, after the table's head if they are the first."""
        if self._json:
            for change in changes:
                screen.put_json(change, lines=True)
        else:
            with self._server.reading():
                rows = ([] if self._headed else [HEAD]) + [change_row(change) for change in changes]
            self._table.put(rows)
            self._headed = True
        screen.flush()

    def newest(self, count: int) -> None:
        """Shows the newest changes that pass the filter. Searches backwards, one window at a time."""
        where, found = self._where, []
        window, upto = WINDOW if self._filters or count > WINDOW else count, where.revision
        while len(found) < count and upto > where.oldest:
            start = max(upto - window, where.oldest)
            answer = self._server.get('GET', f'/v1/changes?since={start}&limit={upto - start}{self._filters}')
            if answer.status == 410:
                break  # compacted in the meantime
            if answer.status != 200:
                raise self._server.refused(answer)
            with self._server.reading():
                older = [change for change in read_json(answer.body)['changes'] if change['revision'] <= upto]
            found, upto = older + found, start
        self._show(found[-count:] if count else [])
        self._since = where.revision

    def after(self, since: int, limit: int | None) -> None:
        """Shows the changes after a revision, all of them or the first `limit`."""
        self._since = since
        while limit is None or limit > 0:
            size = PAGE if limit is None else min(PAGE, limit)
            shown = self._take(self._server.fetch(f'/v1/changes?since={self._since}&limit={size}{self._filters}'))
            if limit is not None:
                limit -= shown
            if self._since >= self._where.revision:
                break
        if not self._headed:
            self._show([])

    def _take(self, page: dict) -> int:
        """Shows a page and continues after it. Returns the number of its changes."""
        with self._server.reading():
            since, changes = page['revision'], page['changes']
            if not isinstance(since, int) or isinstance(since, bool) or not isinstance(changes, list):
                raise TypeError(page)
        self._since = since
        if changes:
            self._show(changes)
        return len(changes)

    def follow(self, since: int | None) -> None:
        """Shows the changes after a revision, or after those shown so far, until the command is interrupted."""
        if since is not None:
            self._since = since
        while True:
            began = time.monotonic()
            wait = self._follow_once()
            # A server that is stopping, or has no room for another waiting request, answers at once.
            if wait == 'always' or wait == 'if early' and time.monotonic() - began < 2:
                time.sleep(1)

    def _follow_once(self) -> str:
        """Asks for the next page; returns whether to wait before the next request: 'always', 'if early' or 'never'."""
        try:
            answer = self._server.get('GET', f'/v1/changes?since={self._since}&wait=30s{self._filters}')
        except Failure:
            return self._trouble()
        if answer.status // 100 == 5:
            return self._trouble()
        if answer.status in (400, 410):
            return 'never' if self._again(answer) else 'always'
        if answer.status != 200:
            raise self._server.refused(answer)
        with self._server.reading():
            page = read_json(answer.body)
            other_epoch = page.get('storeEpoch') != self._where.epoch
        if self._away or other_epoch:
            return 'never' if self._again(answer) else 'always'
        return 'never' if self._take(page) else 'if early'

    def _trouble(self) -> str:
        if not self._away:
            screen.say(f'the server at {self._server.url} cannot be reached or is in trouble; trying again')
        self._away = True
        return 'always'

    def _again(self, answer: Answer) -> bool:
        """Checks whether the server still has the same store after it was away or refused the revision, and says where the command continues.

        Returns False if the server does not answer.
        """
        then = self._where
        try:
            now = self._where = self._look()
        except Failure:
            return False
        if self._away:
            screen.say('the server is back')
        self._away = False
        if now.store != then.store:
            self._go_on(now.revision, f'this is another store than before: list the leases again; going on from revision {now.revision}')
        elif now.epoch != then.epoch:
            self._go_on(now.oldest, f'the store was restored from a backup (store epoch {then.epoch}, now {now.epoch}): list the leases again; '
                                    f'going on from revision {now.oldest}')
        elif answer.status == 410:
            self._go_on(now.revision, f'revision-compacted: changes after revision {self._since} are no longer kept, only those from '
                                      f'{now.oldest + 1} on; list the leases again; going on from revision {now.revision}')
        elif self._since > now.revision:
            self._go_on(now.revision, f'the store is at revision {now.revision}, before {self._since}, as an older copy would be: list the leases '
                                      'again; going on from there')
        elif answer.status == 400:
            raise self._server.refused(answer)
        return True

    def _go_on(self, revision: int, words: str) -> None:
        screen.say(words)
        self._since = revision


def main(arguments: list[str]) -> None:
    options = parse(arguments, flags=('--json', '--follow'), aliases={'-f': '--follow'},
                    values={'--zone': None, '--mesh': None, '--kind': checks.kind, '--since': checks.whole_number, '--limit': checks.whole_number})
    since, limit, follow = options.get('--since'), options.get('--limit'), '--follow' in options
    if follow and since is not None and limit is not None:
        raise WrongArguments('--follow begins with --limit changes or after --since, not with both')
    if limit == 0 and not follow:
        raise WrongArguments('--limit: at least 1')
    filters = ''.join(f'&{name[2:]}={uri(value)}' for name, value in options.pairs if name in FILTERS)
    feed = Feed(Server(), filters, '--json' in options, WIDTHS if follow or since is not None else ())
    if since is None:
        feed.newest(NEWEST if limit is None else limit)
    elif not follow:
        feed.after(since, limit)
    if follow:
        signals.clean_up_first()
        feed.follow(since)

"""Renames a zone: one transfer of all its leases."""
from shared import screen
from shared.failure import Failure, WrongArguments
from shared.lease import of_zone
from shared.options import Arguments
from shared.server import Server
from shared.words import at, many, text, uri

from .transfer import ITEMS_MAX, TARGET, Batch, make_batch, send

TRIES = 5  # leases may end while the transfer is made up
SHOWN = 5  # of the services that collide


def filters_of(options: Arguments) -> str:
    """Returns which of the zone's leases are meant, as the end of a query."""
    return ''.join(f'&{name[2:]}={uri(value)}' for name, value in options.pairs if name in ('--mesh', '--kind'))


def too_many(zone: str, count: str) -> Failure:
    """Returns the failure for more leases than one transfer takes."""
    return Failure(1, f'zone {zone} has {count} leases, and one transfer takes {ITEMS_MAX}: it cannot be renamed at once. Rename it in parts, with '
                      '--mesh or --kind or both. Each part is transferred whole or not at all, but not the parts together: until the last one is '
                      'done, services of both names exist')


def read_leases(server: Server, zone: str, filters: str) -> list[dict]:
    """Returns the zone's leases, active and quarantined, of one moment."""
    leases = []
    for lease in server.stream(f'/v1/leases?zone={uri(zone)}{filters}'):
        leases.append(lease)
        if len(leases) > ITEMS_MAX:
            raise too_many(zone, f'more than {ITEMS_MAX}')
    return leases


def batch_of(leases: list[dict], new: str) -> Batch:
    """Returns the transfer of these leases to the same names in another zone."""
    def place(lease: dict, zone: str) -> dict:
        return {'kind': lease['kind'], 'mesh': lease['mesh'], 'zone': zone, 'service': lease['service']}
    return make_batch((place(lease, lease['zone']), place(lease, new)) for lease in leases)


def refuse_collisions(leases: list[dict], existing: list[dict], new: str) -> None:
    """Refuses a rename onto leases that the new zone has."""
    def name(lease: dict) -> tuple:
        return at(lease, 'kind'), at(lease, 'mesh'), at(lease, 'service')
    there = {name(lease) for lease in existing}
    both = [lease for lease in leases if name(lease) in there]
    if both:
        names = [f'{text(lease["service"])} (mesh {text(lease["mesh"])})' for lease in both[:SHOWN]] + ['…'] * (len(both) > SHOWN)
        raise Failure(1, f'lease-exists: zone {new} has {many(len(both), "lease")} of the same name already: {", ".join(names)}. Purge these, or '
                         'transfer the others with leases transfer; nothing was changed')


def counted(leases: list[dict]) -> str:
    """Returns how many leases these are, and how many of them are in quarantine."""
    quarantined = sum(lease['state'] == 'quarantined' for lease in leases)
    return many(len(leases), 'lease') + (f' ({quarantined} of them in quarantine)' if quarantined else '')


def next_steps(old: str, new: str, online: bool) -> str:
    """Returns what is to be done after a rename."""
    stop = f'stop the control plane of {old} (holdfast zones offline {old}, if it is gone); ' if online else ''
    return f'next: {stop}start it under the name {new}; when {new} is online, retire the old name: holdfast zones retire {old}'


class Rename:
    """The rename of a zone, or of those of its leases that pass the options' filters. Raises Failure."""

    def __init__(self, server: Server, old: str, new: str, options: Arguments):
        self._server, self._old, self._new, self._options = server, old, new, options
        self._filters = filters_of(options)

    def _look(self, zone: str) -> dict | None:
        """Returns a zone, or None if the server does not know it."""
        target = f'/v1/zones/{uri(zone)}'
        answer = self._server.get('GET', target)
        if answer.status == 404:
            self._server.problem(answer)  # which a server of something else does not have
            return None
        return self._server.understood(answer, target)

    def _is_online(self) -> bool:
        """Returns whether the old zone is online; refuses one that is unknown, too large, or online if that is not forced."""
        zone = self._look(self._old)
        if not zone:
            raise Failure(1, f'not-found: zone "{self._old}" is unknown')
        with self._server.reading():
            count = zone['leases']['active'] + zone['leases']['quarantined']
            online = zone['state'] == 'online'
        if count > ITEMS_MAX and not self._filters:
            raise too_many(self._old, str(count))
        if online and '--force' not in self._options:
            raise Failure(1, f'zone-online: zone {self._old} is online, and its control plane would acquire new addresses under the old name. Stop it '
                             f'first (holdfast zones offline {self._old}, if it is gone), or state --force')
        return online

    def _prepare(self) -> tuple[list[dict], Batch]:
        """Returns the leases of this moment, and their transfer."""
        server = self._server
        leases = read_leases(server, self._old, self._filters)
        existing = read_leases(server, self._new, self._filters) if leases and self._look(self._new) else []
        with server.reading():
            refuse_collisions(leases, existing, self._new)
            return leases, batch_of(leases, self._new)

    def _carry_out(self, dry_run: bool, results: bool) -> tuple[list[dict], dict | None]:
        """Transfers the leases that exist, even of a zone that is away. Returns them, and the answer if there are any."""
        for left in reversed(range(TRIES)):
            leases, batch = self._prepare()
            if not leases:
                return leases, None
            answer = send(self._server, batch, dry_run, 100, True, results)
            if answer.status != 404 or left == 0:  # 404: one of them ended meanwhile
                break
            self._server.problem(answer)
        return leases, self._server.understood(answer, TARGET)

    def _confirm(self, yes: bool) -> None:
        """Asks, if that is wanted. Nobody is asked about what is refused."""
        if yes:
            return
        leases, _ = self._carry_out(True, False)
        with self._server.reading():
            words = f'Rename zone {self._old} to {self._new}: transfer {counted(leases)}, each with its address? The old name has none of them then.'
        if leases:
            screen.confirm(yes, words)

    def _report(self, leases: list[dict], answer: dict, online: bool) -> None:
        if '--json' in self._options:
            screen.put_json(answer)
            return
        with self._server.reading():
            what = f'{counted(leases)}, each with its address'
            at_revision = f'at revision {text(answer["revision"])}'
        if '--dry-run' in self._options:
            screen.put_line(f'would rename zone {self._old} to {self._new}: {what}; nothing was written')
            return
        screen.put_line(f'renamed: zone {self._old} to {self._new}, {what}, {at_revision}')
        screen.put_line(next_steps(self._old, self._new, online))

    def _find_late(self) -> int:
        """Returns the exit status: 1 if the old zone got leases meanwhile."""
        late = read_leases(self._server, self._old, self._filters)
        if late:
            with self._server.reading():
                first = of_zone(late[0])
            screen.say(f'{many(len(late), "lease")} came to zone {self._old} meanwhile, such as {first}: stop its control plane, and run this again')
        return int(bool(late))

    def run(self) -> int:
        """Carries it out. Returns the exit status."""
        dry_run = '--dry-run' in self._options
        online = self._is_online()
        if not dry_run:
            self._confirm('--yes' in self._options)
        leases, answer = self._carry_out(dry_run, '--json' in self._options)
        if answer is None:
            screen.say(f'zone {self._old} has no {"such " if self._filters else ""}leases; there is nothing to rename')
            return 0
        self._report(leases, answer, online)
        return 0 if dry_run else self._find_late()


def rename(old: str, new: str, options: Arguments) -> int:
    """zones rename"""
    if old == new:
        raise WrongArguments('rename: both names are the same')
    screen.must_be_able_to_ask('--yes' in options or '--dry-run' in options, 'renaming a zone')
    return Rename(Server(), old, new, options).run()

"""Adopt the VIPs that services of Kuma have"""
from collections import Counter

from kuma import inputs, questions
from kuma.addresses import spans
from kuma.adoption import conclude_adoption, conclude_reservation, judge, plan_reservations, settle
from kuma.documents import Item
from kuma.hint import hint
from kuma.reading import Reading
from kuma.report import Report, counts
from kuma.verdicts import mark_repeated
from shared import screen
from shared.client import Request
from shared.failure import Failure
from shared.pool import add, edit
from shared.server import Server
from shared.words import cells, joined, uri

USAGE = f'''Usage: holdfast kuma-import [--apply] [--zone ZONE] [--mesh MESH] [--kuma-url URL [--kuma-token-file FILE]] [--all] [--json] [FILE…|-]
Adopts the VIPs that are in use in Kuma: each service gets a lease on the very address that it has. Without --apply nothing is written,
and the report says what would be done.

No service is ever given another address by this. Where its own cannot be had, it is reported and left alone; the rest is adopted.

  adopted      it has its lease now ("would adopt" without --apply)
  right        it had it already
  out-of-pool  the address is in no pool; the report ends with a pool that would do
  conflict     somebody else has the address, or the service has a lease on another one, or is listed with different ones
  reserved     a host name or VirtualOutbound of an older version, which is no service, has the address; it is kept out of what is given away
               ("would reserve" without --apply)
  no-vip       Kuma shows no VIP
  skipped      it is no service, or listed before, or shows addresses of its Kubernetes cluster, which are no VIPs
  rejected     the server refuses it, such as for its name; its address is reserved all the same
  failed       the server did not do it (--apply)

{inputs.USAGE}  --apply                adopt
  --all                  a line for every service, not for those alone that need attention
  --json                 one object: dryRun, counts by verdict, items, and the hint which pool to create, or null

Exit status: 0 done; 1 something is out of pool, in conflict, rejected or failed; 2 wrong arguments, or input that cannot be read or has no
service; 3 the server, or Kuma, cannot be reached.
'''
HEAD = ('ZONE', 'MESH', 'KIND', 'SERVICE', 'VIP', 'VERDICT', 'DETAIL')
PLURALS = {'MeshService': 'services', 'MeshExternalService': 'externalservices', 'MeshMultiZoneService': 'multizoneservices'}
FINDINGS = ('out-of-pool', 'conflict', 'rejected', 'failed')
DONE = ('adopted', 'would adopt', 'right')
ZONES_NAMED = 5


def warn_of_unknown_zone(server: Server, zone: str) -> None:
    """A zone that is misspelt gets leases that nobody asks for, and the right one cannot have the addresses."""
    zones = server.all_pages('/v1/zones')['items']
    with server.reading():
        names = [item['zone'] for item in zones]
        if names and zone not in names:
            others = joined(names[:ZONES_NAMED] + ['…'] * (len(names) > ZONES_NAMED))
            screen.say(f'careful: the server knows no zone "{zone}", but {others}; is --zone right?')


def decide(server: Server, reading: Reading, zone: str | None) -> list[Item]:
    """Every item of the input, with its verdict or the addresses to adopt, and with what is to be reserved."""
    placed, known = questions.place(server, reading.asked, zone)
    if zone and any(item.zone == zone for item in placed):
        warn_of_unknown_zone(server, zone)
    known += reading.aside
    addresses = questions.ask(server, placed, known)
    mark_repeated(placed)
    for item in placed:
        judge(item, addresses)
    settle(placed)
    items = sorted(placed + known, key=lambda item: item.n)
    plan_reservations(items, addresses)
    return items


def request_for(item: Item) -> Request:
    """Acquires the lease with exactly these addresses: what somebody else has got in the meantime is refused, never replaced."""
    query = [f'address={uri(ip)}' for ip in item.vips] + ([f'pool={uri(item.pool)}'] if item.pool else [])
    target = f'/v1/meshes/{uri(item.mesh)}/zones/{uri(item.zone)}/{PLURALS[item.kind]}/{uri(item.service)}?{"&".join(query)}'
    return Request('PUT', target, b'' if item.config else item.document.encode())


def adopt(server: Server, items: list[Item]) -> int:
    """Adopts what is to be adopted; returns 3 if the server could not be reached for some."""
    adopted = [item for item in items if item.adopt is not None]
    answers, status = iter(server.many(map(request_for, adopted))), 0
    for item in adopted:
        conclude_adoption(item, next(answers))
    try:
        next(answers, None)
    except Failure as failure:
        screen.say(failure.words)
        status = failure.status
    return status


def reserve(server: Server, items: list[Item]) -> None:
    """Keeps what Kuma uses and no lease can hold out of what is given away."""
    reservations = sorted({one for item in items for one in item.reserve})
    failed = []
    for pool in dict.fromkeys(pool for pool, _ in reservations):
        try:
            ranges = spans([address for at, address in reservations if at == pool])
            edit(server, pool, [add('reserved', one) for one in ranges])
        except Failure as failure:
            screen.say(failure.words, 'pools')
            failed.append(pool)
    for item in items:
        if item.reserve:
            conclude_reservation(item, failed)


def report_of(items: list[Item], pools: list[dict], apply: bool) -> dict:
    """What --json prints."""
    verdicts = ('adopted', 'right', 'reserved') if apply else ('would adopt', 'right', 'would reserve', 'reserved')
    shown = [{'zone': item.zone, 'mesh': item.mesh, 'kind': item.kind, 'service': item.service, 'vips': item.vips, 'verdict': item.verdict,
              'detail': item.detail, **({'holdfast': item.holdfast} if item.holdfast is not None else {})} for item in items]
    return {'dryRun': not apply, 'counts': counts(items, (*verdicts, 'out-of-pool', 'conflict', 'no-vip', 'skipped', 'rejected', 'failed')),
            'items': shown, 'hint': hint(items, pools)}


def count_rows(told: dict) -> list[list[str]]:
    """The counts, with the reasons of what was skipped."""
    reasons = Counter(item['detail'] for item in told['items'] if item['verdict'] == 'skipped')
    skipped = '; '.join(f'{number} {reason}' for reason, number in sorted(reasons.items()))
    return [cells((verdict, number, skipped if verdict == 'skipped' else '')) for verdict, number in told['counts'].items()
            if number or verdict in DONE]


def words_of(told: dict, zone: str | None) -> list[str]:
    """What is said behind the tables."""
    lines, n, hinted = [], told['counts'], told['hint']
    elsewhere = sum(item['verdict'] in DONE and item['zone'] != zone for item in told['items']) if zone else 0
    if elsewhere:
        lives, are = ('lives', 'is') if elsewhere == 1 else ('live', 'are')
        lines.append(f'{elsewhere} of them {lives} in another zone than {zone}, and {are} filed there, with the VIP that {zone} shows.')
    if told['dryRun']:
        does = [verb for verb, verdict in (('adopts', 'would adopt'), ('reserves', 'would reserve')) if n[verdict]]
        lines.append('A dry run: nothing was written.' + (f' --apply {" and ".join(does)}.' if does else ''))
    if hinted and hinted.startswith('holdfast '):
        lines += ['A pool for what is out of pool, before this is run again:', '  ' + hinted]
    elif hinted:
        lines.append('Hint: ' + hinted)
    return lines


def print_report(told: dict, zone: str | None, everything: bool, as_json: bool) -> None:
    """Writes the report; `everything`: with a line for each item."""
    shown = [item for item in told['items'] if everything or item['verdict'] in (*FINDINGS, 'would reserve')]
    report = Report(told)
    report.table(HEAD, [(item['zone'], item['mesh'], item['kind'], item['service'], joined(item['vips']), item['verdict'], item['detail'])
                        for item in shown])
    report.rows(count_rows(told))
    report.words(*words_of(told, zone))
    report.put(as_json)


def main(arguments: list[str]) -> int:
    options = inputs.parse_arguments(arguments, '--apply', '--all')
    zone, apply, status = options.get('--zone'), '--apply' in options, 0
    reading, server = inputs.read(options, keeping=True), Server()
    items = decide(server, reading, zone)
    pools = server.all_pages('/v1/pools')['items']
    if apply:
        status = adopt(server, items)
        reserve(server, items)
    for item in items:
        if item.verdict is None:
            item.judged('would adopt', item.detail)
    with server.reading():
        told = report_of(items, pools, apply)
    print_report(told, zone, '--all' in options, '--json' in options)
    late = sum(item.late for item in items)
    if late:
        screen.say(f'{late} addresses were taken between the check and the adoption; their services were left alone')
    return status or int(any(told['counts'][verdict] for verdict in FINDINGS))

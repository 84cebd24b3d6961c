"""Adopt the VIPs that services have in Kuma"""
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
from shared.lease import target_of
from shared.pool import add, edit
from shared.server import Server
from shared.words import cells, joined, uri

USAGE = f'''Usage: holdfast kuma-import [--apply] [--zone ZONE] [--mesh MESH] [--kuma-url URL [--kuma-token-file FILE]] [--all] [--json] [FILE…|-]
Adopts the VIPs that are in use in Kuma: each service gets a lease on exactly the address that it has. Without --apply nothing is written,
and the report shows what would be done.

No service ever gets another address from this. A service whose own address is not available is reported and left alone; the others are adopted.

  adopted      it now has its lease ("would adopt" without --apply)
  right        it already had its lease
  out-of-pool  the address is not in any pool; the report ends with a pool that would contain it
  conflict     another service has the address, or the service has a lease on another one, or is listed with different ones
  reserved     the address belongs to a host name or VirtualOutbound of an older version, which is not a service; no service will get it
               ("would reserve" without --apply)
  no-vip       Kuma shows no VIP
  skipped      it is not a service, or was listed before, or shows addresses of its Kubernetes cluster, which are not VIPs
  rejected     the server refuses it, for example because of its name; its address is reserved nevertheless
  failed       the server did not carry it out (--apply)

{inputs.USAGE}  --apply                adopt
  --all                  a line for every service, not only for those that need attention
  --json                 one object: dryRun, counts by verdict, items, and a hint which pool to create, or null

Exit status: 0 done; 1 an item is out of pool, in conflict, rejected or failed; 2 wrong arguments, or input that cannot be read or has no
service; 3 the server, or Kuma, cannot be reached.
'''
HEAD = ('ZONE', 'MESH', 'KIND', 'SERVICE', 'VIP', 'VERDICT', 'DETAIL')
FINDINGS = ('out-of-pool', 'conflict', 'rejected', 'failed')
DONE = ('adopted', 'would adopt', 'right')
ZONES_NAMED = 5


def warn_of_unknown_zone(server: Server, zone: str) -> None:
    """Warns of a zone that may be misspelt: its leases would be useless, and would keep the addresses from the right zone."""
    zones = server.all_pages('/v1/zones')['items']
    with server.reading():
        names = [item['zone'] for item in zones]
        if names and zone not in names:
            others = joined(names[:ZONES_NAMED] + ['…'] * (len(names) > ZONES_NAMED))
            screen.say(f'careful: the server does not know zone "{zone}", but {others}; is --zone right?')


def decide(server: Server, reading: Reading, zone: str | None) -> list[Item]:
    """Yields every item of the input, with its verdict or the addresses to adopt, and with what must be reserved."""
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
    """Acquires the lease with exactly these addresses. An address that was taken in the meantime is refused, never replaced."""
    query = [f'address={uri(ip)}' for ip in item.vips] + ([f'pool={uri(item.pool)}'] if item.pool else [])
    target = target_of(item.zone, item.mesh, item.kind, item.service)
    return Request('PUT', f'{target}?{"&".join(query)}', b'' if item.config else item.document.encode())


def adopt(server: Server, items: list[Item]) -> int:
    """Adopts the items to be adopted. Returns 3 if the server could not be reached for some, else 0."""
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
    """Reserves addresses that Kuma uses and no lease can hold, so that no service gets them."""
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
    """Returns what --json prints."""
    verdicts = ('adopted', 'right', 'reserved') if apply else ('would adopt', 'right', 'would reserve', 'reserved')
    shown = [{'zone': item.zone, 'mesh': item.mesh, 'kind': item.kind, 'service': item.service, 'vips': item.vips, 'verdict': item.verdict,
              'detail': item.detail, **({'holdfast': item.holdfast} if item.holdfast is not None else {})} for item in items]
    return {'dryRun': not apply, 'counts': counts(items, (*verdicts, 'out-of-pool', 'conflict', 'no-vip', 'skipped', 'rejected', 'failed')),
            'items': shown, 'hint': hint(items, pools)}


def count_rows(told: dict) -> list[list[str]]:
    """Returns the counts, with the reasons for skipped items."""
    reasons = Counter(item['detail'] for item in told['items'] if item['verdict'] == 'skipped')
    skipped = '; '.join(f'{number} {reason}' for reason, number in sorted(reasons.items()))
    return [cells((verdict, number, skipped if verdict == 'skipped' else '')) for verdict, number in told['counts'].items()
            if number or verdict in DONE]


def words_of(told: dict, zone: str | None) -> list[str]:
    """Yields the sentences after the tables."""
    lines, n, hinted = [], told['counts'], told['hint']
    elsewhere = sum(item['verdict'] in DONE and item['zone'] != zone for item in told['items']) if zone else 0
    if elsewhere:
        lives, are = ('lives', 'is') if elsewhere == 1 else ('live', 'are')
        lines.append(f'{elsewhere} of them {lives} in another zone than {zone}, and {are} filed there, with the VIP that {zone} shows.')
    if told['dryRun']:
        does = [verb for verb, verdict in (('adopts', 'would adopt'), ('reserves', 'would reserve')) if n[verdict]]
        lines.append('A dry run: nothing was written.' + (f' --apply {" and ".join(does)}.' if does else ''))
    if hinted and hinted.startswith('holdfast '):
        lines += ['To create a pool for the addresses out of pool, before you run this again:', '  ' + hinted]
    elif hinted:
        lines.append('Hint: ' + hinted)
    return lines


def print_report(told: dict, zone: str | None, everything: bool, as_json: bool) -> None:
    """Writes the report. `everything`: with a line for each item."""
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

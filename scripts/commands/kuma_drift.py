"""Report which VIPs in Kuma differ from the leases"""
from kuma import inputs, questions
from kuma.documents import Item
from kuma.report import Report, counts, has_have
from kuma.verdicts import NO_ROOM, claim_refused, has_lease, holders, lease_vips, mark_repeated, problem
from shared.server import Server
from shared.words import joined, text, time, uri

USAGE = f'''Usage: holdfast kuma-drift [--zone ZONE] [--mesh MESH] [--kuma-url URL [--kuma-token-file FILE]] [--quiet] [--json] [FILE…|-]
Compares the VIPs in Kuma with the leases, and lists each service whose VIP has moved, each service without a lease whose VIP belongs to
another service (taken), and each other service without a lease. Nothing is ever written.

{inputs.USAGE}  --quiet                print nothing if the list is empty; for cron
  --json                 one object: counts by verdict (moved, taken, no-lease, rejected, same, no-vip, skipped), how many of the skipped show
                         addresses of a Kubernetes cluster, which are not VIPs, and the items of the first four verdicts

Exit status: 0 nothing has moved or is taken; 1 something has or is; 2 wrong arguments, or input that cannot be read or has no service; 3 the server, or Kuma, cannot be reached.
'''
LISTED = ('moved', 'taken', 'no-lease', 'rejected')
HEAD = ('ZONE', 'MESH', 'KIND', 'SERVICE', 'VERDICT', 'KUMA', 'HOLDFAST', 'SINCE', 'DETAIL')


def compare(item: Item, addresses: dict[str, dict | None]) -> Item:
    """Decides whether the VIP in Kuma is the lease's and, without a lease, whether another service has it."""
    if item.again and not item.differs:
        return item.judged('skipped', 'listed before')
    lease, outcome = lease_vips(item), item.result.get('outcome')
    if has_lease(item):
        item.holdfast = lease
        if any(ip not in lease for ip in item.vips) if item.again else claim_refused(item):
            return item.judged('moved')
    if outcome == 'restored':
        return item.judged('no-lease', 'its lease is in quarantine')
    if has_lease(item):
        return item.judged('same')
    if outcome not in ('created', 'adopted') and problem(item) not in NO_ROOM:
        return item.judged('rejected', problem(item, 'detail') or 'refused')
    found = [addresses[ip] for ip in item.vips if addresses.get(ip)]
    if any(one.get('lease') or one.get('state') == 'reserved' for one in found):
        return item.judged('taken', holders(found))
    return item.judged('no-lease')


def since_when(server: Server, zones: list[str]) -> dict[tuple, str]:
    """Returns when each lease of these zones was created, by its identity."""
    since = {}
    for zone in zones:
        for lease in server.stream(f'/v1/leases?zone={uri(zone)}'):
            with server.reading():
                since[lease['zone'], lease['mesh'], lease['kind'], lease['service']] = text(lease['createdAt'])
    return since


def report_of(items: list[Item], since: dict[tuple, str]) -> dict:
    """Returns what --json prints."""
    shown = [{'zone': item.zone, 'mesh': item.mesh, 'kind': item.kind, 'service': item.service, 'verdict': item.verdict, 'kuma': item.vips,
              'holdfast': item.holdfast or [], 'since': since.get(item.identity) if item.holdfast else None, 'kumaModifiedAt': item.modified,
              'detail': item.detail} for item in items if item.verdict in LISTED]
    return {'counts': counts(items, (*LISTED, 'same', 'no-vip', 'skipped')), 'cluster': sum(item.cluster for item in items), 'items': shown}


def words_of(report: dict) -> str:
    """Returns the report in one sentence."""
    n, cluster = report['counts'], report['cluster']
    compared = sum(n[verdict] for verdict in (*LISTED, 'same'))
    parts = [f'{n["moved"]} of {compared} {"service" if compared == 1 else "services"} with a VIP in Kuma {has_have(n["moved"])} moved']
    if n['taken']:
        parts.append(f'{n["taken"]} {"has its VIP" if n["taken"] == 1 else "have their VIPs"} taken by others')
    if n['no-lease']:
        parts.append(f'{n["no-lease"]} {has_have(n["no-lease"])} no lease')
    if n['rejected']:
        parts.append(f'{n["rejected"]} cannot be compared')
    if n['no-vip']:
        parts.append(f'{n["no-vip"]} more {has_have(n["no-vip"])} no VIP')
    if cluster:
        parts.append(f'{cluster} more {"shows" if cluster == 1 else "show"} addresses of a Kubernetes cluster, which are not VIPs')
    return '; '.join(parts)


def row_of(item: dict) -> tuple:
    """Returns an item's line in the table."""
    return (item['zone'], item['mesh'], item['kind'], item['service'], item['verdict'], joined(item['kuma']), joined(item['holdfast']),
            time(item['since']), item['detail'])


def main(arguments: list[str]) -> int:
    options = inputs.parse_arguments(arguments, '--quiet')
    reading, server = inputs.read(options), Server()
    placed, known = questions.place(server, reading.asked, options.get('--zone'))
    addresses = questions.ask(server, placed, reading.aside + known)
    mark_repeated(placed)
    for item in placed:
        compare(item, addresses)
    for item in reading.aside:
        if item.kept:
            item.judged('skipped')
    items = sorted(placed + known + reading.aside, key=lambda item: item.n)
    moved = sorted({item.zone for item in items if item.verdict == 'moved'})
    told = report_of(items, since_when(server, moved))
    if '--quiet' in options and not told['items']:
        return 0
    report = Report(told)
    report.table(HEAD, [row_of(item) for item in sorted(told['items'], key=lambda item: LISTED.index(item['verdict']))])
    report.words(words_of(told))
    report.put('--json' in options)
    return 1 if told['counts']['moved'] + told['counts']['taken'] else 0

"""Check whether a zone of Kuma can be switched to Holdfast without a change"""
from collections.abc import Iterable, Iterator

from kuma import inputs
from kuma.documents import LEASED, Item
from kuma.report import Report
from shared.failure import WrongArguments
from shared.server import Server, read_json
from shared.words import at, joined, text, uri

USAGE = f'''Usage: holdfast kuma-check --zone ZONE [--mesh MESH] [--kuma-url URL [--kuma-token-file FILE]] [--json] [FILE…|-]
Shows what the zone's first syncs would do, by a dry run of a full sync for each of the three kinds of services, with everything that the zone's
control plane lists. Nothing is written. The zone is ready if no service would be created, released or rejected, and no VIP in Kuma would be refused.

  created      it has no lease, and would get an address that it does not have in Kuma: adopt its VIP first, with kuma-import --apply
  released     it has a lease in the zone, but the input does not list it: is the input complete?
  rejected     the server refuses it, for example because of its name
  refused      Kuma shows an address that its lease does not have, or that is not available: see kuma-drift

A service that shows addresses of its Kubernetes cluster (ClusterIP, Pod IPs) has no VIP in Kuma that could change: it may be created. So may a
service whose VIP would be adopted.

{inputs.USAGE}  --zone ZONE            the zone whose list it is
  --mesh MESH            only this mesh
  --json                 one object: zone, ready, summary, the number of services that show addresses of a cluster, and the obstacles

Exit status: 0 ready; 1 not yet; 2 wrong arguments, or input that cannot be read, is not complete or has no service; 3 the server, or Kuma, cannot be reached.
'''
HEAD = ('KIND', 'MESH', 'SERVICE', 'VERDICT', 'HOLDFAST', 'DETAIL')
OUTCOMES = ('created', 'adopted', 'unchanged', 'updated', 'restored', 'released', 'foreign', 'rejected')
REFUSED_WHOLE = ('mass-release-guard', 'zone-offline')  # a sync that would release too much


def full_sync(server: Server, zone: str, mesh: str | None, kind: str, items: Iterable[Item]) -> tuple[list[dict], dict | None]:
    """Runs the zone's sync of a kind as a dry run. Returns the results, and the problem if the sync would be refused as a whole.

    A kind that the input does not list is sent as an empty list: the leases that the zone has of it would be released.
    """
    body = '{"items":[' + ','.join(item.document for item in items if item.kind == kind) + ']}'
    target = f'/v1/zones/{uri(zone)}/sync?mode=full&mesh={uri(mesh) if mesh else "*"}&kind={kind}&dryRun=true&return=all'
    answer = server.get('POST', target, body.encode(), {'Content-Type': 'application/json'})
    if answer.status == 200:
        with server.reading():
            results = read_json(answer.body)['results']
            return [{**result, 'listed': kind} for result in results], None
    try:
        problem = read_json(answer.body) if answer.status == 409 else None
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or problem.get('code') not in REFUSED_WHOLE:
        raise server.refused(answer)
    return [], {**problem, 'listed': kind}


def refusals(result: dict) -> str:
    """Returns which addresses in Kuma would be refused, and why."""
    return ', '.join(f'{text(claim["address"])}: {text(claim["reason"])}' for claim in result.get('claimRefused') or [])


def obstacle(result: dict) -> dict | None:
    """Returns the obstacle in a service's result, or None."""
    outcome, is_refused = result.get('outcome'), result.get('claimRefused') is not None
    item = {'kind': result.get('kind') or result['listed'], 'mesh': result.get('mesh'), 'zone': result.get('zone'), 'service': result.get('service'),
            'vips': [at(vip, 'ip') for vip in result.get('vips') or []]}
    if outcome == 'rejected':
        return {**item, 'verdict': 'rejected', 'detail': at(result, 'problem', 'detail')}
    if outcome == 'released':
        return {**item, 'verdict': 'released', 'detail': 'the zone holds a lease of it, and it is not listed'}
    if outcome == 'created' and not result.get('clusterAddresses'):
        return {**item, 'verdict': 'created', 'detail': refusals(result) or 'it has no lease, and Kuma shows no VIP'}
    return {**item, 'verdict': 'refused', 'detail': refusals(result)} if is_refused else None


def refused_whole(problem: dict) -> dict:
    """Returns the obstacle for a kind whose sync would be refused; its summary says what it would have done."""
    released = at(problem, 'summary', 'released')
    return {'kind': problem['listed'], 'mesh': None, 'service': None, 'verdict': 'released',
            'detail': f'{"some" if released is None else text(released)} leases of this kind are not listed: {text(problem.get("detail"))}'}


def obstacles(outcomes: Iterable[tuple[list[dict], dict | None]]) -> Iterator[dict]:
    """Yields all obstacles, in the order of the syncs."""
    for results, problem in outcomes:
        if problem:
            yield refused_whole(problem)
        yield from filter(None, map(obstacle, results))


def verdict(zone: str, outcomes: list[tuple[list[dict], dict | None]], skipped: int) -> dict:
    """Returns what --json prints; `skipped` is the number of items that are not services."""
    everything = [result for results, _ in outcomes for result in results]
    summary = dict.fromkeys(OUTCOMES, 0)
    for result in everything:
        summary[result['outcome']] = summary.get(result['outcome'], 0) + 1
    summary['released'] += sum(at(problem, 'summary', 'released') or 0 for _, problem in outcomes)
    items = list(obstacles(outcomes))
    return {'zone': zone, 'ready': not items, 'summary': summary, 'cluster': sum(bool(result.get('clusterAddresses')) for result in everything),
            'skipped': skipped, 'items': items}


def words_of(told: dict) -> list[str]:
    """Returns the verdict in words."""
    parts = [', '.join(f'{number} {outcome}' for outcome, number in told['summary'].items() if number) or 'nothing']
    if told['cluster']:
        parts.append(f'{told["cluster"]} {"shows" if told["cluster"] == 1 else "show"} addresses of a Kubernetes cluster, which are not VIPs')
    if told['skipped']:
        parts.append(f'{told["skipped"]} skipped, which are not services')
    n = len(told['items'])
    return ['; '.join(parts), f'Zone {told["zone"]} can be switched: nothing of it would change.' if told['ready'] else
            f'Zone {told["zone"]} is not ready: {n} {"item stands" if n == 1 else "items stand"} in the way.']


def main(arguments: list[str]) -> int:
    options = inputs.parse_arguments(arguments)
    zone, mesh = options.get('--zone'), options.get('--mesh')
    if not zone:
        raise WrongArguments('--zone is missing: whose list is it?')
    reading, server = inputs.read(options, whole=True), Server()
    outcomes = [full_sync(server, zone, mesh, kind, reading.asked) for kind in LEASED]
    with server.reading():
        told = verdict(zone, outcomes, len(reading.aside))
        report = Report(told)
        report.table(HEAD, [(item['kind'], item['mesh'], item['service'], item['verdict'], joined(item.get('vips') or []), item['detail'])
                            for item in told['items']])
        report.words(*words_of(told))
    report.put('--json' in options)
    return 0 if told['ready'] else 1

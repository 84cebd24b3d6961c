"""What the server's results of a dry run mean for the items. Asks the server nothing.

Here and in the commands, `found` has the server's answers about addresses (GET /v1/addresses/{address})."""
from collections.abc import Iterable

from .addresses import is_address
from .documents import Item, words_of

LEASED_BEFORE = ('unchanged', 'updated', 'restored')
IN_CLUSTER = 'addresses of its Kubernetes cluster (ClusterIP, Pod IPs), which are not VIPs'
NO_ROOM = ('no-pool', 'pool-exhausted')


def problem(item: Item, name: str = 'code') -> str | None:
    """Returns a member of the problem for which the server would reject the item."""
    return (item.result.get('problem') or {}).get(name)


def lease_vips(item: Item) -> list[str]:
    """Returns the addresses that the service's lease has, or would get."""
    return [vip['ip'] for vip in item.result.get('vips') or []]


def has_lease(item: Item) -> bool:
    """Returns whether the service has a lease, which may be in quarantine."""
    return item.result.get('outcome') in LEASED_BEFORE


def claim_refused(item: Item) -> bool:
    """Returns whether the lease lacks, or would lack, an address that Kuma shows."""
    return item.result.get('claimRefused') is not None


def place(item: Item, list_zone: str | None) -> None:
    """Records the item's zone as the server sees it, and the verdict if it is known before the zone is asked.

    `list_zone` is the zone whose list the input is; None if that is not stated: then an item without a verdict and without a zone is homeless.
    """
    result = item.result
    if result.get('service'):
        item.mesh, item.kind, item.service = result['mesh'], result['kind'], result['service']
        item.zone = result.get('zone') or list_zone
    else:
        item.zone = item.zone or list_zone
    verdict = _verdict_at_once(item)
    if verdict:
        item.judged(*verdict)


def _verdict_at_once(item: Item) -> tuple[str, str] | None:
    result = item.result
    wrong = [ip for ip in item.vips if not is_address(ip)]
    wrong += [claim['address'] for claim in result.get('claimRefused') or [] if claim['reason'] == 'not-an-address']
    if result.get('clusterAddresses'):
        item.cluster = True
        return 'skipped', IN_CLUSTER
    if not item.vips:
        return 'no-vip', 'Kuma shows no VIP'
    if not result.get('service'):
        item.nameless = True
        return 'rejected', problem(item, 'detail') or 'refused'
    return ('rejected', f'its VIP "{wrong[0][:60]}" is not an IP address') if wrong else None


def mark_repeated(items: list[Item]) -> None:
    """Marks services that are listed more than once; all entries of one service get the result of the first."""
    groups = {}
    for item in items:
        if item.result.get('service'):
            groups.setdefault(item.identity, []).append(item)
    for group in groups.values():
        sets = sorted({tuple(sorted(item.vips)) for item in group})
        for item in group[1:]:
            item.again, item.result = True, group[0].result
        if len(sets) > 1:
            for item in group:
                item.differs, item.sets = True, '; '.join(map(', '.join, sets))


def is_unclear(item: Item) -> bool:
    """Returns whether the service has no lease and could not simply get one: then the state of its addresses must be found out."""
    outcome = item.result.get('outcome')
    return outcome == 'created' or outcome == 'adopted' and claim_refused(item) or outcome == 'rejected' and problem(item) in NO_ROOM


def holders(found: Iterable[dict]) -> str:
    """Names the holders of these addresses."""
    words = []
    for one in found:
        if one.get('lease'):
            held = 'held by' if one.get('state') == 'leased' else 'in quarantine for'
            words.append(f'{one["address"]} is {held} {words_of(one["lease"])}')
        elif one.get('state') == 'reserved':
            words.append(f'{one["address"]} is reserved in pool {one["pool"]}')
    return '; '.join(words)

"""Decides for kuma-import which items are adopted and what is reserved, and records the results. Asks the server nothing.

`addresses` has the server's answer for each address that was looked up; None if it had no usable answer."""
from collections.abc import Collection, Mapping

from .addresses import is_address
from .documents import Item
from .verdicts import claim_refused, has_lease, holders, is_unclear, lease_vips, problem

Addresses = Mapping[str, dict | None]
TAKEN_MEANWHILE = {'address-taken': 'conflict', 'lease-exists': 'conflict', 'address-outside-pool': 'out-of-pool'}


def judge(item: Item, addresses: Addresses) -> Item:
    """Decides whether an item is adopted (item.adopt), and if not, why."""
    outcome, lease = item.result.get('outcome'), lease_vips(item)
    if item.differs:
        return item.judged('conflict', f'listed more than once, with different VIPs: {item.sets}')
    if item.again:
        return item.judged('skipped', 'listed before')
    if has_lease(item) and claim_refused(item):
        item.holdfast = lease
        quarantine = ', in quarantine,' if outcome == 'restored' else ''
        return item.judged('conflict', f'its lease{quarantine} has {", ".join(lease)}')
    if outcome == 'restored':
        item.adopt = item.vips
        return item.judged(None, 'its lease is in quarantine and comes back')
    if has_lease(item):
        return item.judged('right')
    if is_unclear(item):
        return judge_addresses(item, addresses)
    if outcome == 'adopted':
        six = [ip for ip in lease if ':' in ip]
        item.adopt = [ip for shown in item.vips for ip in (six if ':' in shown else [shown])]
        return item
    return item.judged('rejected', problem(item, 'detail') or 'refused')


def judge_addresses(item: Item, addresses: Addresses) -> Item:
    """Decides by the state of each address: the item is adopted if all are free, in one pool, and could be those of one lease."""
    found = [addresses.get(ip) or {'code': 'unknown', 'detail': f'the server does not report the state of {ip}'} for ip in item.vips]
    states = [one.get('state') for one in found]
    outside = [one['address'] for one in found if one.get('state') == 'unmanaged']
    pools = sorted({one.get('pool') or '' for one in found})
    if any(one.get('code') for one in found):
        return item.judged('rejected', '; '.join(one['detail'] for one in found if one.get('detail') is not None))
    if found and len(outside) == len(found):
        return item.judged('out-of-pool', f'{", ".join(outside)} is in no pool')
    if any(one.get('lease') for one in found):
        return item.judged('conflict', holders(one for one in found if one.get('lease')))
    if 'reserved' in states:
        return item.judged('conflict', holders(found))
    if outside:
        return item.judged('conflict', f'{outside[0]} is in no pool, another of its VIPs is')
    if len(found) > len({':' in one['address'] for one in found}):
        return item.judged('conflict', 'several VIPs of one address family, and a lease has one')
    if len(pools) > 1:
        return item.judged('conflict', f'its VIPs lie in different pools: {", ".join(pools)}')
    item.pool, item.adopt = pools[0], [one['address'] for one in found]
    return item.judged(None, f'in pool {pools[0]}')


def settle(items: list[Item]) -> None:
    """Lets only the first of several services with the same address be adopted."""
    claims = {}
    for item in items:
        for ip in dict.fromkeys(item.adopt or []):
            claims.setdefault(ip, []).append(item)
    for ip, rivals in sorted(claims.items()):
        first = min(rivals, key=lambda item: item.n)
        for item in rivals:
            if item is not first:
                item.adopt = None
                item.judged('conflict', f'{ip} is the VIP of {first.words} too, which comes first')


def plan_reservations(items: list[Item], addresses: Addresses) -> None:
    """Decides what to reserve: the free addresses that Kuma uses and that no lease can hold."""
    adopted = {ip for item in items for ip in item.adopt or []}
    for item in items:
        if item.kept or item.nameless:
            reserve_free(item, addresses, adopted)


def reserve_free(item: Item, addresses: Addresses, adopted: set[str]) -> None:
    """Records which addresses of an item without a lease are to be reserved, or why none is."""
    what = item.kept or item.detail
    found = [addresses.get(ip) or {'address': ip, 'state': 'unknown'} for ip in item.vips if is_address(ip)]
    free = [one for one in found if one.get('state') == 'free' and one['address'] not in adopted]
    if item.kept and not item.vips:
        item.judged('skipped', what)
    elif item.kept and len(found) < len(item.vips):
        item.judged('rejected', f'{what}; its VIP is not an IP address')
    elif free:
        item.reserve = [(one['pool'], one['address']) for one in free]
        kept_out = ', '.join(one['address'] for one in free) + ' is reserved, so that no service gets it'
        item.judged('would reserve', what) if item.kept else item.judged(item.verdict, f'{what}; {kept_out}')
    elif item.kept:
        item.judged(*left_alone(item, what, found, adopted))


def left_alone(item: Item, what: str, found: list[dict], adopted: set[str]) -> tuple[str, str]:
    """Returns the verdict on an item without an address to reserve, and the reason."""
    if any(one.get('lease') for one in found):
        return 'conflict', f'{what}; {holders(found)}'
    if any(ip in adopted for ip in item.vips):
        return 'skipped', f'{what}, and has the VIP of a service'
    if any(one.get('state') == 'reserved' for one in found):
        return 'reserved', what
    return 'skipped', f'{what}; its VIP is in no pool'


def conclude_adoption(item: Item, answer) -> Item:
    """Records the result of an adoption; `answer` is the one to its request, or None."""
    answer = answer if isinstance(answer, dict) else {}
    code, detail = answer.get('code'), answer.get('detail')
    if answer.get('vips') and answer.get('state') == 'active':
        return item.judged('adopted', item.detail)
    if code in TAKEN_MEANWHILE:
        item.late = True
        return item.judged(TAKEN_MEANWHILE[code], f'since it was checked: {detail}')
    return item.judged('failed', detail or 'no answer')


def conclude_reservation(item: Item, failed_pools: Collection[str]) -> Item:
    """Records the result of a reservation; a name that was refused keeps its verdict."""
    free = [address for pool, address in item.reserve if pool in failed_pools]
    if free:
        return item.judged('failed', f'{item.detail}; {", ".join(free)} could not be reserved')
    return item.judged('reserved', item.detail) if item.kept else item

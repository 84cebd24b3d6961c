"""What a pool's leases are, and whether they fit into another pool."""
from bisect import bisect_right
from collections import Counter

from shared.words import at, many, row, text

FAMILIES = (('ipv4', 'IPv4'), ('ipv6', 'IPv6'))


def identity_of(lease: dict) -> tuple[str, str, str, str]:
    """Returns the lease's zone, mesh, kind and service."""
    found = at(lease, 'zone'), at(lease, 'mesh'), at(lease, 'kind'), at(lease, 'service')
    if not all(isinstance(name, str) for name in found):
        raise TypeError(lease)
    return found


class Ranges:
    """Which addresses a pool has: CIDRs and FIRST-LAST."""

    def __init__(self, entries: list[str]):
        self._ranges = sorted(map(_ends, entries))

    def __contains__(self, ip: str) -> bool:
        at_ip = _number(ip)
        i = bisect_right(self._ranges, (at_ip, (128, 1 << 128)))
        return i > 0 and at_ip <= self._ranges[i - 1][1]


def _number(ip: str) -> tuple[int, int]:
    from ipaddress import ip_address  # loaded late, as it takes long
    address = ip_address(ip)
    return address.max_prefixlen, int(address)


def _ends(entry: str) -> tuple:
    from ipaddress import ip_network
    first, dash, last = entry.partition('-')
    if dash:
        return _number(first), _number(last)
    network = ip_network(entry)
    return _number(str(network[0])), _number(str(network[-1]))


def left_there(lease: dict, to: Ranges) -> list[str]:
    """Returns the addresses of the other pool that the lease left and still holds, the last of each family: it gets these back."""
    found = {}
    for vip in sorted(lease.get('previousVips') or [], key=lambda vip: vip['until']):
        if vip['ip'] in to:
            found['ipv6' if ':' in vip['ip'] else 'ipv4'] = vip['ip']
    return list(found.values())


class Census:
    """Counts leases of a pool: those that would move, by zone, mesh and kind; those of zones that are offline; those in quarantine."""

    def __init__(self, to: Ranges):
        """`to` is where they would move to."""
        self._to = to
        self.moving, self.offline = Counter(), Counter()
        self.quarantined = 0
        self.families = Counter()  # of the addresses that moving leases have
        self.back = Counter()      # families of the addresses that they get back

    def add(self, lease: dict, is_offline: bool) -> bool:
        """Counts a lease. Returns whether it would move."""
        zone, mesh, kind, _ = identity_of(lease)
        if lease['state'] != 'active':
            self.quarantined += 1
            return False
        if is_offline:
            self.offline[zone] += 1
            return False
        self.moving[zone, mesh, kind] += 1
        for vip in lease['vips']:
            self.families['ipv6' if ':' in vip['ip'] else 'ipv4'] += 1
        for ip in left_there(lease, self._to):
            self.back['ipv6' if ':' in ip else 'ipv4'] += 1
        return True

    @property
    def total(self) -> int:
        """Returns how many leases would move."""
        return sum(self.moving.values())

    def rows(self) -> list[list[str]]:
        """Writes the table of what would move."""
        return [['ZONE', 'MESH', 'KIND', 'LEASES'], *(row([*scope, str(number)]) for scope, number in sorted(self.moving.items()))]


def has_family(pool: dict, family: str) -> bool:
    """Returns whether leases of the pool get an address of this family."""
    return any((':' in cidr) == (family == 'ipv6') for cidr in pool['cidrs'])


def space(pool: dict, census: Census) -> list[dict]:
    """Returns what the leases need of each family that either side has, those that they get back apart: the free addresses, and whether they fit."""
    found = []
    for family, name in FAMILIES:
        has = has_family(pool, family)
        free = int(at(pool, family, 'free') or 0) if has else 0
        needed = census.total - census.back[family] if has else census.families[family]
        if has or needed:
            found.append({'family': name, 'needed': needed, 'free': free, 'fits': needed <= free, 'has': has})
    return found


def space_words(pool: str, family: dict) -> str:
    """Returns what is needed and free, and what helps if that is not enough."""
    name, needed, free = family['family'], family['needed'], family['free']
    if not family['has']:
        return (f'{name}: {pool} has no such range, and {many(needed, "lease")} would lose {"its" if needed == 1 else "their"} address: add one '
                f'(holdfast pools edit {pool} --add-cidr CIDR)')
    words = f'{name}: {needed} needed, {free} free in {pool}'
    return words if family['fits'] else f'{words}: add a range (holdfast pools edit {pool} --add-cidr CIDR)'


def pool_for(pools: list[dict], zone: str, mesh: str, kind: str) -> str | None:
    """Returns the pool that a new lease goes to: the one that states most, then the first by name; None if there is none."""
    best = None
    for pool in pools:
        stated = [(pool['kinds'], kind), (pool['meshes'], mesh), (pool['zones'], zone)]
        stated = [(names, name) for names, name in stated if names]
        if all(name in names for names, name in stated):
            best = min(best or (1, ''), (-len(stated), text(pool['pool'])))
    return best[1] if best else None


def still_served(pools: list[dict], census: Census, source: str) -> list[str]:
    """Returns the scopes among those that move whose new leases go to the old pool even then."""
    return [f'{kind} of mesh {mesh} in zone {zone}' for zone, mesh, kind in sorted(census.moving) if pool_for(pools, zone, mesh, kind) == source]

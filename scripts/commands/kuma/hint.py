"""The hint of kuma-import: a command that creates a pool for addresses that are in no pool."""
from .addresses import ipv4_only, ranges, spans, within
from .documents import Item

MOST_RANGES = 20


def pool_name(pools: list[dict]) -> str:
    """Returns the first of kuma, kuma-2 and so on that is not the name of a pool."""
    names = {pool.get('pool') for pool in pools}
    return next(name for name in ('kuma', *(f'kuma-{n}' for n in range(2, len(names) + 3))) if name not in names)


def in_use(items: list[Item], cidrs: list[str]) -> list[str]:
    """Returns what a pool of these ranges must reserve: everything in Kuma that cannot be adopted as it is."""
    leasable = {ip for item in items if item.verdict == 'out-of-pool' and len(ipv4_only(item.vips)) == 1 for ip in item.vips}
    return [ip for ip in within((ip for item in items for ip in item.vips), cidrs) if ip not in leasable]


def hint(items: list[Item], pools: list[dict]) -> str | None:
    """Returns the command, or a sentence where no such pool is possible; None if nothing is out of pool."""
    out = sorted({ip for item in items if item.verdict == 'out-of-pool' for ip in item.vips})
    if not out:
        return None
    cidrs = ranges(out, [cidr for pool in pools for cidr in pool['cidrs']])
    if not cidrs or len(cidrs) > MOST_RANGES:
        return f'no pool has {out[0]}{f" and {len(out) - 1} more" if len(out) > 1 else ""}; create one for them'
    options = [f'--cidr {cidr}' for cidr in cidrs] + [f'--reserve {span}' for span in spans(in_use(items, cidrs))]
    return ' '.join(['holdfast pools create', pool_name(pools), *options])

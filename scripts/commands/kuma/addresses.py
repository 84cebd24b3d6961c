"""Addresses as Kuma's documents spell them, and the ranges that contain them.

Accepted spellings are those that the server accepts in a document (it uses inet_pton()): IPv4 as four decimal numbers without
leading zeros, IPv6 in any form except with a zone id, blanks around either, the suffix of a single address, IPv4 mapped into IPv6."""
import functools
import ipaddress
from collections.abc import Collection, Iterable

BLANKS = ' \t\r\n'
KUMA_OWN_FROM = ipaddress.IPv4Address('240.0.0.0')  # the ranges from which Kuma's allocator takes its VIPs, /8 by /8
PREFIXES = (16, 20, 24, 28, 32)


@functools.cache
def parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Reads an address, ignoring blanks and suffix, as an ipaddress object; None if it is not an address."""
    try:
        return None if '%' in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def is_address(text: str) -> bool:
    """Returns whether the server reads this as an address."""
    return parsed(text) is not None


def is_ipv4(text: str) -> bool:
    """Returns whether it is an IPv4 address."""
    return isinstance(parsed(text), ipaddress.IPv4Address)


def plain(text: str) -> str:
    """Returns the text without blanks and suffix, and an IPv4 address as the server writes it. Returns other text unchanged."""
    text = text.strip(BLANKS)
    text = text.removesuffix('/128' if ':' in text else '/32')
    address = parsed(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped) if mapped else text


def ipv4_only(texts: Iterable[str]) -> list[ipaddress.IPv4Address]:
    """Returns the IPv4 addresses among these, each once, in ascending order."""
    return sorted({ipaddress.IPv4Address(text) for text in texts if is_ipv4(text)})


def spans(texts: Collection[str]) -> list[str]:
    """Returns the addresses as the fewest ranges that `pools … --reserve` takes: IPv4 as FIRST-LAST, IPv6 one by one."""
    runs = []
    for address in ipv4_only(texts):
        if runs and runs[-1][1] + 1 == address:
            runs[-1][1] = address
        else:
            runs.append([address, address])
    four = [str(first) if first == last else f'{first}-{last}' for first, last in runs]
    return four + sorted({text for text in texts if not is_ipv4(text)})


def networks_of(cidr: str) -> list[ipaddress.IPv4Network]:
    """Returns a range of a pool, a CIDR or FIRST-LAST, as CIDRs."""
    first, dash, last = cidr.partition('-')
    if not dash:
        return [ipaddress.IPv4Network(cidr)]
    return list(ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)))


def ranges(texts: Iterable[str], cidrs: Iterable[str]) -> list[str]:
    """Returns CIDRs that contain these IPv4 addresses and overlap none of `cidrs`: a /8 within Kuma's own ranges, elsewhere a /16, or smaller.

    `cidrs` are those of pools: FIRST-LAST too. An address for which not even a /32 is free is left out. The CIDRs are sorted as texts.
    """
    taken = [network for cidr in cidrs if ':' not in cidr for network in networks_of(cidr)]

    @functools.cache
    def is_free(network):
        return not any(network.overlaps(other) for other in taken)
    found = set()
    for address in ipv4_only(texts):
        lengths = ((8,) if address >= KUMA_OWN_FROM else ()) + PREFIXES
        candidates = (ipaddress.IPv4Network((int(address), length), strict=False) for length in lengths)
        found.update([next(filter(is_free, candidates), None)])
    return sorted(str(network) for network in found if network)


def within(texts: Iterable[str], cidrs: Iterable[str]) -> list[str]:
    """Returns the IPv4 addresses among these that lie in the CIDRs, as texts."""
    networks = [ipaddress.IPv4Network(cidr) for cidr in cidrs]
    return [str(address) for address in ipv4_only(texts) if any(address in network for network in networks)]

"""Asks the server about the items: dry runs of syncs, which write nothing, and the state of addresses."""
from collections.abc import Iterable
from itertools import groupby

from shared.client import Request
from shared.failure import Failure
from shared.server import Server, read_json
from shared.words import at, text, uri
from . import verdicts
from .documents import Item

PART = 20000  # documents of one dry run
NOBODYS_ZONE = 'unplaced'


def dry_run(server: Server, zone: str, items: list[Item]) -> None:
    """Gives each item the result that it would have in a sync of this zone with exactly these documents."""
    target, results = f'/v1/zones/{uri(zone)}/sync?mode=delta&dryRun=true&return=all', []
    for start in range(0, len(items), PART):
        body = ''.join(item.document + '\n' for item in items[start:start + PART]).encode()
        answer = server.get('POST', target, body, {'Content-Type': 'application/x-ndjson'})
        if answer.status != 200:
            raise server.refused(answer)
        with server.reading():
            results += [checked_result(result) for result in read_json(answer.body)['results']]
    if len(results) != len(items):
        raise Failure(3, "the server's answer is not complete")
    for item, result in zip(items, results):
        item.result = result


def checked_result(result: dict) -> dict:
    """Checks that every member of a sync's result that is read here has the right type. Raises TypeError, within Server.reading()."""
    texts = [result.get(name) for name in ('outcome', 'kind', 'mesh', 'zone', 'service')]
    texts += [at(result, 'problem', name) for name in ('code', 'detail')]
    texts += [at(vip, 'ip') or [] for vip in result.get('vips') or []]
    texts += [at(claim, name) or [] for claim in result.get('claimRefused') or [] for name in ('address', 'reason')]
    if not all(value is None or isinstance(value, str) for value in texts) or result.get('service') and not result['mesh'] + result['kind']:
        raise TypeError('not a result of a sync')
    return result


def place(server: Server, items: list[Item], zone: str) -> tuple[list[Item], list[Item]]:
    """Finds the zone of each item as the server reads its document in a list of `zone` or, without that, of an unused zone.

    Returns the items whose zone is to be asked, by zone, and the items whose verdict is known.
    """
    dry_run(server, zone or NOBODYS_ZONE, items)
    for item in items:
        verdicts.place(item, zone or None)
    placed = [item for item in items if not item.verdict]
    homeless = [item for item in placed if item.zone is None]
    if homeless:
        raise Failure(2, f'{len(homeless)} of {len(placed)} services with a VIP do not name their zone ({homeless[0].service} is the first): state --zone')
    placed.sort(key=lambda item: item.zone)
    return placed, [item for item in items if item.verdict]


def ask(server: Server, placed: list[Item], others: Iterable[Item]) -> dict[str, dict | None]:
    """Gives each placed item its result in its own zone. Returns the state of the addresses whose state matters: those of services that could not
    simply be adopted, and those in `others` that no lease can hold."""
    for zone, items in groupby(placed, key=lambda item: item.zone):
        dry_run(server, zone, list(items))
    unclear = [item for item in placed if verdicts.is_unclear(item)] + [item for item in others if item.kept or item.nameless]
    return look_up(server, {ip for item in unclear for ip in item.vips})


def look_up(server: Server, addresses: Iterable[str]) -> dict[str, dict | None]:
    """Returns the server's answer about each of these, which may be a problem; None if it is unusable."""
    addresses = sorted(addresses)
    answers = list(server.many(Request('GET', f'/v1/addresses/{uri(address)}') for address in addresses))
    return {address: checked_address(answer) for address, answer in zip(addresses, answers)}


def checked_address(answer) -> dict | None:
    """Returns an answer about an address, or a problem; None for anything else."""
    try:
        if answer.get('code'):
            return {'code': text(answer['code']), 'detail': text(answer['detail'])}
        texts = [answer['address'], answer['state'], answer.get('pool') or '']
        texts += [at(answer, 'lease', name) or '' for name in ('kind', 'service', 'zone', 'mesh')]
        return answer if all(isinstance(value, str) for value in texts) else None
    except (AttributeError, KeyError, TypeError):
        return None

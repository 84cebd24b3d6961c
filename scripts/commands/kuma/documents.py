"""What Kuma's documents say: JSON from anywhere becomes items, one for each service.

Whose a document is, and whether its addresses are VIPs, the server says (questions.py); here is what has to be known before.
"""
import json
from dataclasses import dataclass, field

from . import addresses

LEASED = ('MeshService', 'MeshExternalService', 'MeshMultiZoneService')
DISPLAY_NAME = 'kuma.io/display-name'
TYPE_NAMES = {list: 'array', str: 'string', bool: 'boolean', int: 'number', float: 'number', type(None): 'null'}


@dataclass(slots=True)
class Item:
    """A service, or what is listed beside it, with all that becomes known of it on the way."""
    kind: str | None
    service: str | None
    mesh: str | None = None
    zone: str | None = None
    vips: list = field(default_factory=list)
    document: str | None = None  # JSON in one line; None: the server is not asked about it
    config: bool = False         # made of a ConfigMap, which holds VIPs alone: its lease gets no configuration
    kept: str | None = None      # what this is that has a VIP and is not a service
    modified: str | None = None
    n: int = 0                   # its place in the input
    # what the server says of it
    result: dict | None = None
    nameless: bool = False       # it is refused, and so has no identity of its own
    cluster: bool = False        # what it shows are addresses of its Kubernetes cluster
    differs: bool = False        # it is listed more than once, with different VIPs
    again: bool = False          # it was listed before
    sets: str = ''               # the different VIPs
    # what is found about it, and what is to be done
    verdict: str | None = None
    detail: str | None = None
    holdfast: list | None = None
    adopt: list | None = None    # the addresses that its lease is to get; None: it is not adopted
    pool: str | None = None
    reserve: list = field(default_factory=list)  # (pool, address) of what has to be kept out of what is given away
    late: bool = False           # somebody else took the address after the check

    def judged(self, verdict, detail=None):
        self.verdict, self.detail = verdict, detail
        return self

    @property
    def identity(self):
        return self.zone, self.mesh, self.kind, self.service

    @property
    def words(self):
        return words_of({'kind': self.kind, 'service': self.service, 'zone': self.zone, 'mesh': self.mesh})


@dataclass(slots=True)
class Listed:
    """A list went by: how many items are in it, how many it says there are, and whether it says that more follow."""
    count: int
    total: float
    more: bool


@dataclass(slots=True)
class Bad:
    """Why a value cannot be used."""
    why: str


def words_of(identity):
    """An item or a lease in words."""
    return '{kind} {service} of zone {zone}, mesh {mesh}'.format(**identity)


def text_of(value):
    """The value if it is a text, and not empty; else None."""
    return value if isinstance(value, str) and value else None


def member(value, *names):
    """What stands under these names, each in the one before; None where there is nothing, or no object."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def in_words(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(',', ':'))


def label(document, name):
    labels = document.get('labels')
    return text_of(member(labels if labels is not None else member(document, 'metadata', 'labels'), name))


def kind_of(document):
    return text_of(document.get('kind')) or text_of(document.get('type'))


def name_of(document):
    return (label(document, DISPLAY_NAME) or text_of(member(document, 'metadata', 'annotations', DISPLAY_NAME)) or
            text_of(document.get('name')) or text_of(member(document, 'metadata', 'name')))


def shown(value):
    """The addresses in what a document has as its VIPs, or the texts that stand in their place."""
    if isinstance(value, list):
        return [text for one in value for text in shown(one)]
    if isinstance(value, dict):
        return shown(value.get('ip'))
    if isinstance(value, str):
        return [addresses.plain(value)] if value.strip(addresses.BLANKS) else []
    return [] if value is None else [in_words(value)]


def addresses_of(document):
    status = document.get('status')
    return list(dict.fromkeys(shown(member(status, 'vips')) + shown(member(status, 'vip'))))


def service_item(document):
    mesh = text_of(document.get('mesh')) or label(document, 'kuma.io/mesh') or 'default'
    return Item(kind_of(document) or 'MeshService', name_of(document), mesh, label(document, 'kuma.io/zone'), addresses_of(document),
                document=in_words(document), modified=text_of(document.get('modificationTime')))


def skipped(kind, service, detail):
    return Item(kind, service, verdict='skipped', detail=detail)

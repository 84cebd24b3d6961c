"""Turns JSON from any source into items, one for each service.

The server decides which zone a document belongs to and whether its addresses are VIPs (questions.py). This module reads what must be
known before."""
import json
from dataclasses import dataclass, field

from . import addresses

LEASED = ('MeshService', 'MeshExternalService', 'MeshMultiZoneService')
DISPLAY_NAME = 'kuma.io/display-name'
TYPE_NAMES = {list: 'array', str: 'string', bool: 'boolean', int: 'number', float: 'number', type(None): 'null'}


@dataclass(slots=True)
class Item:
    """A service, or something listed beside it, with everything that becomes known about it."""
    kind: str | None
    service: str | None
    mesh: str | None = None
    zone: str | None = None
    vips: list = field(default_factory=list)
    document: str | None = None  # JSON in one line; None: the server is not asked about it
    config: bool = False         # from a ConfigMap, which has only VIPs: its lease gets no configuration
    kept: str | None = None      # what has a VIP here, if it is not a service
    modified: str | None = None
    n: int = 0                   # its position in the input
    # the server's answer about it
    result: dict | None = None
    nameless: bool = False       # refused, so it has no identity
    cluster: bool = False        # shows addresses of its Kubernetes cluster
    differs: bool = False        # listed more than once, with different VIPs
    again: bool = False          # listed before
    sets: str = ''               # the different VIPs
    # the findings, and what is to be done
    verdict: str | None = None
    detail: str | None = None
    holdfast: list | None = None
    adopt: list | None = None    # the addresses that its lease is to get; None: it is not adopted
    pool: str | None = None
    reserve: list = field(default_factory=list)  # (pool, address) to be reserved
    late: bool = False           # another service took the address after the check

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
    """A list that was read: the number of its items, the number that it states, and whether it states that more follow."""
    count: int
    total: float
    more: bool


@dataclass(slots=True)
class Bad:
    """A value that cannot be used, and the reason."""
    why: str


def words_of(identity):
    """Describes an item or a lease in words."""
    return '{kind} {service} of zone {zone}, mesh {mesh}'.format(**identity)


def text_of(value):
    """Returns the value if it is a non-empty text, else None."""
    return value if isinstance(value, str) and value else None


def member(value, *names):
    """Returns the values of these names, each in the previous one; None where one is missing or its parent is not an object."""
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
    """Returns the addresses in a document's VIPs, or the texts in their place."""
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

"""Reads the items from inputs of any shape: lists, nested lists, single resources, one after another."""
import json
import math
import re

from . import config_maps
from .documents import Bad, LEASED, Listed, TYPE_NAMES, in_words, kind_of, member, name_of, service_item, skipped, text_of

RESOURCE_KIND = re.compile(r'^[A-Z][A-Za-z0-9]*$')
SPACE = re.compile(r'[ \t\r\n]*')
SURROGATE = re.compile(r'\\u[dD][89a-fA-F]')
LARGEST = float('1.7976931348623157e308')
LOOKS_LIKE_A_CONFIG = 'this looks like the config of a kuma-<mesh>-dns-vips ConfigMap, which does not name its mesh: state --mesh'


class NotJson(ValueError):
    """A text that is not JSON, and why."""


def _real(digits):
    value = float(digits)
    return value if math.isfinite(value) else math.copysign(LARGEST, value)


def _constant(name):
    raise NotJson(f'{name} is not a JSON value')


DECODER = json.JSONDecoder(parse_float=_real, parse_constant=_constant)


def values_in(data):
    """Yields the JSON values that follow one another in these bytes."""
    text = data.decode('utf-8', 'replace').removeprefix('\ufeff')
    at, values = SPACE.match(text).end(), []
    try:
        while at < len(text):
            value, end = DECODER.raw_decode(text, at)
            values.append(value)
            at = SPACE.match(text, end).end()
        if SURROGATE.search(text):
            json.dumps(values, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise NotJson(f'{error.msg} at line {error.lineno}, column {error.colno}') from error
    except UnicodeEncodeError as error:
        raise NotJson('half a surrogate pair') from error
    except RecursionError as error:
        raise NotJson('nested too deeply') from error
    except NotJson:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise NotJson(str(error)) from error
    return values


def value_of(data):
    """Returns the single JSON value in these bytes or this text."""
    values = values_in(data.encode() if isinstance(data, str) else data)
    if len(values) != 1:
        raise NotJson('expected a single value')
    return values[0]


def items_in(value, mesh):
    """Yields the contents of a value: an Item for each service and resource, a Listed for each list, a Bad for everything unusable.

    `mesh` is for documents that do not name theirs, or None.
    """
    if isinstance(value, dict) and kind_of(value) in LEASED:
        yield service_item(value)
    elif isinstance(value, dict) and config_maps.is_content(value):
        yield from config_maps.content_items(value, mesh) if mesh else [Bad(LOOKS_LIKE_A_CONFIG)]
    elif isinstance(value, list):
        for one in value:
            yield from items_in(one, mesh)
    elif not isinstance(value, dict):
        yield Bad(f'this is {TYPE_NAMES[type(value)]}, but neither a resource nor a list of them')
    elif isinstance(value.get('items'), list):
        yield listed(value)
        yield from items_in(value['items'], mesh)
    elif 'items' not in value or value['items'] is not None:
        yield from other_items(value, mesh)


def listed(value):
    total = value.get('total')
    following = text_of(value.get('next')) or text_of(member(value, 'metadata', 'continue'))
    return Listed(len(value['items']), total if isinstance(total, (int, float)) and not isinstance(total, bool) else 0, following is not None)


def other_items(value, mesh):
    """Yields the contents of an object that is neither a service's document, by its kind, nor a list."""
    kind, name = kind_of(value), name_of(value)
    if kind == 'ConfigMap':
        if isinstance(value.get('metadata'), dict) and isinstance(value.get('data'), dict):
            return config_maps.map_items(value['metadata'].get('name'), value['data'].get('config'), mesh, value_of)
        return []
    if kind == 'Config':
        return config_maps.map_items(value.get('name'), value.get('config'), mesh, value_of)
    if kind == 'Status':
        return [Bad(f'this is an error instead of a list: {in_words(value.get("message"))}')]
    if kind is None and name is not None:
        return [service_item(value)]
    if RESOURCE_KIND.match(kind or ''):
        return [skipped(kind, name, f'a {kind} has no VIP to lease')]
    return [Bad('this object is neither a resource nor a list of them')]


class Reading:
    """Everything read so far from all inputs: `asked`, items with a document for the server; `aside`, the others; `bad`, the place of the first
    unusable value and the reason."""

    def __init__(self, mesh=None):
        self.mesh, self.asked, self.aside, self.bad = mesh or None, [], [], None
        self._n = self._listed = self._total = 0
        self._more = self._last = False

    def add(self, value, source):
        """Reads a value; `source` names its origin."""
        try:
            for one in items_in(value, self.mesh):
                self._add(one, source)
        except RecursionError:
            self._add(Bad('nested too deeply'), source)

    def _add(self, one, source):
        if isinstance(one, Listed):
            self._listed += one.count
            self._total = max(self._total, one.total)
            self._more, self._last = self._more or one.more, self._last or not one.more
        elif isinstance(one, Bad):
            self.bad = self.bad or f'{source}: {one.why}'
        else:
            self._add_item(one)

    def _add_item(self, item):
        item.n, self._n = self._n, self._n + 1
        if self.mesh and item.mesh not in (None, self.mesh):
            item.document = item.kept = None
            item.vips = []
            item.judged('skipped', f'of another mesh than {self.mesh}')
        (self.asked if item.document is not None else self.aside).append(item)

    @property
    def is_part(self):
        """Returns whether a list stated that more follows, and it did not."""
        return self._more and (self._listed < self._total if self._total else not self._last)

    def has_work(self, keeping):
        """Returns whether the input has anything to work on; with `keeping`, anything with a VIP counts, even if it is not a service."""
        return bool(self.asked) or keeping and any(item.kept for item in self.aside)

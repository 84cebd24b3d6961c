"""The ConfigMaps kuma-<mesh>-dns-vips, in which versions of Kuma before MeshService keep their VIPs, in each of their forms.

Besides services they give VIPs to host names and to the domain names of VirtualOutbounds. These get no lease; their item's `kept`
says what they are, so that the address can be reserved."""
import re

from . import addresses
from .documents import Bad, Item, in_words, member, skipped, text_of

HOST_NAME, DOMAIN_NAME = 'a host name, which is not a service', 'a domain name of a VirtualOutbound, which is not a service'
NUMBERED = {'1': HOST_NAME, '2': DOMAIN_NAME}
CONFIG_NAME = re.compile(r'^kuma-(?P<mesh>.+)-dns-vips$')
ENTRY_NAME = re.compile(r'^(?P<type>[0-9]+):(?P<name>.*)$', re.DOTALL)
NOT_OWN = re.compile(r'^(host|external-service|virtual-outbound|gateway|mesh-gateway)([:-]|$)')


def service(name, mesh, vips):
    document = {'type': 'MeshService', 'mesh': mesh, 'name': name, 'status': {'vips': [{'ip': ip} for ip in vips]}}
    return Item('MeshService', name, mesh, vips=vips, document=in_words(document), config=True)


def other(name, mesh, vips, what):
    return Item('MeshService', name, mesh, vips=vips, config=True, kept=what)


# ---- {"0:service": address} or {"0:service": {"address": address}}; the oldest maps have no number in front

def address_in(value):
    """Returns an entry's address as the server writes it; '' if it has none."""
    text = value if isinstance(value, str) else member(value, 'address')
    return addresses.plain(text) if isinstance(text, str) else ''


def entries(content, mesh):
    for key, value in content.items():
        match = ENTRY_NAME.match(key)
        number, name = match.group('type', 'name') if match else ('0', key)
        address = address_in(value)
        vips = [address] if address else []
        if number == '0':
            yield service(name, mesh, vips)
        else:
            yield other(name, mesh, vips, NUMBERED.get(number, f'of type {number}, which is not a service'))


# ---- {"v": {service: {"oe": [{"ap": [{"a": address, "d": domain, "o": origin}]}]}}}, which Kuma writes with
# KUMA_EXPERIMENTAL_USE_TAG_FIRST_VIRTUAL_OUTBOUND_MODEL. A service's own address has the origin "svc"; "k8s" is a ClusterIP.

def is_tag_first(content):
    services = content.get('v')
    return isinstance(services, dict) and services != {} and all(
        value is None or isinstance(value, dict) and ('oe' in value or value == {}) for value in services.values())


def objects_in(value, name):
    """Returns the objects of the array with this name."""
    array = member(value, name)
    return [one for one in array if isinstance(one, dict)] if isinstance(array, list) else []


def is_own(address, domain, origin):
    return address != '' and domain is None and (origin == 'svc' or origin != 'k8s' and not NOT_OWN.match(origin))


def what_else(origin):
    if origin == 'k8s':
        return 'a host name of a Kubernetes Service, which is not a separate service'
    if origin.startswith('virtual-outbound'):
        return DOMAIN_NAME
    return HOST_NAME if origin == '' else f'a host name of {origin}, which is not a service'


def tag_first_entries(content, mesh):
    for name, value in content['v'].items():
        if value is None:
            continue
        found = [(addresses.plain(text_of(one.get('a')) or ''), text_of(one.get('d')), text_of(one.get('o')) or '')
                 for part in objects_in(value, 'oe') for one in objects_in(part, 'ap')]
        own = list(dict.fromkeys(address for address, domain, origin in found if is_own(address, domain, origin)))
        yield service(name, mesh, own)
        for address, domain, origin in dict.fromkeys(one for one in found if one[0] not in own):
            yield other(domain or name, mesh, [address] if address else [], what_else(origin))


# ---- any of these

def is_entry(value):
    if isinstance(value, str):
        address = address_in(value)
        return address == '' or addresses.is_address(address)
    return isinstance(member(value, 'address'), str)


def is_content(value):
    """Returns whether an object looks like the bare content of such a map."""
    return value != {} and (is_tag_first(value) or all(map(is_entry, value.values())))


def content_items(content, mesh):
    return tag_first_entries(content, mesh) if is_tag_first(content) else entries(content, mesh)


def map_items(name, config, mesh, loads):
    """Yields the contents of a ConfigMap; `loads` reads its config, a text. `mesh` is for kuma-dns-vips, which does not name its mesh."""
    name = name if isinstance(name, str) else None
    match = CONFIG_NAME.match(name or '')
    if not match and name != 'kuma-dns-vips':
        return [skipped('ConfigMap', name, 'a ConfigMap that does not hold VIPs')]
    mesh = match['mesh'] if match else mesh
    if not mesh:
        return [Bad('kuma-dns-vips does not name its mesh: state --mesh')]
    content = {} if config in (None, False, '') else _content(config, loads)
    if content == {}:
        return [skipped('ConfigMap', name, 'a ConfigMap that holds no VIPs yet')]
    return content_items(content, mesh) if content else [Bad(f'the config of {name} is not a JSON object')]


def _content(config, loads):
    """Returns the object in a config; None if it has anything else."""
    try:
        content = loads(config) if isinstance(config, str) else None
    except ValueError:
        return None
    return content if isinstance(content, dict) else None

"""Whose a document is, and what it claims: one table, of which the server and the commands for Kuma must make the same."""

# What `status` is, with P. for the prefix of the zone's own pool of IPv4; the claim that is had, if any; what is refused.
CLAIMS = [
    ('as Kuma writes it', {'vips': [{'ip': 'P.1'}]}, 'P.1', []),
    ('as Kuma writes it for a MeshExternalService', {'vip': {'ip': 'P.2'}, 'addresses': []}, 'P.2', []),
    ('a bare string', {'vips': ['P.3']}, 'P.3', []),
    ('blanks', {'vips': [{'ip': '  P.4\t\n'}]}, 'P.4', []),
    ('a suffix', {'vips': [{'ip': 'P.5/32'}]}, 'P.5', []),
    ('mapped', {'vips': [{'ip': '::ffff:P.6'}]}, 'P.6', []),
    ('mapped, with a suffix', {'vip': {'ip': '::FFFF:P.7/128'}}, 'P.7', []),
    ('twice the same', {'vips': [{'ip': 'P.8'}, 'P.8/32']}, 'P.8', []),
    ('nothing', {'vips': [{}, {'ip': None}, {'ip': ''}, None]}, None, []),
    ('none at all', {}, None, []),
    ('no address', {'vips': [{'ip': 'backend.mesh'}]}, None, [{'address': 'backend.mesh', 'reason': 'not-an-address'}]),
    ('a number', {'vip': {'ip': 7}}, None, [{'address': '7', 'reason': 'not-an-address'}]),
    ('a network', {'vips': ['P.0/24']}, None, [{'address': 'P.0/24', 'reason': 'not-an-address'}]),
    ('one and a half', {'vips': [{'ip': 'P.9'}, {'ip': 'P.'}]}, 'P.9', [{'address': 'P.', 'reason': 'not-an-address'}]),
    ('another family', {'vips': [{'ip': 'fd00:dead::1'}]}, None, [{'address': 'fd00:dead::1', 'reason': 'outside-pool'}]),
    ('two of a family', {'vips': [{'ip': 'P.10'}, {'ip': 'P.11'}]}, 'P.10', [{'address': 'P.11', 'reason': 'second-of-family'}]),
    ('outside every pool', {'vips': [{'ip': '192.168.7.7'}]}, None, [{'address': '192.168.7.7', 'reason': 'outside-pool'}]),
]

# The labels, and the zone where the service lives; None: that of the list.
PLACES = [
    ('no labels', {}, None),
    ('of its zone', {'kuma.io/origin': 'zone'}, None),
    ('of another zone', {'kuma.io/origin': 'global', 'kuma.io/zone': 'elsewhere'}, 'elsewhere'),
    ('of another zone, by its zone alone', {'kuma.io/zone': 'elsewhere'}, 'elsewhere'),
    ('of global', {'kuma.io/origin': 'global'}, 'global'),
    ('of global, with an empty zone', {'kuma.io/origin': 'global', 'kuma.io/zone': ''}, 'global'),
    ('of global, by its zone', {'kuma.io/zone': 'global'}, 'global'),
]


def claiming(name, status, prefix):
    """A document with that status, P. being the prefix."""
    def filled(value):
        if isinstance(value, str):
            return value.replace('P.', prefix)
        if isinstance(value, list):
            return [filled(item) for item in value]
        return {key: filled(item) for key, item in value.items()} if isinstance(value, dict) else value
    return {'type': 'MeshService', 'name': name, 'mesh': 'default', 'spec': {'ports': [{'port': 80}]}, 'status': filled(status)}


def labelled(name, labels):
    return {'type': 'MeshService', 'name': name, 'mesh': 'default', 'labels': labels, 'spec': {'ports': [{'port': 80}]},
            'status': {'vips': [{'ip': '241.200.0.1'}]}}

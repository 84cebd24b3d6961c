"""What the tests of sync and manifest share: documents in Kuma's forms, bodies, and SyncCase, whose zones are each test's own."""
import hashlib
import itertools
import json
import os
import random
from urllib.parse import urlencode

from harness import ServerCase, outcome

NDJSON = 'application/x-ndjson'
FORMS = ('list', 'kubernetes', 'ndjson')
OUTCOMES = ('created', 'adopted', 'unchanged', 'updated', 'restored', 'released', 'foreign', 'rejected')
KIND_BYTES = {'MeshService': 1, 'MeshExternalService': 2, 'MeshMultiZoneService': 3}
NUMBERS = itertools.count(1)


def universal(name, mesh='default', port=80, vips=(), labels=None, **more):
    """A MeshService as Kuma's API has it; `vips` are its claims."""
    spec = {'ports': [{'port': port, 'targetPort': port, 'appProtocol': 'http'}], 'selector': {'dataplaneTags': {'app': name}}}
    return {'type': 'MeshService', 'name': name, 'mesh': mesh, 'labels': {'kuma.io/origin': 'zone', 'team': 'shop', **(labels or {})},
            'spec': spec, 'status': {'vips': [{'ip': ip} for ip in vips]}, **more}


def kubernetes(document):
    """The same service in Kubernetes form, outside any namespace."""
    metadata = {'name': document['name'], 'resourceVersion': '12', 'labels': {**document['labels'], 'kuma.io/mesh': document['mesh']}}
    return {'apiVersion': 'kuma.io/v1alpha1', 'kind': document['type'], 'metadata': metadata, 'spec': document['spec'],
            'status': document['status']}


def imported(document, zone):
    """The service of another zone as a control plane gets it from global."""
    name = document['name']
    labels = {**document['labels'], 'kuma.io/origin': 'global', 'kuma.io/zone': zone, 'kuma.io/display-name': name}
    return {**document, 'name': f'{name}-{hashlib.sha256(f"{zone}/{name}".encode()).hexdigest()[:16]}', 'labels': labels, 'status': {}}


def names(*count, prefix='s'):
    """s00, s01, … in the order of identities."""
    return [f'{prefix}{i:02}' for i in range(*count)]


def shuffled(value, rng=random.Random(7)):
    """The same document with its members in another order."""
    if isinstance(value, dict):
        members = list(value.items())
        rng.shuffle(members)
        return {name: shuffled(member, rng) for name, member in members}
    return [shuffled(item, rng) for item in value] if isinstance(value, list) else value


def encode(items, form='list', removed=None):
    """A body, and its media type. Items that are text go into NDJSON as they are."""
    if form == 'ndjson':
        lines = [item if isinstance(item, str) else json.dumps(item) for item in items]
        lines += [json.dumps({'removed': one}) for one in removed or ()]
        return ''.join(line + '\n' for line in lines), NDJSON
    if form == 'kubernetes':
        items = [kubernetes(item) if isinstance(item, dict) and 'labels' in item else item for item in items]
        body = {'apiVersion': 'v1', 'kind': 'List', 'metadata': {'resourceVersion': ''}, 'items': items}
    else:
        body = {'total': len(items), 'items': items, 'next': None}
    return json.dumps(body if removed is None else {**body, 'removed': removed}), 'application/json'


def digest_of(leases):
    """A zone's digest, from scratch, of its leases as the API shows them."""
    total = 0
    for lease in leases:
        if lease['state'] == 'active':
            identity = f'{lease["zone"]}\0{lease["mesh"]}\0'.encode() + bytes([KIND_BYTES[lease['kind']]]) + lease['service'].encode()
            fingerprint = bytes.fromhex(lease['fingerprint'][7:]) if lease['fingerprint'] else bytes(32)
            total ^= int.from_bytes(hashlib.sha256(identity + b'\0' + fingerprint).digest(), 'big')
    return f'sha256:{total:064x}'


def identity(item):
    return item['kind'], item['mesh'], item['service']


def ips(item):
    return item['vips'] and [v['ip'] for v in item['vips']]


def by_service(answer):
    """service → result; each service must be named once."""
    found = {result['service']: result for result in answer['results']}
    assert len(found) == len(answer['results']), answer['results']
    return found


def outcomes(answer):
    return {service: result['outcome'] for service, result in by_service(answer).items()}


class SyncCase(ServerCase):
    """zone() is a zone that no other test uses; pooled_zone() has a small pool of its own."""

    def zone(self):
        return f'zone-{next(NUMBERS)}'

    def pooled_zone(self, bits=24, **more):
        """A zone and the prefix of its pool's addresses: '10.7.0.' is 10.7.0.0/24."""
        number, zone = next(NUMBERS), self.zone()
        self.assertLess(number, 65536)
        prefix = f'10.{number // 256}.{number % 256}.'
        self.server.put(f'/v1/pools/{zone}', {'cidrs': [f'{prefix}0/{bits}'], 'zones': [zone], 'kinds': ['MeshService'], **more})
        return zone, prefix

    def post(self, zone, body, media='application/json', mode='full', mesh='*', epoch=None, **query):
        """One sync request. A parameter that is None is left out, `returns` stands for `return`, and `all` is its default here."""
        query = {'mode': mode, 'mesh': mesh, 'return': query.pop('returns', 'all'), **query}
        if mode == 'delta' and mesh == '*':
            del query['mesh']
        more = {key: query.pop(key) for key in ('check', 'connection', 'server') if key in query}
        target = f'/v1/zones/{zone}/sync?' + urlencode({key: value for key, value in query.items() if value is not None}, safe='*')
        headers = {'Content-Type': media, **({} if epoch is None else {'Holdfast-Zone-Epoch': str(epoch)})}
        return more.pop('server', self.server).post(target, body, headers, **more)

    def sync(self, zone, items, form='list', removed=None, **query):
        """A sync that must be answered with 200, and whose answer must be consistent."""
        body, media = encode(items, form, removed)
        answer = self.post(zone, body, media, **query)
        self.assertEqual(answer.status, 200, answer)
        return self.consistent(answer.json(), zone, query)

    def consistent(self, answer, zone, query):
        self.assertEqual((answer['zone'], answer['mode']), (zone, query.get('mode', 'full')))
        self.assertEqual(answer['dryRun'], query.get('dryRun') == 'true')
        if query.get('returns', 'all') == 'all':
            for name in OUTCOMES:
                self.assertEqual(sum(r['outcome'] == name for r in answer['results']), answer['summary'][name], (name, answer))
        released = [result['outcome'] == 'released' for result in answer['results']]
        if answer['mode'] == 'full':
            self.assertEqual(released, sorted(released), 'the released come last')
        if not answer['dryRun']:
            server = query.get('server', self.server)
            self.assertEqual(answer['digest'], digest_of(server.stream(f'?zone={zone}')[0]), 'the digest from scratch')
        return answer

    def sync_unchanged(self, zone, items, form='list', **query):
        """A sync in which nothing is to be written; not a byte of the file may change."""
        before = self.file_digest(query.get('server'))
        answer = self.assertWritesNothing(lambda: self.sync(zone, items, form, **query), query.get('server'))
        self.assertEqual(self.file_digest(query.get('server')), before, 'the file changed')
        return answer

    def refused(self, zone, items, status, code, *culprits, form='list', removed=None, **query):
        """A sync that must be refused whole, and change nothing. Returns the problem."""
        body, media = encode(items, form, removed) if isinstance(items, (list, tuple)) else (items, query.pop('media', 'application/json'))
        leases = self.leases(zone)
        answer = self.assertWritesNothing(lambda: self.post(zone, body, media, **query))
        self.assertProblem(answer, status, code, *culprits)
        self.assertEqual(self.leases(zone), leases)
        return answer.json()

    def rejected(self, answer, n, code, form):
        """The one result of item n of a body in this form; instead of the form, the place's name may be given."""
        place = {'ndjson': 'line', 'list': 'item', 'kubernetes': 'item'}.get(form, form)
        found = [result for result in answer['results'] if result.get(place) == n]
        self.assertEqual(len(found), 1, f'{place} {n}: {answer}')
        self.assertEqual((found[0]['outcome'], found[0]['vips']), ('rejected', None), found)
        self.assertEqual(found[0]['problem']['code'], code, found)
        return found[0]

    def leases(self, zone, query=''):
        """All leases of the zone, by (kind, mesh, service)."""
        return {identity(lease): lease for lease in self.server.stream(f'?zone={zone}{query}')[0]}

    def active(self, zone):
        """The services of the zone's active leases of mesh default, and their first addresses."""
        return {service: ips(lease)[0] for (_, mesh, service), lease in self.leases(zone, '&state=active').items() if mesh == 'default'}

    def connect(self, zone, instance, server=None):
        answer = (server or self.server).put(f'/v1/zones/{zone}/connection', {'instance': instance})
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def disconnect(self, zone):
        self.assertEqual(self.server.delete(f'/v1/zones/{zone}/connection').status, 200)

    def file_digest(self, server=None):
        with open(os.path.join((server or self.server).data_dir, 'data.mdb'), 'rb') as file:
            return hashlib.file_digest(file, 'sha256').hexdigest()

    def acquire(self, path, body=None):
        answer = self.server.put(path, body)
        self.assertIn(answer.status, (200, 201), answer)
        return outcome(answer), answer.json()

"""Leases over HTTP: outcomes, change detection, versions and conditions, release and quarantine, addresses asked for and claimed."""
import copy
import hashlib
import itertools
import time
import unittest

from harness import PLURALS, ServerCase, config, eventually, lease_path, outcome, parallel, vip


def etag(revision, version=None):
    return f'"{revision}-{hashlib.sha256(version.encode()).hexdigest()[:8]}"' if version else f'"{revision}"'


SPEC = {'ports': [{'port': 6379, 'targetPort': 6379, 'appProtocol': 'tcp', 'name': 'main'}],
        'selector': {'dataplaneTags': {'kuma.io/service': 'redis', 'app': 'redis'}}}

# One service, as it looks on its way: none of these is a change of another.
COPIES = {
    'universal, as the zone sends it': {
        'type': 'MeshService', 'mesh': 'default', 'name': 'redis', 'labels': {'kuma.io/zone': 'east', 'team': 'shop'}, 'spec': SPEC},
    'with the status that an updater wrote': {
        'type': 'MeshService', 'mesh': 'default', 'name': 'redis', 'labels': {'kuma.io/zone': 'east', 'team': 'shop'},
        'spec': {**SPEC, 'state': 'Available', 'identities': [{'type': 'ServiceTag', 'value': 'redis'}]},
        'status': {'vips': [{'ip': '241.9.9.9'}], 'tls': {'status': 'Ready'}}},
    'back from global': {
        'type': 'MeshService', 'mesh': 'default', 'name': 'redis-xz4b9v', 'kri': 'kri_msvc_default_east__redis_',
        'creationTime': '2026-01-01T00:00:00Z', 'modificationTime': '2026-02-01T00:00:00Z',
        'labels': {'kuma.io/display-name': 'redis', 'kuma.io/origin': 'zone', 'kuma.io/zone': 'east', 'team': 'shop'},
        'spec': SPEC, 'status': {}},
    'Kubernetes form': {
        'apiVersion': 'kuma.io/v1alpha1', 'kind': 'MeshService',
        'metadata': {'name': 'redis', 'namespace': 'shop', 'uid': '1f0c', 'resourceVersion': '812', 'generation': 3,
                     'creationTimestamp': '2026-01-01T00:00:00Z', 'annotations': {'a': 'b'}, 'managedFields': [{'manager': 'kuma-cp'}],
                     'ownerReferences': [{'kind': 'Service', 'name': 'redis'}],
                     'labels': {'k8s.kuma.io/namespace': 'shop', 'kuma.io/mesh': 'default', 'team': 'shop'}},
        'spec': SPEC},
    'members in another order, with white space': None,  # text, made below
}
SHUFFLED = '''
  { "spec": {"selector": {"dataplaneTags": {"app":"redis", "kuma.io/service" : "redis"}},
             "ports": [ {"name":"main", "appProtocol":"tcp", "targetPort":6379, "port":6379} ] },
    "labels": {"team": "\\u0073hop"}, "type": "MeshService", "name": "redis", "mesh": "default" }'''


def changed(path, value):
    document = copy.deepcopy(COPIES['universal, as the zone sends it'])
    *parents, last = path
    at = document
    for key in parents:
        at = at[key]
    at[last] = value
    return document


CHANGES = {
    'port': changed(('spec', 'ports', 0, 'port'), 6380),
    'a port more': changed(('spec', 'ports'), SPEC['ports'] + [{'port': 1}]),
    'selector': changed(('spec', 'selector', 'dataplaneTags', 'app'), 'valkey'),
    'a label of the user': changed(('labels', 'team'), 'billing'),
    'a label more': changed(('labels', 'stage'), 'test'),
    'type of a value': changed(('spec', 'ports', 0, 'port'), '6379'),
    'null for an object': changed(('spec', 'selector'), None),
    'an empty object': {},
    'not a resource': {'port': 6379},
}


class Outcomes(ServerCase):
    def test_the_life_of_a_lease_of_each_kind(self):
        for kind, first in (('MeshService', '241.'), ('MeshExternalService', '242.'), ('MeshMultiZoneService', '243.')):
            with self.subTest(kind):
                path = lease_path(self.name(), kind=kind)
                created = self.assertOutcome(self.server.put(path, config()), 201, 'created')
                self.assertEqual((created['kind'], created['mesh'], created['zone'], created['service'], created['generation'],
                                  created['state']), (kind, 'default', 'east', self.name(), 1, 'active'))
                self.assertTrue(vip(created).startswith(first))
                same = self.assertWritesNothing(lambda: self.server.put(path, config()))
                self.assertEqual(self.assertOutcome(same, 200, 'unchanged'), created)
                updated = self.assertOutcome(self.server.put(path, config(port=1)), 200, 'updated')
                self.assertEqual((updated['vips'], updated['generation']), (created['vips'], 2))
                self.assertGreater(updated['revision'], created['revision'])
                self.assertEqual(updated['createdAt'], created['createdAt'])
                released = self.server.delete(path).json()
                self.assertEqual((released['state'], released['vips']), ('quarantined', created['vips']))
                restored = self.assertOutcome(self.server.put(path, config(port=1)), 200, 'restored')
                self.assertEqual((restored['vips'], restored['generation'], restored['state']), (created['vips'], 2, 'active'))
                self.server.delete(path)
                restored = self.assertOutcome(self.server.put(path, config(port=2)), 200, 'restored')
                self.assertEqual((restored['vips'], restored['generation']), (created['vips'], 3))
                self.assertEqual(self.server.get(path).json(), restored)

    def test_one_service_of_each_kind_zone_and_mesh_is_another_service(self):
        places = itertools.product(PLURALS, ('east', 'west'), ('default', 'other'))
        vips = [vip(self.server.put(lease_path('same', zone, mesh, kind))) for kind, zone, mesh in places]
        self.assertEqual(len(set(vips)), len(vips))

    def test_an_empty_body_states_nothing(self):
        path = lease_path(self.name())
        new = self.assertOutcome(self.server.put(path), 201, 'created')
        self.assertIsNone(new['fingerprint'])
        self.assertOutcome(self.assertWritesNothing(lambda: self.server.put(path)), 200, 'unchanged')
        stated = self.assertOutcome(self.server.put(path, config()), 200, 'updated')
        self.assertEqual((stated['vips'], stated['generation']), (new['vips'], 2))
        again = self.assertOutcome(self.assertWritesNothing(lambda: self.server.put(path)), 200, 'unchanged')
        self.assertEqual(again['fingerprint'], stated['fingerprint'])
        self.server.delete(path)
        restored = self.assertOutcome(self.server.put(path), 200, 'restored')
        self.assertEqual((restored['fingerprint'], restored['generation']), (stated['fingerprint'], 2))

    def test_an_empty_body_needs_no_media_type(self):
        self.assertEqual(self.server.put(lease_path(self.name()), '', {'Content-Type': 'text/plain'}).status, 201)

    def test_media_types_that_are_json(self):
        for i, media in enumerate(('application/json', 'application/json; charset=utf-8', 'Application/JSON', 'application/vnd.kuma+json')):
            self.assertEqual(self.server.put(lease_path(f'{self.name()}-{i}'), '{}', {'Content-Type': media}).status, 201, media)

    def test_the_copies_of_a_service_are_unchanged_to_each_other(self):
        texts = {name: copy_ or SHUFFLED for name, copy_ in COPIES.items()}
        for (i, (a, first)), (b, second) in itertools.product(enumerate(texts.items()), texts.items()):
            path = lease_path(f'{self.name()[:40]}-{i}')
            self.server.put(path, first)
            with self.subTest(f'{a}, then {b}'):
                self.assertOutcome(self.assertWritesNothing(lambda body=second: self.server.put(path, body)), 200, 'unchanged')

    def test_a_change_of_configuration_is_updated_and_keeps_the_vip(self):
        for i, (name, body) in enumerate(CHANGES.items()):
            with self.subTest(name):
                path = lease_path(f'{self.name()[:40]}-{i}')
                before = self.server.put(path, COPIES['universal, as the zone sends it']).json()
                after = self.assertOutcome(self.server.put(path, body), 200, 'updated')
                self.assertEqual((after['vips'], after['generation']), (before['vips'], 2))
                self.assertNotEqual(after['fingerprint'], before['fingerprint'])
                back = self.assertOutcome(self.server.put(path, SHUFFLED), 200, 'updated')
                self.assertEqual((back['fingerprint'], back['vips'], back['generation']), (before['fingerprint'], before['vips'], 3))

    def test_many_writers_of_one_service_make_one_lease(self):
        path = lease_path(self.name())
        answers = parallel(self.server, 24, lambda i, connection: self.server.put(path, config(), connection=connection))
        self.assertEqual(sorted(map(outcome, answers)), ['created'] + ['unchanged'] * 23)
        self.assertEqual(len({vip(answer) for answer in answers}), 1)


class VersionsAndConditions(ServerCase):
    def test_a_version_is_kept_shown_and_part_of_the_entity_tag(self):
        path = lease_path(self.name())
        first = self.server.put(path + '?version=v1', config())
        self.assertEqual((first.json()['version'], first.header('ETag')), ('v1', etag(first.json()['revision'], 'v1')))
        relabelled = self.assertWritesNothing(lambda: self.server.put(path + '?version=v%202', config()))
        lease = self.assertOutcome(relabelled, 200, 'unchanged')
        self.assertEqual(lease['version'], 'v 2')
        self.assertEqual(relabelled.header('ETag'), etag(lease['revision'], 'v 2'))
        self.assertEqual({**lease, 'version': 'v1'}, first.json())
        self.assertEqual(self.server.get(path).header('ETag'), relabelled.header('ETag'))
        kept = self.assertOutcome(self.server.put(path, config()), 200, 'unchanged')
        self.assertEqual(kept['version'], 'v 2', 'an unchanged request without a version leaves it')
        changed_ = self.server.put(path, config(port=1))
        self.assertNotIn('version', self.assertOutcome(changed_, 200, 'updated'))
        self.assertEqual(changed_.header('ETag'), etag(changed_.json()['revision']))

    def test_the_length_of_a_version(self):
        path = lease_path(self.name())
        for text, status in (('a', 201), ('v' * 64, 200), ('%C3%A9' * 32, 200)):
            self.assertEqual(self.server.put(path + '?version=' + text).status, status)
        for text in ('', 'v' * 65, '%C3%A9' * 33):
            self.assertProblem(self.server.put(path + '?version=' + text), 400, 'invalid-parameter', 'version')

    def test_conditions_on_a_lease(self):
        path = lease_path(self.name())
        tag = self.server.put(path + '?version=1', config()).header('ETag')
        table = [  # header, value, status of PUT and DELETE, status of GET
            ('If-Match', tag, 200, 200), ('If-Match', f'"x", {tag},"y"', 200, 200), ('If-Match', '*', 200, 200),
            ('If-Match', ' * ', 200, 200),
            ('If-Match', '"1"', 412, 412), ('If-Match', 'W/' + tag, 412, 412), ('If-Match', f'"1",W/{tag}', 412, 412),
            ('If-Match', ','.join(['"0"'] * 7 + [tag]), 200, 200), ('If-Match', '"' + 'x' * 200 + '"', 412, 412),
            ('If-None-Match', tag, 412, 304), ('If-None-Match', 'W/' + tag, 412, 304), ('If-None-Match', f'"x" , {tag}', 412, 304),
            ('If-None-Match', '*', 412, 304), ('If-None-Match', '"1"', 200, 200), ('If-None-Match', '"1", W/"2"', 200, 200),
        ]
        for header, value, write, read in table:
            with self.subTest(f'{header}: {value[:40]}'):
                answer = self.assertWritesNothing(lambda h={header: value}: self.server.put(path + '?version=1', config(), h))
                self.assertEqual(answer.status, write, answer)
                answer = self.server.get(path, {header: value})
                self.assertEqual(answer.status, read, answer)
                self.assertEqual(self.server.request('HEAD', path, headers={header: value}).status, read)
                if read == 304:
                    self.assertEqual((answer.header('ETag'), answer.body), (tag, b''))
                if write == 412:
                    self.assertProblem(self.server.delete(path, {header: value}), 412, 'precondition-failed', header, tag)
        self.assertEqual(self.server.delete(path, {'If-Match': tag}).status, 200)

    def test_conditions_where_there_is_no_lease(self):
        path = lease_path(self.name())
        for header, value in (('If-Match', '*'), ('If-Match', '"1"')):
            self.assertProblem(self.server.put(path, config(), {header: value}), 412, 'precondition-failed', 'none')
            self.assertProblem(self.server.delete(path, {header: value}), 412, 'precondition-failed')
            self.assertProblem(self.server.get(path, {header: value}), 404, 'not-found')
        self.assertOutcome(self.server.put(path, config(), {'If-None-Match': '*'}), 201, 'created')

    def test_a_quarantined_lease_exists(self):
        path = lease_path(self.name())
        self.server.put(path, config())
        tag = self.server.delete(path).header('ETag')
        self.assertEqual(self.server.get(path).json()['state'], 'quarantined')
        self.assertProblem(self.server.put(path, config(), {'If-None-Match': '*'}), 412, 'precondition-failed')
        self.assertOutcome(self.server.put(path, config(), {'If-Match': tag}), 200, 'restored')

    def test_compare_and_set_lets_one_of_many_through(self):
        path = lease_path(self.name())
        tag = self.server.put(path, config()).header('ETag')
        answers = parallel(self.server, 12, lambda i, connection: self.server.put(path, config(port=i + 1), {'If-Match': tag},
                                                                                  connection=connection))
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [412] * 11)
        self.assertEqual(self.server.get(path).json()['generation'], 2)

    def test_a_zone_that_never_connected_has_epoch_0(self):
        path = lease_path(self.name())
        self.assertEqual(self.server.put(path, config(), {'Holdfast-Zone-Epoch': '0'}).status, 201)
        for method in ('PUT', 'DELETE'):
            self.assertProblem(self.server.request(method, path, headers={'Holdfast-Zone-Epoch': '7'}), 409, 'stale-epoch', '0', '7')

    def test_head_is_get_without_a_body(self):
        path = lease_path(self.name())
        self.server.put(path, config())
        get, head = self.server.get(path), self.server.request('HEAD', path)
        for header in ('Content-Type', 'ETag', 'Content-Length'):
            self.assertEqual(head.header(header), get.header(header))
        self.assertEqual((head.status, head.body), (200, b''))
        self.assertEqual(self.server.request('HEAD', path + '-not').status, 404)


class Release(ServerCase):
    def setUp(self):
        # A pool of two addresses, for the zone of that test alone.
        self.zone = self.name()[:60].strip('-')
        type(self).subnet = getattr(self, 'subnet', 0) + 1
        self.base = f'10.7.{self.subnet}'
        self.pool = f'/v1/pools/{self.zone}'
        self.write_pool(3600)

    def write_pool(self, seconds):
        answer = self.server.put(self.pool, {'cidrs': [f'{self.base}.0/31'], 'zones': [self.zone], 'kinds': ['MeshService'],
                                             'quarantineSeconds': seconds})
        self.assertIn(answer.status, (200, 201), answer)

    def path(self, service):
        return lease_path(service, self.zone)

    def test_release_and_again(self):
        lease = self.server.put(self.path('a'), config()).json()
        released = self.server.delete(self.path('a'))
        self.assertEqual(released.json()['state'], 'quarantined')
        self.assertGreater(released.json()['quarantinedUntil'], lease['createdAt'])
        again = self.assertWritesNothing(lambda: self.server.delete(self.path('a')))
        self.assertEqual((again.json(), again.header('ETag')), (released.json(), released.header('ETag')))

    def test_quarantine_keeps_the_address_from_others(self):
        a = vip(self.server.put(self.path('a')))
        self.server.delete(self.path('a'))
        self.assertNotEqual(vip(self.server.put(self.path('b'))), a)
        self.assertProblem(self.server.put(self.path('c')), 507, 'pool-exhausted', self.zone, 'IPv4')
        self.assertProblem(self.server.put(self.path('c') + f'?address={a}'), 409, 'address-taken', a)
        self.assertEqual(self.server.get(f'/v1/addresses/{a}').json()['state'], 'quarantined')
        self.assertEqual(vip(self.server.put(self.path('a'))), a)

    def test_purge_frees_the_address_at_once(self):
        for before in ('active', 'quarantined'):
            with self.subTest(before):
                a = vip(self.server.put(self.path('a')))
                if before == 'quarantined':
                    self.server.delete(self.path('a'))
                self.assertEqual(self.server.delete(self.path('a') + '?purge=true').json()['state'], before)
                self.assertProblem(self.server.get(self.path('a')), 404, 'not-found', 'a')
                self.assertProblem(self.server.delete(self.path('a') + '?purge=true'), 404, 'not-found')
                self.assertEqual(self.server.get(f'/v1/addresses/{a}').json()['state'], 'free')

    def test_purge_false_is_a_release(self):
        self.server.put(self.path('a'))
        self.assertEqual(self.server.delete(self.path('a') + '?purge=false').json()['state'], 'quarantined')

    def test_quarantine_ends(self):
        self.write_pool(1)
        a = vip(self.server.put(self.path('a')))
        start = time.monotonic()
        self.server.delete(self.path('a'))
        eventually(lambda: self.server.get(self.path('a')).status == 404)
        self.assertGreaterEqual(time.monotonic() - start, 0.99, 'not before the quarantine was over')
        self.assertEqual(self.server.get(f'/v1/addresses/{a}').json()['state'], 'free')

    def test_release_of_what_never_was(self):
        self.assertProblem(self.assertWritesNothing(lambda: self.server.delete(self.path('a'))), 404, 'not-found', 'a')


if __name__ == '__main__':
    unittest.main()

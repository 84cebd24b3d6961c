"""kuma-check: ready only if something was read and nothing would be created, released, rejected or refused."""
from front_kuma import KumaCase, document
from harness import lease_path
from test_kuma_places import in_cluster


class Check(KumaCase):
    def check(self, *args, **more):
        return self.assertUntouched(lambda: self.run_command('kuma-check', *args, **more))

    def verdicts(self, *documents):
        result = self.check('--zone', 'east', '--json', self.list(*documents))
        told = result.json()
        self.assertEqual((result.status, told['ready']), (1 if told['items'] else 0, not told['items']), result)
        return [(item['kind'], item['service'], item['verdict']) for item in told['items']]

    ALL = [document('a', '241.0.0.1'), document('b', '241.0.0.2'), document('x', '242.0.0.1', kind='MeshExternalService'),
           document('m', '243.0.0.1', None, kind='MeshMultiZoneService', labels={'kuma.io/origin': 'global'})]

    def adopted(self):
        self.assertDone(self.adopt('--apply', self.list(*self.ALL)), 0)

    def test_ready(self):
        self.adopted()
        self.assertDone(self.check('--zone', 'east', self.list(*self.ALL)), 0, '3 unchanged, 1 foreign', 'Zone east can be switched')
        self.assertEqual(self.verdicts(*self.ALL), [])
        path = self.list(*[{**one, 'status': {}} for one in self.ALL])
        self.assertDone(self.check('--zone=east', path), 0, '3 unchanged')

    def test_adopting_is_no_obstacle(self):
        self.assertEqual(self.verdicts(document('new', '241.9.9.9')), [])

    def test_what_would_be_created(self):
        self.server.put(lease_path('holder', 'west') + '?address=241.0.0.9')
        self.assertEqual(self.verdicts(document('a', '241.0.0.9'), document('b'), document('c', 'nonsense')),
                         [('MeshService', name, 'created') for name in 'abc'])

    def test_what_would_be_released(self):
        self.adopted()
        self.assertEqual(self.verdicts(*self.ALL[1:]), [('MeshService', 'a', 'released')])
        self.assertEqual(self.verdicts(*self.ALL[:2]), [('MeshExternalService', None, 'released')], 'a kind that is not listed at all')

    def test_of_a_zone_that_is_away(self):
        self.adopted()
        self.server.put('/v1/zones/east/connection', {'instance': 'one'})
        self.server.delete('/v1/zones/east/connection')
        self.assertEqual(self.verdicts(*self.ALL), [])
        self.assertEqual(self.verdicts(*self.ALL[1:]), [('MeshService', None, 'released')])

    def test_what_would_be_rejected_or_refused(self):
        self.adopted()
        moved = [document('a', '241.0.0.7'), *self.ALL[1:]]
        self.assertEqual(self.verdicts(*moved), [('MeshService', 'a', 'refused')])
        foreign = document('f', '241.0.0.8', 'west')
        self.assertEqual(self.verdicts(*self.ALL, foreign), [('MeshService', 'f', 'refused')])
        self.assertIn(('MeshService', 'rejected'), [(kind, verdict) for kind, _, verdict in self.verdicts(*self.ALL, document('Bad_Name', '241.0.0.8'))])

    def test_addresses_of_a_cluster(self):
        result = self.check('--zone', 'east', self.list(in_cluster('web', '10.43.0.1'), in_cluster('redis-0', '10.42.0.5', headless=True)))
        self.assertDone(result, 0, '2 created; 2 show addresses of a Kubernetes cluster')

    def test_input_that_proves_nothing(self):
        good = self.list(document('a', '241.0.0.1'))
        for content, words in (('', 'is empty'), ('no', 'is not JSON'), ({'items': []}, 'the input has no service'),
                               ({'items': [{'type': 'Dataplane', 'name': 'dp'}]}, 'the input has no service'), ({'kind': 'Status', 'message': 'forbidden'}, 'forbidden'),
                               ({'items': [document('a', '241.0.0.1')], 'total': 2, 'next': 'http://kuma/?offset=1'}, 'more pages follow')):
            self.assertDone(self.check('--zone', 'east', self.file(content, 'bad.json')), 2, words)
        self.assertDone(self.check('--zone', 'east', 'absent.json'), 2, 'does not exist or cannot be read')
        self.assertDone(self.check(good), 2, '--zone is missing')
        self.assertDone(self.check('--zone', 'east'), 2, 'nothing to read')
        self.assertDone(self.check('--zone', 'east', '--apply', good), 2)
        self.assertDone(self.check('--zone', 'east', good, HOLDFAST_URL='http://127.0.0.1:1'), 3)
        self.assertDone(self.check('--help'), 0, 'Usage: holdfast kuma-check')

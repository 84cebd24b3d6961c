"""Pools over HTTP: configuration, counts, edits, draining, deletion."""
import unittest

from harness import Server, ServerCase, eventually, fill, lease_path, outcome, vip

COUNTS = ('capacity', 'leased', 'quarantined', 'reserved', 'free', 'draining')


def counts(pool, family='ipv4'):
    return tuple(int(pool[family][name]) for name in COUNTS)


class Defaults(unittest.TestCase):
    def test_a_new_store_has_kumas_pools(self):
        server = Server('--quarantine', '30m')
        self.addCleanup(server.close)
        pools = server.get('/v1/pools').json()
        self.assertEqual([(p['pool'], p['cidrs'], p['kinds'], p['strategy'], p['quarantineSeconds']) for p in pools['items']], [
            ('meshexternalservice', ['242.0.0.0/8'], ['MeshExternalService'], 'sequential', 1800),
            ('meshmultizoneservice', ['243.0.0.0/8'], ['MeshMultiZoneService'], 'sequential', 1800),
            ('meshservice', ['241.0.0.0/8'], ['MeshService'], 'sequential', 1800)])
        self.assertEqual(pools['revision'], 3)
        self.assertEqual(counts(pools['items'][2]), (1 << 24, 0, 0, 0, 1 << 24, 0))
        self.assertEqual(server.put('/v1/pools/p', {'cidrs': ['10.0.0.0/24']}).json()['quarantineSeconds'], 1800)


class Configuration(ServerCase):
    def setUp(self):
        # Each test has a range and a zone of its own.
        number = type(self).number = getattr(type(self), 'number', 0) + 1
        self.net, self.net6, self.zone = f'10.{number}', f'fd00:{number:x}', f'z{number}'
        self.path = f'/v1/pools/a-{number}'

    def write(self, query='', **config):
        """Writes the pool for this test's zone; as a path it sorts before the default pools."""
        return self.server.put(self.path + query, {'cidrs': [f'{self.net}.0.0/24'], 'zones': [self.zone], **config})

    def lease(self, service, query=''):
        return self.server.put(lease_path(service, self.zone) + query)

    def pool(self):
        return self.server.get(self.path).json()

    def test_create_repeat_change(self):
        created = self.assertOutcome(self.write(), 201, 'created')
        same = self.assertWritesNothing(self.write)
        self.assertEqual(self.assertOutcome(same, 200, 'unchanged'), created)
        updated = self.assertOutcome(self.write(quarantineSeconds=60), 200, 'updated')
        self.assertEqual((updated['quarantineSeconds'], updated['createdAt']), (60, created['createdAt']))
        self.assertGreater(updated['revision'], created['revision'])
        self.assertEqual(self.assertOutcome(self.write(), 200, 'updated')['quarantineSeconds'], 3600, 'what is left out has its default')

    def test_an_answer_can_be_edited_and_sent_back(self):
        self.write(cidrs=[f'{self.net}.0.0/24', f'{self.net6}::/64'], reserved=[f'{self.net}.0.0/28', f'{self.net6}::1-{self.net6}::9'],
                   strategy='hashed', kinds=['MeshService', 'MeshExternalService'], meshes=['m', 'n'])
        self.lease('s', '')
        pool = self.pool()
        self.assertEqual(outcome(self.assertWritesNothing(lambda: self.server.put(self.path, pool))), 'unchanged')
        self.assertEqual(outcome(self.server.put(self.path, {**pool, 'quarantineSeconds': 5})), 'updated')

    def test_the_order_in_which_ranges_are_written_does_not_matter(self):
        cidrs = [f'{self.net}.2.0/24', f'{self.net6}::/64', f'{self.net}.0.0/24']
        self.write(cidrs=cidrs)
        self.assertEqual(outcome(self.write(cidrs=cidrs[::-1])), 'unchanged')

    def test_ranges_that_are_no_cidrs(self):
        pool = self.write(cidrs=[f'{self.net}.0.10-{self.net}.0.99', f'{self.net}.1.0-{self.net}.1.255', f'{self.net6}::5-{self.net6}::9'],
                          reserved=[f'{self.net}.0.10-{self.net}.0.12']).json()
        self.assertEqual(pool['cidrs'], [f'{self.net}.0.10-{self.net}.0.99', f'{self.net}.1.0/24', f'{self.net6}::5-{self.net6}::9'])
        self.assertEqual(counts(pool), (90 + 256, 0, 0, 3, 343, 0))
        self.assertEqual([vip['ip'] for vip in self.lease('s').json()['vips']], [f'{self.net}.0.13', f'{self.net6}::5'])
        self.assertEqual(self.lease('t', f'?address={self.net}.0.99').status, 201)
        self.assertProblem(self.lease('u', f'?address={self.net}.0.100'), 422, 'address-outside-pool')
        for address, state in (('0.9', 'unmanaged'), ('0.10', 'reserved'), ('0.14', 'free'), ('0.99', 'leased'), ('0.100', 'unmanaged')):
            self.assertEqual(self.server.get(f'/v1/addresses/{self.net}.{address}').json()['state'], state)
        self.assertEqual(outcome(self.write(cidrs=pool['cidrs'][::-1], reserved=pool['reserved'])), 'unchanged')
        drained = self.write('?drain=true', cidrs=[f'{self.net}.0.10-{self.net}.0.90', f'{self.net6}::5-{self.net6}::9']).json()
        self.assertEqual(drained['draining'], [f'{self.net}.0.96/30'])

    def test_nobody_overwrites_an_edit_of_somebody_else(self):
        created = self.write(cidrs=[f'{self.net}.0.0/24'])
        tag = created.header('ETag')
        self.assertEqual(tag, f'"{created.json()["revision"]}"')
        self.assertEqual(self.server.get(self.path).header('ETag'), tag)
        self.assertEqual(self.server.get(self.path, headers={'If-None-Match': tag}).status, 304)
        self.lease('s')
        self.assertEqual(self.server.get(self.path, headers={'If-None-Match': tag}).status, 304, 'counts are not the configuration')
        body = {'cidrs': [f'{self.net}.0.0/23'], 'zones': [self.zone]}
        edited = self.server.put(self.path, body, headers={'If-Match': tag})
        self.assertEqual((edited.status, outcome(edited)), (200, 'updated'))
        later = edited.header('ETag')
        self.assertNotEqual(later, tag)
        self.assertEqual(self.server.get(self.path, headers={'If-None-Match': tag}).status, 200)
        self.assertProblem(self.server.get(self.path, headers={'If-Match': tag}), 412, 'precondition-failed', later)
        for body in (body, {**body, 'quarantineSeconds': 5}):  # unchanged or not
            for header, value in (('If-Match', tag), ('If-Match', f'W/{later}'), ('If-None-Match', '*'), ('If-None-Match', later)):
                refused = self.assertWritesNothing(lambda h=header, v=value, b=body: self.server.put(self.path, b, headers={h: v}))
                self.assertProblem(refused, 412, 'precondition-failed', header, later)
        self.assertProblem(self.server.delete(self.path, headers={'If-Match': tag}), 412, 'precondition-failed', later)
        self.assertProblem(self.server.put(self.path, body, headers={'If-Match': '5'}), 400, 'invalid-parameter', 'If-Match')
        self.server.delete(lease_path('s', self.zone) + '?purge=true')
        self.assertEqual(self.server.delete(self.path, headers={'If-Match': f'"0", {later}'}).header('ETag'), later)
        self.assertProblem(self.server.put(self.path, body, headers={'If-Match': '*'}), 412, 'precondition-failed', 'the pool does not exist')
        self.assertProblem(self.server.delete(self.path, headers={'If-Match': '*'}), 412, 'precondition-failed', 'the pool does not exist')
        self.assertEqual(self.server.put(self.path, body, headers={'If-None-Match': '*'}).status, 201)

    def test_counts_of_large_ranges_are_decimal_strings(self):
        pool = self.write(cidrs=[f'{self.net}.0.0/16', f'{self.net6}::/64'], reserved=[f'{self.net6}::/72', f'{self.net}.9.9']).json()
        self.assertEqual(counts(pool), (65536, 0, 0, 1, 65535, 0))
        self.assertEqual(pool['ipv6']['capacity'], '18446744073709551616')
        self.assertEqual(counts(pool, 'ipv6'), (1 << 64, 0, 0, 1 << 56, (1 << 64) - (1 << 56), 0))
        self.assertEqual(len(self.lease('s').json()['vips']), 2)
        self.assertEqual(counts(self.pool(), 'ipv6')[1], 1)

    def test_the_widest_and_the_narrowest_range(self):
        pool = self.write(cidrs=[f'{self.net6}::5/128']).json()
        self.assertEqual((counts(pool, 'ipv6'), 'ipv4' in pool), ((1, 0, 0, 0, 1, 0), False))
        pool = self.server.put('/v1/pools/wide', {'cidrs': ['2000::/3'], 'zones': ['none']}).json()
        self.assertEqual(pool['ipv6']['capacity'], str(1 << 125))
        self.server.delete('/v1/pools/wide')

    def test_reserved_ranges_are_not_given_and_are_merged(self):
        pool = self.write(cidrs=[f'{self.net}.0.0/29'],
                          reserved=[f'{self.net}.0.6-{self.net}.0.7', f'{self.net}.0.0/31', f'{self.net}.0.1', f'{self.net}.0.0']).json()
        self.assertEqual(pool['reserved'], [f'{self.net}.0.0/31', f'{self.net}.0.6/31'])
        self.assertEqual(counts(pool), (8, 0, 0, 4, 4, 0))
        self.assertEqual({vip(self.lease(f's{i}')) for i in range(4)}, {f'{self.net}.0.{i}' for i in (2, 3, 4, 5)})
        self.assertProblem(self.lease('s4'), 507, 'pool-exhausted')

    def test_the_states_of_addresses_partition_the_pool(self):
        self.write(cidrs=[f'{self.net}.0.0/28'], reserved=[f'{self.net}.0.0/30'])
        for i in range(5):
            self.lease(f's{i}')
        self.server.delete(lease_path('s0', self.zone))
        self.server.delete(lease_path('s1', self.zone) + '?purge=true')
        pool = self.pool()
        self.assertEqual(counts(pool), (16, 3, 1, 4, 8, 0))
        self.assertEqual(pool['leases'], {'active': 3, 'quarantined': 1})

    def test_reserving_a_held_address_leaves_it_held(self):
        self.write(cidrs=[f'{self.net}.0.0/30'])
        held = vip(self.lease('s'))
        self.assertEqual(self.write(cidrs=[f'{self.net}.0.0/30'], reserved=[held]).status, 200)
        self.assertEqual(vip(self.lease('s')), held)
        self.assertEqual(counts(self.pool()), (4, 1, 0, 0, 3, 0))
        self.server.delete(lease_path('s', self.zone) + '?purge=true')
        self.assertEqual(counts(self.pool()), (4, 0, 0, 1, 3, 0))
        self.assertEqual(self.server.get(f'/v1/addresses/{held}').json()['state'], 'reserved')
        self.assertNotIn(held, [vip(self.lease(f't{i}')) for i in range(3)])

    def test_an_edit_moves_no_lease(self):
        self.write()
        before = [self.lease(f's{i}').json() for i in range(3)]
        self.write(cidrs=[f'{self.net}.0.0/23', f'{self.net6}::/64'], strategy='hashed', quarantineSeconds=1)
        self.assertEqual([self.lease(f's{i}').json() for i in range(3)], before)
        self.assertEqual(len(self.lease('later').json()['vips']), 2, 'a family added later reaches new leases')

    def test_a_range_with_leases_is_taken_away_only_by_draining(self):
        two = [f'{self.net}.0.0/30', f'{self.net}.1.0/30']
        self.write(cidrs=two)
        held = vip(self.lease('s', f'?address={self.net}.0.1'))
        refused = self.assertWritesNothing(lambda: self.write(cidrs=two[1:]))
        self.assertProblem(refused, 409, 'pool-in-use', two[0], 'drain')
        self.assertProblem(self.write('?drain=false', cidrs=two[1:]), 409, 'pool-in-use')
        pool = self.write('?drain=true', cidrs=two[1:]).json()
        self.assertEqual((pool['cidrs'], pool['draining'], counts(pool)), (two[1:], [two[0]], (4, 1, 0, 0, 4, 1)))
        self.assertEqual(vip(self.lease('s')), held, 'what is there stays')
        self.assertProblem(self.lease('t', f'?address={self.net}.0.2'), 422, 'address-outside-pool', f'{self.net}.0.2')
        self.assertEqual(self.server.get(f'/v1/addresses/{held}').json()['state'], 'leased')
        self.assertEqual(self.server.get(f'/v1/addresses/{self.net}.0.2').json()['state'], 'unmanaged')
        self.server.delete(lease_path('s', self.zone))
        self.assertEqual(vip(self.lease('s')), held, 'also from quarantine')
        self.assertProblem(self.server.put('/v1/pools/other', {'cidrs': [two[0]]}), 409, 'pool-overlap', two[0], 'a-')
        self.server.delete(lease_path('s', self.zone) + '?purge=true')
        self.assertEqual(self.pool()['draining'], [], 'it goes with its last lease')

    def test_a_draining_range_can_be_taken_back(self):
        two = [f'{self.net}.0.0/30', f'{self.net}.1.0/30']
        self.write(cidrs=two)
        self.lease('s', f'?address={self.net}.0.1')
        self.write('?drain=true', cidrs=two[1:])
        pool = self.write(cidrs=two).json()
        self.assertEqual((pool['draining'], counts(pool)), ([], (8, 1, 0, 0, 7, 0)))

    def test_a_range_without_leases_is_taken_away_freely(self):
        self.write(cidrs=[f'{self.net}.0.0/24', f'{self.net}.1.0/24'])
        self.assertEqual(self.write(cidrs=[f'{self.net}.1.0/24']).status, 200)
        self.assertEqual(self.server.get(f'/v1/addresses/{self.net}.0.1').json()['state'], 'unmanaged')

    def test_overlaps_are_refused(self):
        self.write()
        table = [
            ([f'{self.net}.0.0/25'], f'{self.net}.0.0/24'), ([f'{self.net}.0.0/16'], f'{self.net}.0.0/24'),
            (['241.1.0.0/16'], 'meshservice'), (['0.0.0.0/0'], '0.0.0.0/0'),
            ([f'{self.net}.8.0/24', f'{self.net}.8.128/25'], f'{self.net}.8.128/25'),
            ([f'{self.net}.8.0/24', f'{self.net}.8.0/24'], f'{self.net}.8.0/24'),
            ([f'{self.net}.8.1-{self.net}.8.9', f'{self.net}.8.9-{self.net}.8.20'], f'{self.net}.8.9-{self.net}.8.20'),
            ([f'{self.net}.0.250-{self.net}.1.3'], f'{self.net}.0.250-{self.net}.1.3'),
        ]
        for cidrs, culprit in table:
            with self.subTest(cidrs):
                answer = self.assertWritesNothing(lambda c=cidrs: self.server.put('/v1/pools/other', {'cidrs': c}))
                self.assertProblem(answer, 409, 'pool-overlap', culprit)
        self.assertEqual(self.server.get('/v1/pools/other').status, 404)

    def test_deletion(self):
        self.write()
        self.lease('s')
        self.assertProblem(self.server.delete(self.path), 409, 'pool-in-use', '1 active')
        self.server.delete(lease_path('s', self.zone))
        self.assertProblem(self.assertWritesNothing(lambda: self.server.delete(self.path)), 409, 'pool-in-use', '1 in quarantine')
        self.server.delete(lease_path('s', self.zone) + '?purge=true')
        before = self.pool()
        self.assertEqual(self.server.delete(self.path).json(), before)
        for act in (self.server.get, self.server.delete):
            self.assertProblem(act(self.path), 404, 'not-found', self.path.rsplit('/', 1)[1])
        self.assertEqual(self.server.put('/v1/pools/b-next', {'cidrs': before['cidrs'], 'zones': [self.zone]}).status, 201)
        self.assertEqual(self.lease('s').json()['pool'], 'b-next')
        self.server.delete(lease_path('s', self.zone) + '?purge=true')
        self.server.delete('/v1/pools/b-next')

    def test_quarantine_of_zero_frees_soon(self):
        self.write(quarantineSeconds=0, cidrs=[f'{self.net}.0.0/32'])
        held = vip(self.lease('s'))
        self.server.delete(lease_path('s', self.zone))
        eventually(lambda: self.server.get(f'/v1/addresses/{held}').json()['state'] == 'free')
        self.assertEqual(vip(self.lease('t')), held)

    def test_a_dual_stack_lease_gets_all_its_families_or_none(self):
        self.write(cidrs=[f'{self.net}.0.0/30', f'{self.net6}::/127'])
        for i in range(2):
            self.assertEqual(len(self.lease(f's{i}').json()['vips']), 2)
        self.assertProblem(self.assertWritesNothing(lambda: self.lease('s2')), 507, 'pool-exhausted', 'IPv6')
        self.assertEqual(counts(self.pool()), (4, 2, 0, 0, 2, 0))

    def test_everything_survives_a_restart(self):
        self.write(cidrs=[f'{self.net}.0.0/24', f'{self.net6}::/64'], reserved=[f'{self.net}.0.7'], strategy='hashed', meshes=['default'])
        fill(self.server, [f's{i}' for i in range(20)], zone=self.zone)
        self.server.delete(lease_path('s3', self.zone))
        before = self.server.get('/v1/pools').json()
        self.server.stop()
        self.server.start()
        self.assertEqual(self.server.get('/v1/pools').json(), before)


class Limits(ServerCase):
    def test_as_much_as_a_pool_takes(self):
        """Long IPv6 ranges, so that no list can be longer as text."""
        def address(i, last):
            return f'fdaa:bbbb:cccc:dddd:eeee:ffff:{0x1000 + i:x}:{last}'
        config = {'cidrs': [address(i, 'a000') + '-' + address(i, 'affe') for i in range(4096)],
                  'reserved': [address(i, 'a001') + '-' + address(i, 'a00f') for i in range(4096)],
                  'meshes': [f'm{i}' + 'x' * 60 for i in range(64)], 'zones': [f'z{i}' for i in range(64)]}
        created = self.server.put('/v1/pools/large', config)
        self.assertEqual((created.status, created.json()['cidrs'], created.json()['reserved']), (201, config['cidrs'], config['reserved']))
        self.assertEqual(created.json()['ipv6']['capacity'], str(4096 * 4095))
        for member, most in (('cidrs', 4096), ('reserved', 4096), ('meshes', 64), ('zones', 64)):
            more = {**config, member: config[member] + config[member][:1]}
            self.assertProblem(self.server.put('/v1/pools/large', more), 400, 'invalid-parameter', member, str(most))
        self.assertEqual(self.server.put('/v1/pools/large', config).header('Holdfast-Outcome'), 'unchanged')


if __name__ == '__main__':
    unittest.main()

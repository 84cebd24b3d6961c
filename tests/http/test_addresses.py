"""Which address a lease gets over HTTP: asked for, claimed, by pool and strategy; and what /v1/addresses tells of it."""
import datetime
import time
import unittest

from harness import Server, ServerCase, config, eventually, fill, lease_path, vip


def claiming(*ips):
    return {'spec': {}, 'status': {'vips': [{'ip': ip} for ip in ips]}}


class Requested(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put('/v1/pools/dual', {'cidrs': ['10.1.0.0/24', 'fd00:1::/64'], 'reserved': ['10.1.0.9'], 'zones': ['dual']})
        cls.server.put('/v1/pools/six', {'cidrs': ['fd00:6::/120'], 'zones': ['six'], 'kinds': ['MeshService']})

    def test_an_address_that_is_free_is_given(self):
        path = lease_path(self.name(), 'dual') + '?address=10.1.0.77&address=fd00:1::77'
        lease = self.assertOutcome(self.server.put(path, config()), 201, 'created')
        self.assertEqual([v['ip'] for v in lease['vips']], ['10.1.0.77', 'fd00:1::77'])
        self.assertOutcome(self.assertWritesNothing(lambda: self.server.put(path, config())), 200, 'unchanged')

    def test_an_address_for_one_family_leaves_the_other_to_the_pool(self):
        lease = self.server.put(lease_path(self.name(), 'dual') + '?address=FD00:1:0::00aa').json()
        self.assertEqual((len(lease['vips']), lease['vips'][1]['ip']), (2, 'fd00:1::aa'))

    def test_addresses_that_cannot_be_had(self):
        self.server.put(lease_path('holder', 'dual') + '?address=10.1.0.50')
        self.server.put(lease_path('gone', 'dual') + '?address=10.1.0.51')
        self.server.delete(lease_path('gone', 'dual'))
        table = [
            ('address=10.1.0.50', 409, 'address-taken', '10.1.0.50', 'holder'),
            ('address=10.1.0.51', 409, 'address-taken', '10.1.0.51', 'gone'),
            ('address=10.1.0.9', 409, 'address-taken', '10.1.0.9', 'reserved'),
            ('address=10.1.1.0', 422, 'address-outside-pool', '10.1.1.0', 'dual'),
            ('address=242.0.0.1', 422, 'address-outside-pool', '242.0.0.1', 'dual'),
            ('pool=six&address=10.1.0.60', 422, 'address-outside-pool', 'six', 'dual'),
            ('pool=meshservice&address=fd00:1::5', 422, 'address-outside-pool', 'meshservice', 'dual'),
            ('address=10.1.0.60&address=10.1.0.61', 400, 'invalid-parameter', 'address', 'family'),
            ('address=10.1.0.60&address=10.1.0.60', 400, 'invalid-parameter', 'address', 'family'),
            ('address=10.1.0.256', 400, 'invalid-address', '10.1.0.256'),
            ('address=10.1.0.060', 400, 'invalid-address', '10.1.0.060'),
            ('address=10.1.0.0/24', 400, 'invalid-address', '10.1.0.0/24'),
            ('address=::ffff:10.1.0.60', 400, 'invalid-address', 'mapped'),
            ('address=', 400, 'invalid-address', 'address'),
            ('pool=none', 422, 'no-pool', 'none'),
            ('pool=Six', 400, 'invalid-name', 'pool', 'Six'),
        ]
        path = lease_path(self.name(), 'dual')
        for query, status, code, *culprits in table:
            with self.subTest(query):
                answer = self.assertWritesNothing(lambda q=query: self.server.put(f'{path}?{q}', config()))
                self.assertProblem(answer, status, code, *culprits)
        self.assertEqual(self.server.get(path).status, 404)

    def test_an_address_of_another_pool_that_matches_goes_there(self):
        lease = self.assertOutcome(self.server.put(lease_path(self.name(), 'dual') + '?address=241.0.0.1', config()), 201, 'created')
        self.assertEqual((lease['pool'], lease['vips']), ('meshservice', [{'ip': '241.0.0.1'}]))
        lease = self.assertOutcome(self.server.put(lease_path(self.name() + '-2', 'dual'), claiming('241.0.0.200')), 201, 'adopted')
        self.assertEqual((lease['pool'], lease['vips']), ('meshservice', [{'ip': '241.0.0.200'}]))

    def test_what_contradicts_the_lease_moves_nothing(self):
        path = lease_path(self.name(), 'six')
        lease = self.server.put(path + '?address=fd00:6::7', config()).json()
        for query, *culprits in (('address=fd00:6::8', 'fd00:6::7', 'fd00:6::8'), ('address=10.1.0.60', '10.1.0.60'),
                                 ('pool=dual', 'six', 'dual')):
            for state in ('active', 'quarantined'):
                with self.subTest(f'{query}, {state}'):
                    answer = self.assertWritesNothing(lambda q=query: self.server.put(f'{path}?{q}', config(port=9)))
                    self.assertProblem(answer, 409, 'lease-exists', *culprits)
                    self.server.delete(path) if state == 'active' else self.server.put(path)
        self.assertEqual(self.server.get(path).json()['vips'], lease['vips'])
        self.assertEqual(self.server.put(path + '?address=fd00:6::7&pool=six', config()).status, 200)

    def test_claims(self):
        self.server.put(lease_path('claimed', 'dual') + '?address=10.1.0.80')
        table = [  # claims, outcome, and which of them are given
            (['10.1.0.90'], 'adopted', ['10.1.0.90']), (['fd00:1::90', '10.1.0.91'], 'adopted', ['10.1.0.91', 'fd00:1::90']),
            (['10.1.0.80'], 'created', []), (['10.1.0.80', '10.1.0.92'], 'adopted', ['10.1.0.92']), (['10.1.0.9'], 'created', []),
            (['10.2.0.1'], 'created', []), (['242.0.0.200'], 'created', []), (['nonsense', '', '10.1.0.93'], 'adopted', ['10.1.0.93']),
        ]
        for i, (claims, expected, given) in enumerate(table):
            with self.subTest(claims):
                path = lease_path(f'{self.name()}-{i}', 'dual')
                lease = self.assertOutcome(self.server.put(path, claiming(*claims)), 201, expected)
                self.assertLessEqual(set(given), {v['ip'] for v in lease['vips']})
                self.assertEqual(len(lease['vips']), 2)
                if not given:
                    self.assertFalse(set(claims) & {v['ip'] for v in lease['vips']})
                self.assertOutcome(self.server.put(path, claiming('10.1.0.99')), 200, 'unchanged')

    def test_a_claim_that_is_a_bare_string(self):
        lease = self.assertOutcome(self.server.put(lease_path(self.name(), 'dual'), {'spec': {}, 'status': {'vips': ['10.1.0.94']}}), 201, 'adopted')
        self.assertEqual(lease['vips'][0], {'ip': '10.1.0.94'})

    def test_claims_that_are_none(self):
        for i, vips in enumerate((None, {}, 'x', [], [None], [{}], [{'ip': 5}], [{'ip': None}], [[]])):
            body = {'spec': {}, 'status': {'vips': vips}}
            self.assertOutcome(self.server.put(lease_path(f'{self.name()}-{i}', 'dual'), body), 201, 'created')


class Choice(unittest.TestCase):
    def server(self, *flags):
        server = Server(*flags)
        self.addCleanup(server.close)
        return server

    def test_sequential_goes_on_behind_the_last_and_begins_where_kuma_does(self):
        server = self.server()
        self.assertEqual([vip(server.put(lease_path(f's{i}'))) for i in range(3)], ['241.0.0.0', '241.0.0.1', '241.0.0.2'])
        server.delete(lease_path('s1') + '?purge=true')
        self.assertEqual(vip(server.put(lease_path('s3'))), '241.0.0.3', 'a freed address is not given to the next one')
        server.stop()
        server.start()
        self.assertEqual(vip(server.put(lease_path('s4'))), '241.0.0.4', 'nor after a restart')

    def test_hashed_gives_a_store_rebuilt_from_nothing_the_old_addresses(self):
        def build(names):
            server = self.server()
            server.put('/v1/pools/meshservice', {'cidrs': ['241.0.0.0/8'], 'strategy': 'hashed', 'kinds': ['MeshService']})
            return {name: vip(server.put(lease_path(name))) for name in names}
        names = [f's{i}' for i in range(50)]
        self.assertEqual(build(names), build(reversed(names)))

    def test_the_pool_with_most_selectors_then_the_first_by_name(self):
        server = self.server()
        pools = {'a-none': {}, 'b-zone': {'zones': ['z']}, 'c-zone': {'zones': ['z', 'y']}, 'd-two': {'zones': ['z'], 'meshes': ['m']},
                 'e-three': {'zones': ['z'], 'meshes': ['m'], 'kinds': ['MeshExternalService']}}
        for i, (name, selector) in enumerate(pools.items()):
            self.assertEqual(server.put(f'/v1/pools/{name}', {'cidrs': [f'10.{i}.0.0/24'], **selector}).status, 201)
        table = [  # kind, mesh, zone, pool
            ('MeshService', 'm', 'z', 'd-two'), ('MeshExternalService', 'm', 'z', 'e-three'), ('MeshService', 'n', 'x', 'meshservice'),
            ('MeshMultiZoneService', 'n', 'z', 'b-zone'), ('MeshMultiZoneService', 'n', 'y', 'c-zone'),
            ('MeshExternalService', 'm', 'y', 'c-zone'),
        ]
        for kind, mesh, zone, pool in table:
            with self.subTest(f'{kind} {mesh} {zone}'):
                self.assertEqual(server.put(lease_path('s', zone, mesh, kind)).json()['pool'], pool)

    def test_no_pool_at_all(self):
        server = self.server()
        server.delete('/v1/pools/meshservice')
        answer = server.put(lease_path('s'))
        self.assertEqual((answer.status, answer.code), (422, 'no-pool'))
        self.assertIn('MeshService', answer.detail)

    def test_no_address_is_given_twice_and_all_survive_a_restart(self):
        server = self.server()
        server.put('/v1/pools/small', {'cidrs': ['10.0.0.0/22'], 'zones': ['east'], 'kinds': ['MeshService']})
        fill(server, [f's{i}' for i in range(1024)], threads=12)
        before, _ = server.stream('?pool=small')
        self.assertEqual(len({vip(lease) for lease in before}), 1024)
        answer = server.put(lease_path('one-more'))
        self.assertEqual((answer.status, answer.code), (507, 'pool-exhausted'))
        server.stop()
        server.start()
        self.assertEqual(server.stream('?pool=small')[0], before)


class Addresses(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put('/v1/pools/p', {'cidrs': ['10.0.0.0/24', 'fd00::/64'], 'reserved': ['10.0.0.240/28'], 'zones': ['east'],
                                          'kinds': ['MeshService']})

    def test_what_an_address_is(self):
        held = self.server.put(lease_path('held') + '?address=10.0.0.1&address=fd00::abcd').json()
        self.server.put(lease_path('released') + '?address=10.0.0.2')
        released = self.server.delete(lease_path('released')).json()
        table = [
            ('10.0.0.1', '10.0.0.1', 'p', 'leased', held), ('FD00:0::AbCd', 'fd00::abcd', 'p', 'leased', held),
            ('10.0.0.2', '10.0.0.2', 'p', 'quarantined', released), ('10.0.0.241', '10.0.0.241', 'p', 'reserved', None),
            ('10.0.0.3', '10.0.0.3', 'p', 'free', None), ('10.0.1.0', '10.0.1.0', None, 'unmanaged', None),
            ('::1', '::1', None, 'unmanaged', None), ('fd00%3A%3A2', 'fd00::2', 'p', 'free', None),
        ]
        for given, address, pool, state, lease in table:
            with self.subTest(given):
                self.assertEqual(self.server.get(f'/v1/addresses/{given}').json(),
                                 {'address': address, 'pool': pool, 'state': state, 'lease': lease})

    def test_addresses_out_of_form(self):
        for text in ('10.0.0', '10.0.0.1.1', '10.0.0.256', '010.0.0.1', '10.0.0.1%20', 'fd00::1::2', '::ffff:10.0.0.1', 'x',
                     'fe80::1%25eth0', ''):
            for end in ('', '/history'):
                self.assertProblem(self.server.get(f'/v1/addresses/{text}{end}'), 400, 'invalid-address', 'address')

    def test_history(self):
        path = '/v1/addresses/10.0.0.100/history'
        self.assertEqual(self.server.get(path).json(), {'items': []})
        for name in ('first', 'second'):
            self.server.put(lease_path(name) + '?address=10.0.0.100')
            time.sleep(0.02)  # the clock goes on
            if name == 'first':
                self.server.delete(lease_path(name) + '?purge=true')
                time.sleep(0.02)  # the clock goes on
        items = self.server.get(path).json()['items']
        self.assertEqual([(i['service'], i['to'] is None) for i in items], [('second', True), ('first', False)])
        self.assertEqual({i['by'] for i in items}, {'anonymous'})
        self.assertLess(items[1]['from'], items[1]['to'])
        began, ended, began_again = (datetime.datetime.fromisoformat(t) for t in (items[1]['from'], items[1]['to'], items[0]['from']))
        moments = (began + (ended - began) / 2, ended + (began_again - ended) / 2, began_again + datetime.timedelta(milliseconds=5))
        for moment, holders in zip(moments, (['first'], [], ['second'])):  # of the store's time, not of this process's clock
            for text in (moment.strftime('%Y-%m-%dT%H:%M:%S.%fZ'),
                         moment.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30))).isoformat(),
                         moment.astimezone(datetime.timezone(datetime.timedelta(hours=-8))).isoformat()):
                found = self.server.get(f'{path}?at={text}').json()['items']
                self.assertEqual([i['service'] for i in found], holders, text)
        self.assertEqual(self.server.get(f'{path}?at=1970-01-01T00:00:00Z').json(), {'items': []})

    def test_a_time_out_of_form(self):
        for text in ('', 'now', '2026-01-31', '2026-01-31T12:00:00', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '1969-12-31T23:59:59Z',
                     '2026-01-31T24:00:00Z', '2026-01-31T12:00:00.Z', '2026-01-31%2012:00:00Z', '2026-01-31T12:00:00Z%20', '1738324800'):
            self.assertProblem(self.server.get(f'/v1/addresses/10.0.0.1/history?at={text}'), 400, 'invalid-parameter', 'at:')

    def test_sixteen_holders_are_kept(self):
        for i in range(20):
            self.server.put(lease_path(f'holder-{i}') + '?address=10.0.0.200')
            self.server.delete(lease_path(f'holder-{i}') + '?purge=true')
        items = self.server.get('/v1/addresses/10.0.0.200/history').json()['items']
        self.assertEqual([i['service'] for i in items], [f'holder-{i}' for i in range(19, 3, -1)])

    def test_quarantine_counts_as_holding(self):
        for zone, seconds in (('long', 3600), ('brief', 1)):
            self.server.put(f'/v1/pools/{zone}', {'cidrs': [f'10.5.{seconds % 256}.0/31'], 'zones': [zone], 'quarantineSeconds': seconds})
            ip = vip(self.server.put(lease_path('s', zone)))
            until = self.server.delete(lease_path('s', zone)).json()['quarantinedUntil']
            history = f'/v1/addresses/{ip}/history'
            if zone == 'long':
                self.assertIsNone(self.server.get(history).json()['items'][0]['to'])
            else:
                self.assertGreaterEqual(eventually(lambda: self.server.get(history).json()['items'][0]['to']), until)  # pylint: disable=cell-var-from-loop


if __name__ == '__main__':
    unittest.main()

"""Moves: an administrator gives a lease another address, and the old one stays bound to it for a while."""
import json
import unittest

from backups import Case
from harness import PLURALS, lease_path, parallel, vip
from moving import HOUR, MoveCase, previous
from syncing import by_service, ips, universal
from test_metrics import Metrics

MOVED_BY_ADMIN = 'holdfast_vip_changes_total{cause="admin"}'


class Moves(MoveCase):
    """Whatever has an overlap that ends soon waits for its end: it is a change, and the others' changes are counted."""

    def test_the_end_of_an_overlap(self):
        zone, prefix = self.pooled_zone()
        self.acquire(lease_path('a', zone))
        before, moves = self.server.revision(), self.server.metric(MOVED_BY_ADMIN)
        lease = self.moved(zone, overlap='1s')
        self.assertEqual((vip(lease), previous(lease), lease['revision']), (f'{prefix}1', [f'{prefix}0'], before + 1))
        ended = self.changes(before + 1, zone, '60s')
        self.assertEqual([(c['type'], c['cause'], c['by'], c['vips'], 'previousVips' in c) for c in ended],
                         [('updated', 'deadline', 'holdfast', [{'ip': f'{prefix}1'}], False)])
        lease = self.server.get(lease_path('a', zone)).json()
        self.assertEqual((vip(lease), previous(lease), lease['revision'], lease['generation']), (f'{prefix}1', [], before + 2, 1))
        self.assertEqual((self.address(f'{prefix}0'), self.address(f'{prefix}1')), (('free', None), ('leased', 'a')))
        self.assertEqual((self.holders(f'{prefix}0'), self.holders(f'{prefix}1')), ([('a', False)], [('a', True)]))
        self.assertEqual(self.server.metric(MOVED_BY_ADMIN), moves + 1, 'the end of an overlap moves nothing')
        self.assertVerified()

    def test_everyone_is_shown_the_previous_address(self):
        zone, prefix = self.pooled_zone()
        self.acquire(lease_path('a', zone), universal('a'))
        before, moves = self.server.revision(), self.server.metric(MOVED_BY_ADMIN)
        lease = self.moved(zone, **HOUR)
        self.assertEqual((vip(lease), previous(lease)), (f'{prefix}1', [f'{prefix}0']))
        self.assertGreater(lease['previousVips'][0]['until'], lease['modifiedAt'])
        self.assertEqual(self.server.get(lease_path('a', zone)).json(), lease)
        self.assertEqual(self.server.get(f'/v1/leases?zone={zone}').json()['items'], [lease])
        self.assertEqual(self.server.stream(f'?zone={zone}')[0], [lease])
        found = self.server.post('/v1/lookup', {'items': [{'mesh': 'default', 'zone': zone, 'service': 'a'}]}).json()
        self.assertEqual(found['items'], [lease])
        for ip in (f'{prefix}0', f'{prefix}1'):
            found = self.server.get(f'/v1/addresses/{ip}').json()
            self.assertEqual((found['state'], found['lease']), ('leased', lease))
            self.assertEqual(self.holders(ip), [('a', True)])
        [change] = self.changes(before, zone)
        self.assertEqual((change['type'], change['cause'], change['by'], change['vips'], change['previousVips']),
                         ('moved', 'admin', 'anonymous', lease['vips'], lease['previousVips']))
        usage = self.server.get(f'/v1/pools/{zone}').json()['ipv4']
        self.assertEqual((usage['leased'], usage['previous'], usage['free']), ('2', '1', '254'))
        self.assertEqual(self.server.metric(f'holdfast_pool_previous_addresses{{pool="{zone}",family="ipv4"}}'), 1)
        self.assertEqual(self.server.metric(MOVED_BY_ADMIN), moves + 1)
        self.assertVerified()

    def test_a_sync_is_shown_it_and_may_claim_it(self):
        zone, prefix = self.pooled_zone()
        self.sync(zone, [universal('a'), universal('b')])
        lease = self.moved(zone, **HOUR)
        result = by_service(self.sync_unchanged(zone, [universal('a'), universal('b')]))
        self.assertEqual((ips(result['a']), result['a']['previousVips']), ([f'{prefix}2'], lease['previousVips']))
        self.assertNotIn('previousVips', result['b'])
        claimed = by_service(self.sync_unchanged(zone, [universal('a', vips=[f'{prefix}0']), universal('b')]))['a']
        self.assertEqual((claimed['outcome'], 'claimRefused' in claimed), ('unchanged', False), 'it is its own address')
        changed = by_service(self.sync(zone, [universal('a', port=81), universal('b', vips=[f'{prefix}0'])]))
        self.assertEqual((changed['a']['outcome'], ips(changed['a']), changed['a']['previousVips']),
                         ('updated', [f'{prefix}2'], lease['previousVips']))
        self.assertEqual(changed['b']['claimRefused'], [{'address': f'{prefix}0', 'reason': 'lease-exists'}])
        released = self.sync(zone, [universal('b')])['results'][-1]
        self.assertEqual((released['service'], released['outcome'], released['previousVips']), ('a', 'released', lease['previousVips']))
        answer = self.server.put(lease_path('c', zone), universal('c', vips=[f'{prefix}0']))
        self.assertOutcome(answer, 201, 'created')
        self.assertEqual(answer.header('Holdfast-Claim-Refused'), f'"{prefix}0";reason=address-taken')
        self.assertProblem(self.server.put(lease_path('d', zone) + f'?address={prefix}0'), 409, 'address-taken')
        lease = self.server.get(lease_path('a', zone)).json()
        self.assertEqual((lease['state'], previous(lease)), ('quarantined', [f'{prefix}0']))
        self.assertGreaterEqual(lease['quarantinedUntil'], lease['previousVips'][0]['until'])
        self.assertEqual(self.address(f'{prefix}0'), ('quarantined', 'a'))
        self.assertEqual(self.server.delete(lease_path('a', zone) + '?purge=true').status, 200)
        self.assertEqual((self.address(f'{prefix}0'), self.address(f'{prefix}2')), (('free', None), ('free', None)))
        self.assertVerified()

    def test_of_each_kind_to_an_address_and_to_another_pool(self):
        for kind in PLURALS:
            with self.subTest(kind):
                zone, _ = self.pooled_zone(kinds=[])
                _, prefix = self.pooled_zone(kinds=[])
                target = self.server.get('/v1/addresses/' + f'{prefix}0').json()['pool']
                _, lease = self.acquire(lease_path('a', zone, kind=kind))
                moved = self.moved(zone, kind=kind, address=f'{prefix}9', pool=target)
                self.assertEqual((vip(moved), moved['pool'], moved['kind'], previous(moved)), (f'{prefix}9', target, kind, []))
                self.assertEqual({**moved, 'vips': 0, 'pool': 0, 'revision': 0, 'modifiedAt': 0},
                                 {**lease, 'vips': 0, 'pool': 0, 'revision': 0, 'modifiedAt': 0}, 'nothing else changes')
                self.assertEqual(self.address(vip(lease)), ('free', None))

    def test_of_both_families(self):
        zone, prefix = self.pooled_zone()
        other = self.zone()
        cidrs = [f'192.168.{prefix.split(".")[2]}.0/24', f'fd00:{prefix.split(".")[2]}::/64']
        self.assertEqual(self.server.put(f'/v1/pools/{other}', {'cidrs': cidrs, 'zones': [other]}).status, 201)
        self.acquire(lease_path('a', zone))
        lease = self.moved(zone, pool=other, **HOUR)
        self.assertEqual((len(lease['vips']), previous(lease)), (2, [f'{prefix}0']))
        v4, v6 = (entry['ip'] for entry in lease['vips'])
        lease = self.moved(zone, address=v6 + '7', **HOUR)
        self.assertEqual(([entry['ip'] for entry in lease['vips']], previous(lease)), ([v4, v6 + '7'], [f'{prefix}0', v6]))
        v4 = v4[:-1] + '9'
        lease = self.moved(zone, address=[v6 + '8', v4])
        self.assertEqual(([entry['ip'] for entry in lease['vips']], previous(lease)), ([v4, v6 + '8'], [f'{prefix}0', v6]))
        lease = self.moved(zone, pool=zone, address=f'{prefix}0', overlap='2h')
        self.assertEqual(([entry['ip'] for entry in lease['vips']], previous(lease)), ([f'{prefix}0'], [v6, v4, v6 + '8']))
        for pool in (zone, other):
            self.assertProblem(self.server.delete(f'/v1/pools/{pool}'), 409, 'pool-in-use', pool)
        self.assertVerified()

    def test_what_is_there_already_writes_nothing(self):
        zone, prefix = self.pooled_zone()
        self.acquire(lease_path('a', zone))
        lease = self.moved(zone, address=f'{prefix}7', **HOUR)
        for query in ({'address': f'{prefix}7'}, {'pool': zone}, {'address': f'{prefix}7', 'pool': zone, 'overlap': '2h'}):
            self.assertEqual(self.assertUntouched(lambda: self.moved(zone, **query)), lease)

    def test_back_to_a_previous_address(self):
        zone, prefix = self.pooled_zone()
        self.acquire(lease_path('a', zone))
        self.moved(zone, address=f'{prefix}7', **HOUR)
        lease = self.moved(zone, address=f'{prefix}0', **HOUR)
        self.assertEqual((vip(lease), previous(lease)), (f'{prefix}0', [f'{prefix}7']))
        lease = self.moved(zone, address=f'{prefix}7')
        self.assertEqual((vip(lease), previous(lease)), (f'{prefix}7', []))
        self.assertEqual(self.address(f'{prefix}0'), ('free', None))

    def test_eight_previous_addresses_and_no_more(self):
        zone, prefix = self.pooled_zone()
        self.acquire(lease_path('a', zone))
        for count in range(1, 9):
            lease = self.moved(zone, **HOUR)
        self.assertEqual((vip(lease), previous(lease)), (f'{prefix}8', [f'{prefix}{i}' for i in range(8)]))
        self.assertProblem(self.assertUntouched(lambda: self.move(zone, **HOUR)), 409, 'lease-exists', '8 previous addresses')
        self.assertEqual(vip(self.moved(zone)), f'{prefix}9')

    def test_bad_input(self):
        zone, prefix = self.pooled_zone(28, reserved=[])
        edge = self.zone()
        number = prefix.split('.')[2]
        self.server.put(f'/v1/pools/{edge}', {'cidrs': [f'192.0.2.{int(number) % 16 * 16}/28'], 'zones': [edge],
                                              'reserved': [f'192.0.2.{int(number) % 16 * 16 + 1}']})
        for service in 'abcd':
            self.acquire(lease_path(service, zone))
        self.moved(zone, 'd', **HOUR)  # from …3 to …4
        self.server.delete(lease_path('c', zone))
        table = [
            ({'address': f'{prefix}1'}, 409, 'address-taken', f'{prefix}1'),
            ({'address': f'{prefix}2'}, 409, 'address-taken', f'{prefix}2'),
            ({'address': f'{prefix}3'}, 409, 'address-taken', f'{prefix}3'),
            ({'address': f'192.0.2.{int(number) % 16 * 16 + 1}', 'pool': edge}, 409, 'address-taken', 'reserve'),
            ({'address': '203.0.113.1'}, 422, 'address-outside-pool', '203.0.113.1'),
            ({'address': f'{prefix}5', 'pool': edge}, 422, 'address-outside-pool', edge),
            ({'address': 'fd00::1'}, 422, 'address-outside-pool', 'fd00::1'),
            ({'pool': 'nowhere'}, 422, 'no-pool', 'nowhere'),
            ({'pool': 'No-Where'}, 400, 'invalid-name', 'pool'),
            ({'address': '10.0.0'}, 400, 'invalid-address', '10.0.0'),
            ({'address': '::ffff:10.0.0.1'}, 400, 'invalid-address', '::ffff:10.0.0.1'),
            ({'address': [f'{prefix}5', f'{prefix}6']}, 400, 'invalid-parameter', 'family'),
            ({'pool': ['meshservice', zone]}, 400, 'invalid-parameter', 'pool'),
            ({'force': 'yes'}, 400, 'invalid-parameter', 'force'),
            ({'purge': 'true'}, 400, 'invalid-parameter', 'purge'),
            *(({'overlap': text}, 400, 'invalid-parameter', '366d')
              for text in ('', 'x', '1', '-1s', '1h30m', '500ms', '1500ms', '367d', '8785h', '31622401s', '99999999999d')),
        ]
        for query, status, code, culprit in table:
            with self.subTest(query):
                answer = self.assertUntouched(lambda: self.move(zone, **query))
                self.assertProblem(answer, status, code, culprit)
        for service, status, code in (('none', 404, 'not-found'), ('c', 409, 'lease-exists')):
            self.assertProblem(self.assertUntouched(lambda: self.move(zone, service)), status, code, service)
        for overlap in ('366d', '8784h', '31622400s', '7200000ms', '0s'):
            self.assertEqual(self.move(zone, overlap=overlap).status, 200, overlap)
        self.assertVerified()

    def test_a_pool_without_room(self):
        zone, prefix = self.pooled_zone(31)
        for service in 'ab':
            self.acquire(lease_path(service, zone))
        self.assertProblem(self.assertUntouched(lambda: self.move(zone)), 507, 'pool-exhausted', zone)
        self.assertEqual(self.server.delete(lease_path('b', zone) + '?purge=true').status, 200)
        self.assertEqual(vip(self.moved(zone, **HOUR)), f'{prefix}1')
        self.assertProblem(self.move(zone, **HOUR), 507, 'pool-exhausted', zone)

    def test_conditions_and_epochs(self):
        zone, prefix = self.pooled_zone()
        _, lease = self.acquire(lease_path('a', zone))
        self.connect(zone, 'one')
        stale = {'If-Match': f'"{lease["revision"] - 1}"'}
        self.assertProblem(self.assertUntouched(lambda: self.move(zone, headers=stale)), 412, 'precondition-failed', str(lease['revision']))
        self.assertProblem(self.move(zone, headers={'If-None-Match': '*'}), 412, 'precondition-failed')
        self.assertProblem(self.move(zone, headers={'Holdfast-Zone-Epoch': '2', **stale}), 409, 'stale-epoch', '1')
        good = {'If-Match': f'"{lease["revision"]}"', 'Holdfast-Zone-Epoch': '1'}
        answer = self.move(zone, headers=good)
        self.assertEqual((answer.status, vip(answer), answer.header('ETag')), (200, f'{prefix}1', f'"{lease["revision"] + 1}"'))
        self.assertProblem(self.move(zone, headers=good), 412, 'precondition-failed')

    def test_a_zone_that_is_away(self):
        zone, prefix = self.pooled_zone()
        self.acquire(lease_path('a', zone))
        self.connect(zone, 'one')
        self.moved(zone, **HOUR)
        self.disconnect(zone)
        self.assertProblem(self.assertUntouched(lambda: self.move(zone)), 409, 'zone-offline', zone, 'force=true')
        self.assertEqual(vip(self.moved(zone, force='true')), f'{prefix}2')

    def test_only_post_is_taken(self):
        path = lease_path('a', self.zone()) + '/move'
        for method in ('GET', 'PUT', 'DELETE'):
            answer = self.server.request(method, path)
            self.assertEqual((answer.status, answer.header('Allow')), (405, 'POST'))

    def test_many_move_to_one_address(self):
        zone, prefix = self.pooled_zone()
        services = [f's{i}' for i in range(16)]
        for service in services:
            self.acquire(lease_path(service, zone))
        answers = parallel(self.server, 16, lambda i, connection: self.server.post(
            lease_path(services[i], zone) + f'/move?address={prefix}99&overlap=1h', connection=connection))
        self.assertEqual(sorted((answer.status, answer.code) for answer in answers), [(200, None)] + [(409, 'address-taken')] * 15)
        self.assertVerified()


class Killed(MoveCase):
    def test_within_an_overlap(self):
        zone, prefix = self.pooled_zone()
        self.acquire(lease_path('a', zone))
        lease = self.moved(zone, **HOUR)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.get(lease_path('a', zone)).json(), lease)
        self.assertEqual(self.address(f'{prefix}0'), ('leased', 'a'))
        self.assertProblem(self.server.put(lease_path('b', zone) + f'?address={prefix}0'), 409, 'address-taken')
        self.assertEqual(self.server.metric(MOVED_BY_ADMIN), 1)
        self.assertVerified()
        before = self.server.revision()
        self.moved(zone, overlap='1s')
        self.server.kill()
        self.server.start()
        ended = self.changes(before + 1, zone, '60s')
        self.assertEqual([(c['type'], c['cause'], c['previousVips']) for c in ended], [('updated', 'deadline', lease['previousVips'])])
        self.assertEqual((self.address(f'{prefix}0'), self.address(f'{prefix}1')), (('leased', 'a'), ('free', None)))
        self.assertVerified()


class Exported(Case):
    def test_an_export_has_previous_addresses(self):
        server = self.server()
        server.put(lease_path('a'))
        server.put(lease_path('b'))
        lease = server.post(lease_path('a') + '/move?overlap=1h').json()
        self.assertEqual(server.post(lease_path('a') + '/move?overlap=2h&address=241.0.0.9').status, 200)
        lease = server.get(lease_path('a')).json()
        server.stop()
        text = self.assertOffline(0, 'export', server.data_dir)
        lines = [json.loads(line) for line in text.splitlines()]
        [shown] = [line['lease'] for line in lines if 'lease' in line and line['lease']['service'] == 'a']
        self.assertEqual([(entry['ip'], entry['until']) for entry in shown['previousVips']],
                         [(entry['ip'], entry['until']) for entry in lease['previousVips']])
        self.assertEqual([line['change'].get('previousVips') for line in lines if 'change' in line][-1], lease['previousVips'])
        with open(self.path('x.ndjson'), 'w', encoding='utf-8') as file:
            file.write(text)
        self.assertOffline(0, 'import', self.path('x.ndjson'), '--data-dir', self.path('copy'))
        self.assertEqual(self.assertOffline(0, 'export', self.path('copy')), text, 'it comes back as it was')
        self.assertOffline(0, 'verify', self.path('copy'))
        copy = self.server(data_dir=self.path('copy'))
        self.assertEqual(copy.get(lease_path('a')).json(), lease)
        self.assertEqual(Metrics(copy.get('/metrics').body.decode()).value('holdfast_vip_changes_total', cause='admin'), 2)

    def test_an_import_into_a_store_in_use_adds_them_or_says_who_has_them(self):
        server = self.server()
        for service in 'abc':
            server.put(lease_path(service))
        lease = server.post(lease_path('a') + '/move?overlap=1h').json()
        server.delete(lease_path('b') + '?purge=true')
        server.stop()
        with open(self.path('x.ndjson'), 'w', encoding='utf-8') as file:
            file.write(self.assertOffline(0, 'export', server.data_dir))
        other = self.server()
        other.put(lease_path('other', 'west') + '?address=241.0.0.77')
        other.stop()
        self.assertOffline(0, 'import', self.path('x.ndjson'), '--data-dir', other.data_dir, '--on-conflict=keep')
        other.start()
        found = other.get(lease_path('a')).json()
        self.assertEqual((found['vips'], found['previousVips']), (lease['vips'], lease['previousVips']))
        self.assertEqual(other.get('/v1/addresses/241.0.0.0').json()['lease'], found)
        self.assertEqual(other.post('/v1/verify').json()['violations'], 0)
        taken = self.server()
        taken.put(lease_path('thief', 'west') + '?address=241.0.0.0')
        taken.stop()
        self.assertOffline(1, 'import', self.path('x.ndjson'), '--data-dir', taken.data_dir, says='241.0.0.0 is held here by .*thief')


if __name__ == '__main__':
    unittest.main()

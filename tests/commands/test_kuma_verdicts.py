"""What the server's answers mean for the items: verdicts of kuma-import and kuma-drift, and the hint."""
import unittest

import commands_path  # noqa: F401
import kuma_check
import kuma_drift
from kuma import verdicts
from kuma.adoption import conclude_adoption, conclude_reservation, judge, plan_reservations, settle
from kuma.documents import Item
from kuma.hint import hint

FREE = {'address': '241.0.0.1', 'state': 'free', 'pool': 'p', 'lease': None}
LEASE = {'kind': 'MeshService', 'service': 'h', 'zone': 'west', 'mesh': 'm'}
HELD = {'address': '241.0.0.1', 'state': 'leased', 'pool': 'p', 'lease': LEASE}
REFUSED = [{'address': '241.0.0.1', 'reason': 'held'}]


def item(name='a', *vips, n=0, **result):
    result = {'service': name, 'mesh': 'm', 'kind': 'MeshService', **result}
    return Item('MeshService', name, 'm', 'east', list(vips) or ['241.0.0.1'], n=n, result=result, document='{}')


class Placing(unittest.TestCase):
    def test_verdicts_before_its_zone_is_asked(self):
        for vips, result, expected in ((['1.1.1.1'], {}, None), ([], {}, 'no-vip'), ([], {'clusterAddresses': True}, 'skipped'), (['x'], {}, 'rejected'),
                                       (['1.1.1.1'], {'service': None, 'problem': {'detail': 'no'}}, 'rejected'),
                                       (['1.1.1.1'], {'claimRefused': [{'address': 'x', 'reason': 'not-an-address'}]}, 'rejected')):
            one = item(**result)
            one.vips = vips
            verdicts.place(one, 'home')
            self.assertEqual(one.verdict, expected, result)

    def test_listed_twice(self):
        same, differing = [item(n=0), item(n=1)], [item('b', '1.1.1.1', n=2), item('b', '1.1.1.2', n=3)]
        verdicts.mark_repeated(same + differing)
        self.assertEqual([judge(one, {}).verdict for one in same[1:] + differing], ['skipped', 'conflict', 'conflict'])
        self.assertEqual(differing[0].detail, 'listed more than once, with different VIPs: 1.1.1.1; 1.1.1.2')


class Adoption(unittest.TestCase):
    def assertJudged(self, one, verdict, addresses=None, adopt=None):
        judge(one, addresses or {})
        self.assertEqual((one.verdict, one.adopt), (verdict, adopt), one)

    def test_by_the_outcome(self):
        self.assertJudged(item(outcome='unchanged'), 'right')
        self.assertJudged(item(outcome='updated', claimRefused=REFUSED, vips=[{'ip': '241.0.0.2'}]), 'conflict')
        self.assertJudged(item(outcome='restored'), None, adopt=['241.0.0.1'])
        self.assertJudged(item(outcome='adopted'), None, adopt=['241.0.0.1'])
        self.assertJudged(item('a', 'fd00:0::1', outcome='adopted', vips=[{'ip': 'fd00::1'}]), None, adopt=['fd00::1'])
        self.assertJudged(item(outcome='rejected', problem={'code': 'invalid-name'}), 'rejected')

    def test_by_what_its_addresses_are(self):
        for answer, verdict in ((FREE, None), (HELD, 'conflict'), ({**HELD, 'state': 'quarantined'}, 'conflict'), ({**FREE, 'state': 'reserved'}, 'conflict'),
                                ({**FREE, 'state': 'unmanaged', 'pool': None}, 'out-of-pool'), ({'code': 'x', 'detail': 'y'}, 'rejected'), (None, 'rejected')):
            self.assertJudged(item(outcome='created'), verdict, {'241.0.0.1': answer}, ['241.0.0.1'] if verdict is None else None)

    def test_several_addresses(self):
        six = {**FREE, 'address': 'fd00::1'}
        for other, verdict in ((six, None), ({**six, 'pool': 'q'}, 'conflict'), ({**FREE, 'address': '241.0.0.2'}, 'conflict'),
                               ({**six, 'state': 'unmanaged', 'pool': None}, 'conflict')):
            one = item('a', '241.0.0.1', 'other', outcome='created')
            self.assertEqual(judge(one, {'241.0.0.1': FREE, 'other': other}).verdict, verdict, other)

    def test_the_first_of_two_is_served(self):
        late, first = item('b', n=1, outcome='adopted'), item('a', n=0, outcome='adopted')
        for one in (late, first):
            judge(one, {})
        settle([late, first])
        self.assertEqual((first.adopt, late.adopt, late.verdict), (['241.0.0.1'], None, 'conflict'))
        alone = item('a', 'fd00::1', 'fd00:0::1', outcome='adopted', vips=[{'ip': 'fd00::1'}])
        settle([judge(alone, {})])
        self.assertIsNone(alone.verdict, 'it is not its own rival')

    def test_reservations(self):
        for answer, expected in ((FREE, 'would reserve'), (HELD, 'conflict'), ({**FREE, 'state': 'reserved'}, 'reserved'),
                                 ({**FREE, 'state': 'unmanaged'}, 'skipped'), (None, 'skipped')):
            one = Item('MeshService', 'host', 'm', vips=['241.0.0.1'], kept='a host')
            plan_reservations([one], {'241.0.0.1': answer})
            self.assertEqual((one.verdict, bool(one.reserve)), (expected, expected == 'would reserve'))
        one = Item('MeshService', 'host', 'm', vips=['241.0.0.1'], kept='a host')
        service = judge(item(outcome='created'), {'241.0.0.1': FREE})
        plan_reservations([service, one], {'241.0.0.1': FREE})
        self.assertEqual((one.verdict, one.reserve), ('skipped', []), 'a service gets it')

    def test_what_became_of_it(self):
        for answer, verdict, late in (({'vips': [{}], 'state': 'active'}, 'adopted', False), ({'code': 'address-taken', 'detail': 'x'}, 'conflict', True),
                                      ({'code': 'address-outside-pool', 'detail': 'x'}, 'out-of-pool', True), ({'code': 'other'}, 'failed', False), (None, 'failed', False)):
            one = conclude_adoption(item(), answer)
            self.assertEqual((one.verdict, one.late), (verdict, late), answer)
        kept = Item('MeshService', 'host', kept='a host', reserve=[('p', '241.0.0.1')], verdict='would reserve', detail='a host')
        self.assertEqual(conclude_reservation(kept, []).verdict, 'reserved')
        self.assertEqual(conclude_reservation(kept, ['p']).detail, 'a host; 241.0.0.1 could not be reserved')

    def test_the_hint(self):
        items = [item('a', '240.0.0.5').judged('out-of-pool'), item('b', '240.0.0.6').judged('conflict'), item('c', '240.0.0.7').judged('rejected')]
        self.assertEqual(hint(items, [{'pool': 'kuma', 'cidrs': ['10.0.0.0/8']}]),
                         'holdfast pools create kuma-2 --cidr 240.0.0.0/8 --reserve 240.0.0.6-240.0.0.7')
        self.assertIsNone(hint(items[1:], []))
        self.assertEqual(hint([item('a', 'fd00::1', 'fd00::2').judged('out-of-pool')], []), 'no pool has fd00::1 and 1 more; create one for them')


class DriftAndCheck(unittest.TestCase):
    def test_drift(self):
        for result, answer, verdict in (({'outcome': 'unchanged'}, None, 'same'), ({'outcome': 'unchanged', 'claimRefused': REFUSED}, None, 'moved'),
                                        ({'outcome': 'restored'}, None, 'no-lease'), ({'outcome': 'created'}, HELD, 'taken'), ({'outcome': 'created'}, FREE, 'no-lease'),
                                        ({'outcome': 'rejected', 'problem': {'code': 'no-pool'}}, None, 'no-lease'), ({'outcome': 'rejected'}, None, 'rejected')):
            self.assertEqual(kuma_drift.compare(item(**result), {'241.0.0.1': answer}).verdict, verdict, result)

    def test_check(self):
        for result, verdict in (({'outcome': 'created'}, 'created'), ({'outcome': 'created', 'clusterAddresses': True}, None), ({'outcome': 'adopted'}, None),
                                ({'outcome': 'released'}, 'released'), ({'outcome': 'rejected', 'problem': {'detail': 'x'}}, 'rejected'),
                                ({'outcome': 'foreign', 'claimRefused': REFUSED}, 'refused'), ({'outcome': 'unchanged'}, None)):
            found = kuma_check.obstacle({'listed': 'MeshService', **result})
            self.assertEqual(found and found['verdict'], verdict, result)
        told = kuma_check.verdict('east', [([], {'listed': 'MeshService', 'detail': 'd', 'summary': {'released': 3}})], 0)
        self.assertEqual((told['ready'], told['summary']['released'], told['items'][0]['detail']), (False, 3, '3 leases of this kind are not listed: d'))


if __name__ == '__main__':
    unittest.main()

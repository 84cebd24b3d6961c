"""Pools: what is shown of them, and how they are changed."""
import unittest

import commands_path  # noqa: F401
import pools
from shared import pool
from shared.failure import Failure, WrongArguments
from shared.options import seconds


def family(leased=0, quarantined=0, draining=0, free=0):
    return {'leased': str(leased), 'quarantined': str(quarantined), 'draining': str(draining), 'free': str(free)}


class Pools(unittest.TestCase):
    def test_times(self):
        self.assertEqual([seconds('--q', text) for text in ('90', '90s', '030m', '1h', '2d')], [90, 90, 1800, 3600, 172800])
        for text, words in (('h', 'not a time such as'), ('1h30', 'not a time such as'), ('-1', 'not a time such as'), ('٣s', 'not a time'), ('1234567890', 'too long')):
            with self.assertRaisesRegex(WrongArguments, words):
                seconds('--q', text)

    def test_bars(self):
        for counts, bar in ((family(), '-'), (family(free=5), '[----------] 0 %'), (family(leased=1, free=2**68), '[#---------] <1 %'),
                            (family(leased=4, quarantined=1, free=3), '[######----] 62 %'), (family(leased=5), '[##########] 100 %'),
                            (family(leased=10**9, free=1), '[#########-] 99 %'), (family(leased=2**64, free=1), '[##########] 99 %'),
                            (family(leased=3, draining=3, free=1), '[----------] 0 %')):
            self.assertEqual(pools.bar(counts), bar, counts)

    def test_ranges_of_a_family(self):
        entry = {'cidrs': ['10.0.0.0/8', 'fd00::/64', '11.0.0.0/8', '12.0.0.0/8', '13.0.0.0/8']}
        self.assertEqual((pools.cidrs_of(entry, 'ipv4'), pools.cidrs_of(entry, 'ipv6')), ('10.0.0.0/8,11.0.0.0/8,12.0.0.0/8,+1', 'fd00::/64'))

    def test_changes(self):
        before = {'pool': 'p', 'cidrs': ['10.0.0.0/8'], 'reserved': ['10.0.0.1/32', 'fd00::1/128'], 'zones': ['z'], 'other': {'a': 1}}
        after = pool.changed(before, [pool.add('cidrs', 'FD00::/64'), pool.add('cidrs', 'fd00::/64'), pool.add('cidrs', '10.0.0.0/8'),
                                      pool.remove('reserved', '10.0.0.1'), pool.remove('reserved', 'FD00::1'), pool.put('strategy', 'hashed'),
                                      pool.only('kinds', ['b', 'a', 'b']), pool.only('zones', ['x', '*'])])
        self.assertEqual(after, {'pool': 'p', 'cidrs': ['10.0.0.0/8', 'FD00::/64', 'fd00::/64'], 'reserved': [], 'zones': [], 'other': {'a': 1},
                                 'strategy': 'hashed', 'kinds': ['a', 'b']})
        self.assertEqual(before['cidrs'], ['10.0.0.0/8'], 'the pool as it was is untouched')

    def test_a_range_has_many_spellings(self):
        before = {'pool': 'p', 'cidrs': ['10.0.0.0/8', '11.0.0.5-11.0.0.9', 'fd00::/64', '12.0.0.0/31'], 'reserved': ['10.0.0.1/32']}
        changes = [pool.remove('cidrs', '10.0.0.0-10.255.255.255'), pool.remove('cidrs', '11.0.0.5-11.0.0.9'),
                   pool.remove('cidrs', 'FD00:0::0-fd00::ffff:FFFF:ffff:ffff'), pool.remove('reserved', '10.0.0.1-10.0.0.1'),
                   pool.add('cidrs', '12.0.0.0-12.0.0.1'), pool.add('cidrs', '13.0.0.9-13.0.0.1'), pool.add('cidrs', '1-2')]
        self.assertEqual(pool.changed(before, changes), {'pool': 'p', 'cidrs': ['12.0.0.0/31', '13.0.0.9-13.0.0.1', '1-2'], 'reserved': []},
                         'what is no range is for the server to refuse')

    def test_many_ranges_are_not_all_shown(self):
        self.assertEqual(pool.some(['a', 'b']), 'a, b')
        self.assertTrue(pool.some([f'r{i}' for i in range(4096)]).endswith('r31, and 4064 more'))

    def test_changes_that_cannot_be_made(self):
        for change, words in ((pool.remove('cidrs', '11.0.0.0/8'), 'p has no 11.0.0.0/8 in its cidrs: 10.0.0.0/8'),
                              (pool.remove('cidrs', '10.0.0.0/8'), 'that is the last range of p: add another one first, or delete the pool')):
            with self.assertRaises(Failure) as caught:
                pool.changed({'pool': 'p', 'cidrs': ['10.0.0.0/8']}, [change])
            self.assertEqual((caught.exception.words, caught.exception.status), (words, 1))


if __name__ == '__main__':
    unittest.main()

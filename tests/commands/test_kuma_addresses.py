"""Spellings of addresses, judged by what the server goes by: inet_pton()."""
import ipaddress
import random
import socket
import unittest

import commands_path  # noqa: F401
from kuma import addresses

SPELLINGS = ('1.2.3', '01.2.3.4', '1.2.3.04', '0.0.0.0', '255.255.255.255', '256.1.1.1', '1.2.3.4.5', '-0.1.2.3', '+1.2.3.4', '1e0.2.3.4', '٢.1.1.1', '',
             '::', '::1', ':::', '1::2::3', '00001::', 'g::', '1:2:3:4:5:6:7::', '::1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:9',
             '1:2::4:5:6:7:8:9', ':1::', '::1:', 'FD00::A', 'fd00::1%eth0', 'fe80::1%1', '::ffff:1.2.3.4', '::ffff:0:1.2.3.4', '64:ff9b::1.2.3.4',
             '::1.2.3', '::1.2.3.04', '1.2.3.4::', '1.2.3.4/32', '::1/128', ' 1.2.3.4')


def server_takes(text):
    """Whether inet_pton() knows it in either family."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
            return True
        except (OSError, ValueError):
            pass
    return False


class Spellings(unittest.TestCase):
    def test_what_the_server_takes(self):
        for text in SPELLINGS:
            self.assertEqual(addresses.is_address(text), server_takes(text), text)

    def test_random_texts(self):
        rng = random.Random(1)
        for _ in range(20000):
            text = ''.join(rng.choice(('0', '1', '25', 'ff', ':', '::', '.', 'a', '%', '/')) for _ in range(rng.randrange(1, 14)))
            self.assertEqual(addresses.is_address(text), server_takes(text), text)

    def test_plain(self):
        for text, expected in (('1.2.3.4', '1.2.3.4'), (' 1.2.3.4\t\r\n', '1.2.3.4'), ('1.2.3.4/32', '1.2.3.4'), ('1.2.3.0/24', '1.2.3.0/24'),
                               ('::ffff:1.2.3.4', '1.2.3.4'), ('::FFFF:102:304/128', '1.2.3.4'), ('::ffff:1.2.3.4/32', '::ffff:1.2.3.4/32'),
                               ('FD00:0::1', 'FD00:0::1'), ('fd00::1/128', 'fd00::1'), ('fe80::1%eth0', 'fe80::1%eth0'), ('backend.mesh', 'backend.mesh'),
                               ('1.2.3.4\u00a0', '1.2.3.4\u00a0'), ('', ''), ('  ', ''), ('01.2.3.4', '01.2.3.4')):
            self.assertEqual(addresses.plain(text), expected, text)


class Ranges(unittest.TestCase):
    def test_spans(self):
        self.assertEqual(addresses.spans(['10.0.0.2', '10.0.0.1', '10.0.0.9', '9.255.255.255', '10.0.0.0', 'fd00::2', 'fd00::1', '10.0.0.1']),
                         ['9.255.255.255-10.0.0.2', '10.0.0.9', 'fd00::1', 'fd00::2'])
        self.assertEqual(addresses.spans([]), [])

    def test_they_overlap_no_pool(self):
        self.assertEqual(addresses.ranges(['240.1.2.3', '240.9.9.9', '10.1.2.3', 'fd00::1'], []), ['10.1.0.0/16', '240.0.0.0/8'])
        self.assertEqual(addresses.ranges(['240.200.0.1'], ['240.0.0.0/12', 'fd00::/8']), ['240.200.0.0/16'])
        self.assertEqual(addresses.ranges(['10.1.2.3'], ['10.1.2.2/31']), [], 'the address itself is in a pool')
        self.assertEqual(addresses.ranges(['10.1.2.3'], ['10.1.2.0/31']), ['10.1.2.3/32'])
        self.assertEqual(addresses.ranges(['10.1.2.3', '10.1.2.9'], ['10.1.2.0-10.1.2.2', '10.1.2.5-10.1.2.9', 'fd00::1-fd00::7']), ['10.1.2.3/32'],
                         'pools have ranges that are not CIDRs')

    def test_random_ones_hold_every_address(self):
        rng = random.Random(2)
        for _ in range(50):
            texts = [str(ipaddress.IPv4Address(rng.randrange(1 << 32))) for _ in range(5)]
            pools = [str(ipaddress.IPv4Network((rng.randrange(1 << 32), rng.choice((8, 12, 20))), strict=False)) for _ in range(5)]
            found = [ipaddress.IPv4Network(cidr) for cidr in addresses.ranges(texts, pools)]
            for text in texts:
                taken = any(ipaddress.IPv4Address(text) in ipaddress.IPv4Network(pool) for pool in pools)
                self.assertEqual(any(ipaddress.IPv4Address(text) in network for network in found), not taken)
            self.assertFalse(any(network.overlaps(ipaddress.IPv4Network(pool)) for network in found for pool in pools))

    def test_within(self):
        self.assertEqual(addresses.within(['10.0.0.9', '10.0.0.1', '11.0.0.1', 'x'], ['10.0.0.0/8']), ['10.0.0.1', '10.0.0.9'])


if __name__ == '__main__':
    unittest.main()

"""Addresses of servers and proxies."""
import os
import unittest
from unittest import mock

import commands_path  # noqa: F401
from shared.places import BadAddress, Proxy, credentials, place_of, proxy_for


def environment(**variables):
    return mock.patch.dict(os.environ, variables, clear=True)


class Places(unittest.TestCase):
    def test_what_an_address_says(self):
        for url, secure, host, port, target, shown in (
                ('http://a', False, 'a', 80, '/x', 'a'), ('https://a:8', True, 'a', 8, '/x', 'a:8'), ('http://[::1]:9/b/c', False, '::1', 9, '/b/c/x', '[::1]:9'),
                ('http://[fe80::1%25eth0]', False, 'fe80::1%eth0', 80, '/x', '[fe80::1%25eth0]'), ('http://127.1:5', False, '127.0.0.1', 5, '/x', '127.0.0.1:5'),
                ('http://é', False, 'xn--9ca', 80, '/x', 'xn--9ca'), ('http://a/é', False, 'a', 80, '/%C3%A9/x', 'a')):
            place = place_of(url)
            self.assertEqual((place.secure, place.host, place.port, place.request_target('/x', None), place.headers(None)),
                             (secure, host, port, target, {'Host': shown}), url)

    def test_what_is_no_address(self):
        for url in ('http://a b', 'http://:80', 'http://a:x', 'http://a:65536', 'http://[::1', 'http://[::1]x', 'ftp://a', 'http:///x', 'http://a/b c', 'a'):
            with self.assertRaises(BadAddress, msg=url):
                place_of(url)

    def test_no_proxy_for_this_host(self):
        with environment(http_proxy='http://p:1', ALL_PROXY='http://p:1', no_proxy=''):
            for host in ('localhost', 'LOCALHOST', 'a.localhost', 'localhost.', '127.0.0.1', '127.1', '127.9.9.9', '[::1]'):
                self.assertIsNone(proxy_for(place_of(f'http://{host}:5')), host)
            for host in ('localhost.example', '128.0.0.1', '127.0.0.1.example', '[::2]'):
                self.assertEqual(proxy_for(place_of(f'http://{host}:5')).port, 1, host)

    def test_which_variables_count(self):
        http, https = place_of('http://a'), place_of('https://a')
        with environment(HTTP_PROXY='http://p:1'):
            self.assertIsNone(proxy_for(http))
        with environment(HTTPS_PROXY='http://p:1', all_proxy='p:2'):
            self.assertEqual((proxy_for(http).port, proxy_for(https).port), (2, 1))

    def test_exceptions(self):
        for no_proxy, excepted in (('*', True), ('a.b', True), ('.b', True), ('x, b', True), ('c', False), ('a.b.c', False), ('', False)):
            with environment(http_proxy='p', NO_PROXY=no_proxy):
                self.assertEqual(proxy_for(place_of('http://a.b')) is None, excepted, no_proxy)
        with environment(http_proxy='p', no_proxy='10.0.0.0/8'):
            self.assertIsNone(proxy_for(place_of('http://10.1.2.3')))
            self.assertIsNotNone(proxy_for(place_of('http://11.1.2.3')))

    def test_through_a_proxy(self):
        proxy = Proxy('http://us%40er:pass@p:3128/')
        place = place_of('http://a:8/base')
        self.assertEqual((proxy.host, proxy.port, place.request_target('/x', proxy)), ('p', 3128, 'http://a:8/base/x'))
        self.assertEqual(place.headers(proxy), {'Host': 'a:8', 'Proxy-Authorization': 'Basic dXNAZXI6cGFzcw=='})
        self.assertEqual(place_of('https://a').headers(proxy), {'Host': 'a'})
        with self.assertRaisesRegex(BadAddress, 'socks5'):
            Proxy('socks5://p:1')

    def test_credentials(self):
        self.assertEqual((credentials('a%3Ab'), credentials('a'), credentials('a:%FF')), (b'a:b', b'a:', b'a:\xff'))


if __name__ == '__main__':
    unittest.main()

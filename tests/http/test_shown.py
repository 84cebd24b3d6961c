"""What commands and the log show: no password, and nothing that a terminal obeys or is fooled by."""
import base64
import os
import re

import front
from front import Fake
from harness import Server, ServerCase, lease_path

EVIL = 'a\x1b[31mb\x07c\x7fd\u009b31me\u0085f\u202eg\u2066h\u200fi\u061cj\u2028k'
TRICKY = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]')
COMMANDS = (['status'], ['leases'], ['leases', 'show', 'east', 'redis'], ['leases', 'vip', '241.0.0.1'], ['zones'], ['pools'], ['changes'], ['verify'],
            ['backup', '--dir', '.'], ['kuma-import', 'in.json'], ['kuma-drift', 'in.json'], ['kuma-check', '--zone', 'east', 'in.json'])
INPUT = '{"items":[{"type":"MeshService","name":"a","labels":{"kuma.io/zone":"east"},"status":{"vips":[{"ip":"241.0.0.1"}]}}]}'


class Shown(ServerCase):
    def here(self):
        with open(os.path.join(self.server.data_dir, 'in.json'), 'w', encoding='utf-8') as file:
            file.write(INPUT)
        return self.server.data_dir

    def run_at(self, url, *args, **env):
        return front.run(*args, server=url, env={'HOLDFAST_TOKEN': '', **env}, cwd=self.here())

    def test_a_password_in_the_url(self):
        """Of a server that is there, of none, and of addresses that are wrong."""
        at = f'{self.server.host}:{self.server.port}'
        for command in COMMANDS:
            for url in (f'http://admin:sec%2Fret@{at}', 'http://admin:sec%2Fret@127.0.0.1:1'):
                done = self.run_at(url, *command)
                self.assertNotRegex(done.out + done.err, 'sec(%2F|/)ret|admin', (command, url))
        for url in (f'http://admin:sec?ret@{at}', f'http://admin:sec#ret@{at}', f'http://admin:sec/ret@{at}', f'admin:secret@{at}', 'http://admin:secret@',
                    f'ftp://admin:secret@{at}', f'http://admin:sec%0Aret@{at}', f'http://admin:secret@{at}/?x', f'http://admin:s@ec@r:et@{at}'):
            for command in (['status'], ['kuma-drift', 'in.json']):
                done = self.run_at(url, *command)
                self.assertNotRegex(done.out + done.err, 'sec|ret@|admin', (command, url))

    def fake(self, on_request=None):
        fake = Fake({'/v1/status': {'storeId': 'x'}}, on_request)
        self.addCleanup(fake.close)
        return fake

    def test_it_is_sent_all_the_same(self):
        fake = self.fake()
        self.run_at(f'http://ad%40min:p%22a%5Css%3A@{fake.host}:{fake.port}', 'status')
        self.assertEqual(fake.seen[0][2]['Authorization'], 'Basic ' + base64.b64encode(b'ad@min:p"a\\ss:').decode())
        self.run_at(f'http://admin@{fake.host}:{fake.port}', 'status')
        self.assertEqual(fake.seen[1][2]['Authorization'], 'Basic ' + base64.b64encode(b'admin:').decode())

    def test_the_list_of_processes_does_not_show_it(self):
        fake = self.fake(self.look_at_processes)
        self.run_at(f'http://admin:sesame@{fake.host}:{fake.port}', 'status')
        self.assertTrue([line for line in self.lines if front.FRONT in line])
        self.assertFalse([line for line in self.lines if 'sesame' in line])

    def look_at_processes(self):
        self.lines = []
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/cmdline', 'rb') as file:
                    self.lines.append(file.read().replace(b'\0', b' ').decode('utf-8', 'replace'))
            except OSError:
                pass  # it has ended

    def test_what_a_terminal_obeys(self):
        quoted = ''.join(f'%{byte:02X}' for byte in EVIL.encode())
        self.assertIn(self.server.put(lease_path('redis') + f'?version={quoted}').status, (200, 201))
        for command in (['leases', 'show', 'east', 'redis'], ['leases', '--json'], ['leases', 'show', 'east', 'redis', '--json'], ['leases', EVIL], [EVIL],
                        ['pools', 'show', EVIL], ['kuma-import', EVIL], ['zones', 'show', EVIL]):
            done = self.run_at(self.server, *command)
            self.assertNotRegex(done.out + done.err, TRICKY, command)
        lease = self.run_at(self.server, 'leases', 'show', 'east', 'redis', '--json').json()
        self.assertEqual(lease['version'], EVIL, 'JSON says the same, with escapes')

    def test_the_log(self):
        server = Server('--log-level', 'debug')
        self.addCleanup(server.close)
        quoted = ''.join(f'%{byte:02X}' for byte in EVIL.encode())
        server.get(f'/v1/pools/{quoted}')
        server.raw(b'GET /' + EVIL.replace('\x07', '').encode() + b' HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
        server.put('/v1/zones/east/connection', {'instance': EVIL})
        self.assertIn('\\xe2\\x80\\xae', server.log())
        self.assertNotRegex(server.log().replace('\n', ''), TRICKY)

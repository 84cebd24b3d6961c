"""Database files damaged at random and then served: whatever is wrong with one, the server refuses it, answers, or ends in one line; and
what it answers is what was acknowledged, or an error.

Half of the copies are damaged as a disk rots, without a sign of it in the file's times: then the start does not look at the pages. A page or
a record that is damaged so that it still looks good cannot be seen by a read, as there are no checksums. So what is answered is compared where
`verify` finds nothing; elsewhere the server must answer or end in its line, and a start must refuse pages that were written since.
"""
import concurrent.futures
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import unittest

from backups import Case
from harness import BINARY, Process, config, fill, lease_path
from test_damage import Damage

SEED = int(os.environ.get('DAMAGE_SEED', '1'))
COPIES = int(os.environ.get('DAMAGE_SERVED', '300'))
SERVICES = 300
LAST_WORDS = re.compile('level=error msg="(database damaged|cannot start)"')


class Served(Process):
    """A server on a copy, whose end is looked at afterwards."""

    def __init__(self, root, directory):
        # A page that LMDB alters as it trusts it may lead beyond its memory: that is for the handler of signals to see, in its own way.
        super().__init__(root, ['serve', '--data-dir', directory, '--listen', '127.0.0.1:0'], asan='replace_intrin=0:intercept_memcmp=0:')
        line = self.child.stdout.readline().decode()
        self.port = int(line.rsplit(':', 1)[1]) if line.startswith('listening') else None

    def request(self, method, path, body=None):
        """Status and body; None: there was no answer."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {'Content-Type': 'application/json'})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


class DamageServed(Case):
    def make(self):
        server = self.server()
        fill(server, (f's{i}' for i in range(SERVICES)), body=config())
        for i in range(0, SERVICES, 5):
            server.delete(lease_path(f's{i}') + '?purge=true', check=False)
        leases = {lease['service']: lease['vips'] for lease in server.stream()[0]}
        server.stop()
        return server.data_dir, leases

    def damage(self, i, directory, source):
        file = os.path.join(directory, 'data.mdb')
        shutil.copytree(source, directory)
        rng = random.Random(f'{SEED} {i}')
        with open(file, 'rb') as sound:
            data = bytearray(sound.read())
        Damage(rng, data).some()
        before = os.stat(file)
        with open(file, 'r+b') as damaged:
            damaged.write(data)
        if i % 2:
            self.rot(directory, before)

    @staticmethod
    def rot(directory, before):
        """Makes the copy the very file that was closed in order, as far as it can be told."""
        file, lock = os.path.join(directory, 'data.mdb'), os.path.join(directory, 'holdfast.lock')
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        with open(lock, encoding='utf-8') as mark:
            text = mark.read()
        with open(lock, 'w', encoding='utf-8') as mark:
            mark.write(re.sub('(?m)^clean [0-9]+', f'clean {before.st_ino}', text))

    def ask(self, server, leases, rng):
        """What contradicts what was acknowledged."""
        wrong = []
        for service in rng.sample(sorted(leases), 12):
            answer = server.request('GET', lease_path(service))
            if answer and answer[0] != 500 and (answer[0] != 200 or json.loads(answer[1])['vips'] != leases[service]):
                wrong.append(('GET', service, answer))
        for method, path, body in (('PUT', lease_path('new'), config()), ('GET', '/v1/leases?limit=1000', None), ('POST', '/v1/verify', {}),
                                   ('GET', '/v1/backup', None), ('GET', '/metrics', None)):
            answer = server.request(method, path, body)
            if answer and answer[0] not in (200, 201, 404, 500, 503, 507):
                wrong.append((method, path, answer))
        return wrong

    def run_copy(self, i, source, leases):
        """Everything that is wrong with copy `i`."""
        root = self.path(f'copy-{i}')
        os.mkdir(root)
        directory, wrong = os.path.join(root, 'data'), []
        self.damage(i, directory, source)
        check = subprocess.run([BINARY, 'verify', directory], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        for _ in range(2):
            server = Served(root, directory)
            found = self.ask(server, leases, random.Random(i)) if server.port else []
            if check == 0:
                wrong += [(i, check, one) for one in found]
            if server.child.poll() is None:
                server.child.terminate()
            status = server.wait()
            server.child.stdout.close()
            if status not in (0, 3, 6) or (status and not LAST_WORDS.search(server.log())) or server.reports():
                wrong.append((i, status, server.log()[-300:], server.reports()[:1500]))
            if i % 2 == 0 and check == 2 and server.port:
                wrong.append((i, 'a start on damaged pages that were written since'))
        shutil.rmtree(root)
        return wrong

    def test_no_server_dies_without_a_word(self):
        source, leases = self.make()
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            wrong = [one for found in pool.map(lambda i: self.run_copy(i, source, leases), range(COPIES)) for one in found]
        self.assertEqual(wrong, [], f'DAMAGE_SEED={SEED}')


if __name__ == '__main__':
    unittest.main()

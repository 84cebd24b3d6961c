"""What the tests of backups and restores share: runs of the offline commands, a zone's syncs."""
import json
import os
import resource
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import BINARY, Server, vip

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, '..', 'data')
FORMAT_1 = os.path.join(DATA, 'format-1.mdb.gz')
NDJSON = {'Content-Type': 'application/x-ndjson'}
RUN_S = 300
BAND = 2**32  # of revisions and zone epochs, a store epoch


class Case(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix='holdfast-backup-', dir=harness.temporary_base())
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.root, name)

    def run_program(self, program, *args, env=None, limit=None):
        """Status, standard output and standard error of one run, without a sanitizer report."""
        reports = self.path('sanitizer')
        environment = {k: v for k, v in os.environ.items() if not k.startswith('HOLDFAST')}
        environment.update(HOLDFASTD=BINARY, ASAN_OPTIONS=f'log_path="{reports}":exitcode=99',
                           UBSAN_OPTIONS=f'log_path="{reports}":halt_on_error=1')
        before = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
        run = subprocess.run([program, *args], env={**environment, **(env or {})}, capture_output=True, text=True, timeout=RUN_S,
                             preexec_fn=before, cwd=self.root)
        self.assertEqual([f for f in os.listdir(self.root) if f.startswith('sanitizer')], [], run.stderr)
        return run.returncode, run.stdout, run.stderr

    def offline(self, *args, **more):
        return self.run_program(BINARY, *args, **more)

    def assertOffline(self, status, *args, says='', **more):
        found, out, err = self.offline(*args, **more)
        self.assertEqual(found, status, (out, err))
        self.assertRegex(out + err, says or '^')
        return out

    def server(self, *args, **more):
        server = Server(*args, **more)
        self.addCleanup(server.close)
        return server

    def take(self, server, name='b'):
        """A backup of the running server, its path."""
        answer = server.get('/v1/backup')
        self.assertEqual(answer.status, 200)
        with open(self.path(name), 'wb') as file:
            file.write(answer.body)
        return self.path(name)

    def restore(self, server, backup, *more):
        """Stops the server, restores, starts it again; the report."""
        server.stop()
        report = json.loads(self.assertOffline(0, 'restore', backup, '--data-dir', server.data_dir, '--json', *more))
        server.start()
        return report


def connect(server, zone, instance):
    return server.put(f'/v1/zones/{zone}/connection', {'instance': instance}).json()


def document(name, ip=None):
    status = {'status': {'vips': [{'ip': ip}]}} if ip else {}
    return {'type': 'MeshService', 'mesh': 'default', 'name': name, 'spec': {'ports': [{'port': 80}]}, **status}


def sync(server, zone, documents, epoch=None, mode='full'):
    body = '\n'.join(map(json.dumps, documents))
    headers = {**NDJSON, **({'Holdfast-Zone-Epoch': str(epoch)} if epoch else {})}
    return server.post(f'/v1/zones/{zone}/sync?mode={mode}&mesh=*', body, headers)


def vips(server):
    return {(lease['zone'], lease['service']): vip(lease) for lease in server.stream()[0]}

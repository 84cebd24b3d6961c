"""What the tests of kuma-import and kuma-drift share: documents as Kuma writes them, and how to run a command."""
import hashlib
import json
import os
import shutil
import tempfile

import front
from fake_kuma import FakeKuma
from harness import Server, ServerCase, temporary_base


def document(name, ip=None, zone='east', mesh='default', kind='MeshService', **more):
    """A resource in universal form; `ip` is one address or several."""
    ips = [ip] if isinstance(ip, str) else ip or []
    labels = {'kuma.io/display-name': name, **({'kuma.io/zone': zone} if zone else {}), **more.pop('labels', {})}
    return {'type': kind, 'mesh': mesh, 'name': name, 'labels': labels, 'spec': {'ports': [{'port': 80}]},
            'status': {'vip': {'ip': ip}} if kind == 'MeshExternalService' else {'vips': [{'ip': one} for one in ips]}, **more}


def kubernetes(name, ip=None, zone='east', namespace='shop'):
    labels = {'kuma.io/mesh': 'default', 'kuma.io/zone': zone, 'k8s.kuma.io/namespace': namespace}
    return {'apiVersion': 'kuma.io/v1alpha1', 'kind': 'MeshService', 'metadata': {'name': name, 'namespace': namespace, 'labels': labels},
            'spec': {'ports': [{'port': 80}]}, **({'status': {'vips': [{'ip': ip}]}} if ip else {})}


def config_map(entries, mesh='default'):
    return {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': f'kuma-{mesh}-dns-vips', 'namespace': 'kuma-system'},
            'data': {'config': entries if isinstance(entries, str) else json.dumps(entries)}}


class Result(front.Result):
    def verdicts(self):
        return {item['service']: item['verdict'] for item in self.json()['items']}


class KumaCase(ServerCase):
    ALONE = True  # each test has a server of its own

    @classmethod
    def setUpClass(cls):
        if not cls.ALONE:
            super().setUpClass()

    def setUp(self):
        if self.ALONE:
            self.server = Server()
            self.addCleanup(self.server.close)
        self.directory = tempfile.mkdtemp(prefix='holdfast-kuma-', dir=temporary_base())
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        os.mkdir(os.path.join(self.directory, 'tmp'))

    def file(self, content, name='input.json'):
        path = os.path.join(self.directory, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def list(self, *documents, name='input.json'):
        return self.file({'total': len(documents), 'items': documents, 'next': None}, name)

    def kuma(self, *documents, meshes=('default',)):
        kuma = FakeKuma(documents, meshes)
        self.addCleanup(kuma.close)
        return kuma

    def run_command(self, command, *args, stdin='', **env):
        """Runs it; nothing may be left in its temporary directory."""
        temporary = os.path.join(self.directory, 'tmp')
        done = front.run(command, *args, server=self.server, env={'TMPDIR': temporary, **env}, input=stdin, cwd=self.directory)
        self.assertEqual(os.listdir(temporary), [], 'temporary files were left')
        self.assertNotIn('Traceback', done.err)
        return Result(done.status, done.out, done.err)

    def adopt(self, *args, **more):
        return self.run_command('kuma-import', *args, **more)

    def drift(self, *args, **more):
        return self.run_command('kuma-drift', *args, **more)

    def assertDone(self, result, status, *words):
        self.assertEqual(result.status, status, result)
        for word in words:
            self.assertIn(word, result.out + result.err, result)
        return result

    def vips(self):
        """Every active lease's addresses, by zone and service."""
        return {(lease['zone'], lease['service']): [vip['ip'] for vip in lease['vips']] for lease in self.server.stream('?state=active')[0]}

    def database(self):
        with open(os.path.join(self.server.data_dir, 'data.mdb'), 'rb') as file:
            return hashlib.sha256(file.read()).hexdigest()

    def assertUntouched(self, act):
        before = self.server.revision(), self.database()
        result = act()
        self.assertEqual((self.server.revision(), self.database()), before, 'something was written')
        return result

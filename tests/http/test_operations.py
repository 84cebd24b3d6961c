"""The process over HTTP: starting and refusing to start, signals, what survives, logs."""
import hashlib
import os
import re
import shutil
import signal
import tempfile
import threading
import time
import unittest

import storefile
from harness import Process, Server, ServerCase, config, eventually, fill, lease_path, parallel, replacing, temporary_base, undisturbed, vip

LINE = re.compile(r'time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(debug|info|warn|error) msg="[^"]*"'
                  r'( [a-z_]+=("(\\.|[^"\\])*"|[^ "=]*))*')
DRAIN_S = 5  # within which a server must stop


class Case(unittest.TestCase):
    def server(self, *flags, **more):
        server = Server(*flags, **more)
        self.addCleanup(server.close)
        return server

    def directory(self):
        path = tempfile.mkdtemp(prefix='holdfast-http-', dir=temporary_base())
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def run_once(self, *args, env=None):
        """Runs the binary to its end: status, standard output, log; fails on a sanitizer report."""
        process = Process(self.directory(), args, env)
        status = process.wait()
        output = process.output()
        self.assertEqual(process.reports(), '')
        return status, output, process.log()

    def assertRefuses(self, status, *args, says=(), env=None):
        """It must not start, say why, and never tell a port."""
        found, output, log = self.run_once(*args, env=env)
        self.assertEqual((found, output), (status, ''), log)
        for text in says:
            self.assertIn(text, log)
        return log


class Starting(Case):
    def test_flags_out_of_form(self):
        table = [
            ('--nonsense', 'nonsense'), ('--data-dir', 'data-dir'), ('--data-dir=', 'data-dir'), ('--listen=', 'listen'),
            ('--listen=127.0.0.1', 'listen'),
            ('--listen=127.0.0.1:', 'listen'), ('--listen=127.0.0.1:http', 'listen'), ('--listen=example.org:80', 'listen'),
            ('--listen=::1:80', 'listen'), ('--listen=127.0.0.1:99999', '65535'), ('--listen=127.0.0.1:131071', '65535'),
            ('--map-size=1', '1048576'), ('--map-size=64GB', 'map-size'), ('--map-size=-1', 'map-size'), ('--quarantine=1d', 'quarantine'),
            ('--quarantine=9999999h', 'quarantine'), ('--max-body=0', 'max-body'), ('--max-body=1GiB', 'max-body'),
            ('--max-connections=0', 'max-connections'),
            ('--max-queue=0', 'max-queue'), ('--max-queue=1e3', 'max-queue'), ('--threads=0', 'threads'), ('--threads=65', '1 to 64'),
            ('--changes-max=0', 'changes-max'), ('--changes-age=0', 'changes-age'), ('--log-level=loud', 'log-level'),
            ('--insecure-no-auth=yes', 'insecure-no-auth'), ('--insecure', 'unknown flag'), ('--max-sync-body=1', 'max-sync-body'), ('--max-sync-items=0', 'max-sync-items'),
            ('--sync-memory=1KiB', 'sync-memory'),
            ('status', 'status'), ('-x', 'x'),
        ]
        where = self.directory()
        for flag, culprit in table:
            with self.subTest(flag):
                self.assertRefuses(2, *replacing('--data-dir', where + '/data', '--listen', '127.0.0.1:0', flag), says=[culprit])
        for name, value in (('MAP_SIZE', 'x'), ('LOG_LEVEL', ''), ('INSECURE_NO_TLS', 'maybe'), ('THREADS', '0')):
            self.assertRefuses(2, '--data-dir', where + '/data', '--listen', '127.0.0.1:0', env={'HOLDFAST_' + name: value},
                               says=['HOLDFAST_' + name])
        self.assertRefuses(2, 'serve', 'serve', '--data-dir', where + '/data', says=['serve'])
        self.assertFalse(os.path.exists(where + '/data'), 'a data directory was made')

    def test_beyond_loopback_only_if_told_so(self):
        for listen in ('0.0.0.0:0', '[::]:0', '192.0.2.1:0', '[2001:db8::1]:0'):
            for flags, says in (((), ['--tokens FILE', '--insecure-no-auth', '--insecure-no-tls']), (('--insecure-no-auth',), ['--insecure-no-tls']),
                                (('--insecure-no-tls',), ['--tokens FILE', '--insecure-no-auth'])):
                self.assertRefuses(2, '--data-dir', self.directory(), '--listen', listen, *flags, says=says)
        self.assertEqual(self.server('--insecure-no-auth', '--insecure-no-tls').get('/livez').status, 200)

    def test_help_and_version(self):
        where = self.directory()
        for flag in ('--help', '-h'):
            status, output, log = self.run_once(flag, env={'HOLDFAST_DATA_DIR': where + '/none'})
            self.assertEqual((status, log), (0, ''))
            for text in ('--data-dir', '--listen', '--max-queue', '--changes-max', 'HOLDFAST_DATA_DIR', 'Exit status'):
                self.assertIn(text, output)
        status, output, log = self.run_once('--version', env={'HOLDFAST_DATA_DIR': where + '/none'})
        self.assertRegex(output, r'\Aholdfastd \d+\.\d+\.\d+\n\Z')
        self.assertEqual((status, log), (0, ''))
        self.assertEqual(os.listdir(where), [])

    def test_variables_and_flags_over_them(self):
        where = self.directory()
        server = self.server('--max-body', '4KiB', data_dir=where + '/data', env={
            'HOLDFAST_DATA_DIR': where + '/unused', 'HOLDFAST_LISTEN': '127.0.0.1:1', 'HOLDFAST_MAX_BODY': '1KiB',
            'HOLDFAST_QUARANTINE': '5m',
            'HOLDFAST_LOG_LEVEL': 'debug', 'HOLDFAST_CHANGES_MAX': '2', 'HOLDFAST_MAP_SIZE': '8MiB', 'HOLDFAST_INSECURE_NO_TLS': 'false'})
        self.assertEqual(os.listdir(where), ['data'])
        self.assertEqual(server.put(lease_path('s'), {'a': 'x' * 3000}).status, 201, 'the flag wins')
        self.assertEqual(server.get('/v1/pools/meshservice').json()['quarantineSeconds'], 300)
        self.assertEqual(server.get('/v1/status').json()['mapBytes'], 8 << 20)
        self.assertIn('level=debug', server.log())

    def test_a_directory_that_cannot_be_used(self):
        where = self.directory()
        with open(where + '/file', 'w', encoding='utf-8') as file:
            file.write('x')
        paths = [where + '/absent/data', where + '/file', where + '/file/data', '/proc/holdfast', where + '/' + 'x' * 300]
        if os.geteuid() != 0:  # root may write anywhere
            os.mkdir(where + '/locked', 0o500)
            paths += [where + '/locked', where + '/locked/data']
        for path in paths:
            with self.subTest(path):
                self.assertRefuses(3, '--data-dir', path, '--listen', '127.0.0.1:0', says=['detail='])

    def test_a_second_server_on_the_same_data(self):
        server = self.server()
        # With the first one's port too: 4, not 7, shows that the data comes first.
        log = self.assertRefuses(4, '--data-dir', server.data_dir, '--listen', f'127.0.0.1:{server.port}', says=[server.data_dir, 'in use'])
        self.assertIn(str(server.process.child.pid), log)
        self.assertEqual(server.put(lease_path('s')).status, 201)

    def test_a_port_in_use(self):
        server = self.server()
        self.assertRefuses(7, '--data-dir', self.directory(), '--listen', f'127.0.0.1:{server.port}', says=[f'127.0.0.1:{server.port}'])

    def test_data_that_cannot_be_read(self):
        server = self.server()
        fill(server, [f's{i}' for i in range(300)])
        newer = server.get('/v1/status').json()['format'] + 1
        server.stop()
        good = os.path.join(server.data_dir, 'data.mdb')
        size = os.path.getsize(good)

        def rewrite(change):
            def act(where):
                with open(os.path.join(where, 'data.mdb'), 'r+b') as file:
                    change(file)
            return act
        table = [
            ('a newer format', 5, lambda where: storefile.set_format(where, newer)),
            ('a format far ahead', 5, lambda where: storefile.set_format(where, 2**32 - 1)),
            ('format 0', 6, lambda where: storefile.set_format(where, 0)), ('nothing', 6, rewrite(lambda f: f.truncate(0))),
            ('one byte', 6, rewrite(lambda f: f.truncate(1))), ('half of it', 6, rewrite(lambda f: f.truncate(size // 2 // 4096 * 4096))),
            ('half of it and a bit', 6, rewrite(lambda f: f.truncate(size // 2 // 4096 * 4096 + 99))),
            ('its first page', 6, rewrite(lambda f: f.truncate(4096))),
            ('text', 6, rewrite(lambda f: f.write(b'hello, this is no database\n' * 400))),
            ('noise', 6, rewrite(lambda f: f.write(os.urandom(size)))),
            ('zeros', 6, rewrite(lambda f: f.write(bytes(size)))),
            ('no pools', 6, lambda where: storefile.damage_pool(where, 'meshservice')),
        ]
        for name, status, damage in table:
            with self.subTest(name):
                where = self.directory()
                shutil.copy(good, where)
                damage(where)
                with open(os.path.join(where, 'data.mdb'), 'rb') as file:
                    before = file.read()
                self.assertRefuses(status, '--data-dir', where, '--listen', '127.0.0.1:0', says=['detail=', 'newer' if status == 5 else ''])
                with open(os.path.join(where, 'data.mdb'), 'rb') as file:
                    self.assertEqual(file.read(), before, 'nothing is repaired silently')
        server.start()
        self.assertEqual(len(server.stream()[0]), 300)


class Stopping(Case):
    def load(self, server, stop, *, threads=8):
        """Acquires from several connections until `stop()`; returns what was acknowledged, name by VIP."""
        acknowledged = {}

        def write(i, connection):
            for k in range(100_000):
                name = f's-{i}-{k}'
                try:
                    answer = server.put(lease_path(name), config(name=name), connection=connection)
                except (OSError, EOFError, ValueError):
                    return
                except Exception as gone:  # http.client's own, when the server goes away
                    if type(gone).__module__ != 'http.client':
                        raise
                    return
                if answer.status == 503:
                    continue
                acknowledged[name] = vip(answer)
        runner = threading.Thread(target=parallel, args=(server, threads, write))
        runner.start()
        eventually(lambda: len(acknowledged) > 300)
        stop()
        runner.join()
        return acknowledged

    def assertAllThere(self, server, acknowledged):
        server.start()
        found = {lease['service']: vip(lease) for lease in server.stream()[0]}
        self.assertEqual({name: found.get(name) for name in acknowledged}, acknowledged)
        self.assertEqual(len(set(found.values())), len(found))
        feed = server.get('/v1/changes?since=3&limit=10000', check=False).json()['changes']
        self.assertEqual(sorted(c['service'] for c in feed), sorted(found), 'what is not acknowledged is there whole or not at all')

    def test_under_load_what_is_acknowledged_survives(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(sig.name):
                server = self.server()
                self.assertAllThere(server, self.load(server, lambda s=server, g=sig: s.stop(g, timeout=DRAIN_S)))

    def test_killed_under_load_what_is_acknowledged_survives(self):
        server = self.server()
        self.assertAllThere(server, self.load(server, server.kill))

    def test_hangups_are_harmless(self):
        server = self.server()
        child = server.process.child

        def hang_up():
            for sig in (signal.SIGHUP, signal.SIGPIPE) * 5:
                child.send_signal(sig)
                time.sleep(0.01)  # so that one does not hide the other
            server.stop()
        self.assertAllThere(server, self.load(server, hang_up))

    def test_an_idle_server_stops_at_once(self):
        server = self.server()
        with server.socket():
            server.stop(timeout=1)

    def test_what_began_is_finished_and_readyz_says_no(self):
        def attempt(server):
            with server.socket() as s:  # a request whose body is not there yet keeps the server waiting, up to 3 s
                s.sendall(b'PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a"' % lease_path('late').encode())
                server.wait_for_requests(1)
                server.process.child.send_signal(signal.SIGTERM)
                server.lines('msg="stopping"')
                answer = eventually(lambda: (ready := server.get('/readyz')).status == 503 and ready)
                self.assertEqual((answer.code, answer.header('Connection')), ('overloaded', 'close'))
                self.assertIn('stopping', answer.detail)
                s.sendall(b':1}')
                self.assertTrue(s.recv(4096).startswith(b'HTTP/1.1 201 '))
            server.stop(timeout=DRAIN_S)
            self.assertEqual(server.start().get(lease_path('late')).status, 200)
        undisturbed(attempt)

    def test_a_request_that_never_ends_does_not_keep_it(self):
        server = self.server()
        with server.socket() as s:
            s.sendall(b'PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a"' % lease_path('never').encode())
            server.wait_for_requests(1)
            server.stop(timeout=DRAIN_S)
        self.assertEqual(server.start().get(lease_path('never')).status, 404)

    def test_a_restart_keeps_everything_but_the_time(self):
        server = self.server()
        fill(server, [f's{i}' for i in range(30)])
        server.delete(lease_path('s3'))
        before, leases = server.get('/v1/status').json(), server.stream()
        server.stop()
        server.start()
        after = server.get('/v1/status').json()
        for member in ('storeId', 'storeEpoch', 'revision', 'leases', 'pools', 'zones', 'changes', 'createdAt', 'format'):
            self.assertEqual(after[member], before[member], member)
        self.assertGreater(after['startedAt'], before['startedAt'])
        self.assertEqual(server.stream(), leases)


class Overload(Case):
    def test_a_full_queue_is_503_at_once(self):
        server = self.server('--max-queue', '1')

        def write(i, connection):
            return [(name, server.put(lease_path(name), connection=connection)) for name in (f's-{i}-{k}' for k in range(60))]
        answers = {}
        for n in range(100):  # until one comes while another waits
            answers.update(pair for pairs in parallel(server, 16, lambda i, connection, n=n: write(f'{n}-{i}', connection)) for pair in pairs)
            if any(answer.status == 503 for answer in answers.values()):
                break
        statuses = {name: answer.status for name, answer in answers.items()}
        self.assertEqual(set(statuses.values()), {201, 503})
        refused = next(answer for answer in answers.values() if answer.status == 503)
        self.assertEqual((refused.code, refused.header('Retry-After')), ('overloaded', '1'))
        self.assertEqual({lease['service'] for lease in server.stream()[0]}, {name for name, status in statuses.items() if status == 201})


class Quiet(ServerCase):
    FLAGS = ('--log-level', 'info')

    def test_an_unchanged_request_writes_nothing_anywhere(self):
        def file_digest():
            with open(os.path.join(self.server.data_dir, 'data.mdb'), 'rb') as file:
                return hashlib.sha256(file.read()).hexdigest()
        names = [f's{i}' for i in range(50)]
        for name in names:
            self.server.put(lease_path(name) + '?version=1', config(name=name))
        digest, log, revision = file_digest(), self.server.log(), self.server.revision()
        for name in names:
            self.assertEqual(self.server.put(lease_path(name) + '?version=1', config(name=name)).header('Holdfast-Outcome'), 'unchanged')
            self.assertEqual(self.server.get(lease_path(name)).status, 200)
        for target in ('/v1/leases', '/v1/pools', '/v1/changes', '/v1/status', '/metrics', '/readyz'):
            self.server.get(target)
        self.assertEqual((file_digest(), self.server.revision()), (digest, revision))
        self.assertEqual(self.server.log(), log, 'nothing at info')


class Logs(Case):
    def test_lines_are_logfmt_whatever_is_asked(self):
        server = self.server('--log-level', 'debug')
        server.put(lease_path('s'), config())
        server.get('/v1/nowhere')
        for path in (b'/v1/leases/"x=1 level=error', b'/\\"\\', b'/a\tb', b'/\x1b[31mred', b'/%0a%0dtime=1', b'/\xff\xfe',
                     b'/' + b'long' * 2000):
            server.raw(b'GET ' + path + b' HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        lines = server.log().splitlines()
        server.stop()
        self.assertGreater(len(lines), 9)
        for line in lines:
            self.assertTrue(LINE.fullmatch(line), line)
        self.assertTrue(any('route=/v1/meshes/{mesh}/zones/{zone}/services/{service}' in line and 'status=201' in line for line in lines))

    def test_levels(self):
        for level, told in (('info', True), ('warn', False), ('error', False)):
            server = self.server('--log-level', level)
            server.put(lease_path('s'))
            self.assertEqual('msg="started"' in server.log(), told, level)  # it is written before the server says that it listens
            self.assertNotIn('level=debug', server.log())

    def test_a_failure_is_an_error_once(self):
        server = self.server()
        lease = server.put(lease_path('s'), config()).json()
        storefile.damage_lease(server.data_dir, lease)
        self.assertEqual(server.get(lease_path('s')).status, 500)
        errors = [line for line in server.log().splitlines() if 'level=error' in line]
        self.assertEqual(len(errors), 1, errors)
        self.assertIn('damaged', errors[0])


if __name__ == '__main__':
    unittest.main()

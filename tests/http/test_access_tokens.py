"""The tokens file: what the server takes, how it reads it again, and `holdfast token`, which writes it."""
import json
import os
import shutil
import stat
import tempfile
import unittest


from front import run
from harness import Process, parallel
from tokens import LINES, Guarded, bearer, line, secret, write

GOOD = line('root', 'admin')


class TokensCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = os.path.join(self.directory, 'tokens')

    def guarded(self, *flags):
        server = Guarded(self.directory, *flags)
        self.addCleanup(server.close)
        return server


class Start(TokensCase):
    def refuses(self, *says, flags=(), path=None):
        process = Process(self.directory, ['--data-dir', self.directory + '/data', '--listen', '127.0.0.1:0', '--tokens', path or self.path, *flags])
        self.assertEqual(process.wait(), 2, process.log())
        process.child.stdout.close()
        self.assertEqual(process.reports(), '')
        for text in says:
            self.assertIn(text, process.log())
        self.assertFalse(os.path.exists(self.directory + '/data'), 'a data directory was made')
        return process.log()

    def test_files_that_it_refuses(self):
        digest = GOOD.split('sha256=')[1].strip()
        table = [('root admin\n', 'line 1: it is not pairs'), (GOOD + '\n\n# x\nid=a\n', 'line 5: id, role or sha256 is missing'),
                 (GOOD.replace('id=root', 'id=anonymous'), "Holdfast's own"), (GOOD.replace('id=root', 'id=Root'), 'line 1: id: '),
                 (GOOD.replace('admin', 'probe'), 'line 1: role: '), (GOOD.replace('admin', 'none'), 'line 1: role: '), (GOOD.replace('admin', 'zone'), 'needs zones'),
                 (GOOD.replace('admin', 'admin zones=east'), 'for role zone alone'), (line('z', 'zone', zones='east,,west'), 'zones: one is not'),
                 (line('z', 'zone', zones='east', permissions='zone:all'), 'permissions: one is neither'), (line('z', 'zone', zones=''), 'zones: one is not'),
                 (line('z', 'zone', zones=','.join(f'z{i}' for i in range(17))), 'more than 16'), (GOOD.replace('id=', 'name='), 'an unknown key'),
                 (GOOD.replace('role=admin', 'role=admin role=admin'), 'role is stated twice'), (GOOD.replace(digest, digest[1:]), 'sha256: '),
                 (GOOD.replace(digest, digest + '00'), 'sha256: '), (GOOD.replace('2026-01-31', '2026-02-31'), 'created: '),
                 (GOOD.strip() + ' expires=never\n', 'expires: '), (GOOD * 3, 'line 3: its id has two other'),
                 (GOOD + line('root', 'read', 'other'), 'line 2: line 1 has the same id'), ('x' * 5000, 'line 1: '), ('a\0b', 'line 1: it has a NUL'),
                 (f'hf_root_{secret("root")}\n', 'line 1: it is not pairs')]
        for text, says in table:
            with self.subTest(says):
                write(self.path, text)
                log = self.refuses('tokens: ', says)
                self.assertNotIn(digest[:16], log)
                self.assertNotIn(secret('root'), log)

    def test_paths_that_it_refuses(self):
        self.refuses('No such file')
        self.refuses('not a regular file', path=self.directory)
        os.mkfifo(self.directory + '/pipe')
        self.refuses('not a regular file', path=self.directory + '/pipe')
        write(self.path, GOOD)
        self.refuses('exclude each other', flags=['--insecure-no-auth'])
        os.chmod(self.path, 0o666)
        self.refuses('everybody may write to it')

    def test_what_it_says_at_the_start(self):
        server = self.guarded()
        self.assertIn(f'msg="tokens read" secrets={len(LINES)}', server.log())
        self.assertNotIn('no authentication', server.log())

    def test_comments_blanks_and_an_empty_file(self):
        server = self.guarded()
        server.rewrite('\n  # a comment\r\n\t\n', GOOD.replace(' ', ' \t ').replace('\n', '\r\n'))
        self.assertEqual(server.get('/v1/status').status, 200)
        server.rewrite('')
        self.assertEqual((server.get('/v1/status').status, server.get('/livez').status), (401, 200))


class Again(TokensCase):
    def test_a_bad_file_keeps_the_tokens_before(self):
        server = self.guarded()
        server.rewrite(GOOD, 'nonsense\n', says='msg="tokens not read again"')
        self.assertRegex(server.lines('msg="tokens not read again"')[0], r'level=error .*/tokens: line 2: ')
        self.assertEqual(server.get('/v1/status').status, 200)
        self.assertEqual(server.metric('holdfast_tokens_reload_failures_total'), 1)
        self.assertEqual(server.metric('holdfast_tokens'), len(LINES) - 1)
        server.rewrite(line('other', 'admin'))
        self.assertEqual(server.get('/v1/status').status, 401)
        self.assertEqual(server.get('/v1/status', {'Authorization': bearer('other')}).status, 200)

    def test_two_secrets_and_no_request_fails_meanwhile(self):
        server = self.guarded()
        done = []

        def ask(i, connection):
            statuses = set()
            for n in range(400):
                headers = {'Authorization': bearer('root', 'new' if (i + n) % 2 else 'root')}
                statuses.add(server.get('/v1/status', headers, connection=connection, check=False).status)
            done.append(i)
            return statuses

        def act(i, connection):
            if i < 4:
                return ask(i, connection)
            for n in range(1000):
                if len(done) == 4:
                    break
                server.rewrite(GOOD, line('root', 'admin', 'new'), *[line(f'filler{n}', 'read')] * (n % 2))
            return {200}
        server.rewrite(GOOD, line('root', 'admin', 'new'))
        self.assertEqual(parallel(server, 5, act), [{200}] * 5)


class Command(TokensCase):
    def token(self, *args, status=0):
        done = run('token', *args, '--tokens', self.path)
        self.assertEqual(done.status, status, done)
        return done

    def made(self, *args):
        out = self.token(*args).out
        self.assertRegex(out, r'\Ahf_[a-z0-9._-]+_[A-Za-z0-9_-]{43}\n\Z')
        return {'Authorization': 'Bearer ' + out.strip()}

    def test_from_its_making_to_its_end(self):
        write(self.path, GOOD)
        first = self.made('create', '--role', 'zone', '--zone', 'east', '--permission', 'zone:purge', '--expires', '90d')
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o640)
        self.assertEqual(os.listdir(self.directory), ['tokens'])
        with open(self.path, encoding='ascii') as file:
            text = file.read()
        self.assertNotIn(first['Authorization'][-43:], text)
        server = Guarded(self.directory)
        self.addCleanup(server.close)
        server.rewrite(text)
        self.assertEqual(server.put('/v1/zones/east/connection', {'instance': 'a'}, first).status, 200)
        self.assertEqual(server.put('/v1/zones/west/connection', {'instance': 'a'}, first).status, 403)

        def reread():
            with open(self.path, encoding='ascii') as file:
                server.rewrite(file.read())
        second = self.made('rotate', 'zone-east', '--overlap', '1h')
        reread()
        self.assertEqual([server.get('/v1/status', one).status for one in (first, second)], [200, 200])
        third = self.made('rotate', 'zone-east')
        reread()
        self.assertEqual([server.get('/v1/status', one).status for one in (first, second, third)], [401, 200, 200])
        self.token('revoke', 'zone-east', '--old')
        reread()
        self.assertEqual([server.get('/v1/status', one).status for one in (second, third)], [401, 200])
        fourth = self.made('rotate', 'zone-east', '--overlap', '0')
        reread()
        self.assertEqual([server.get('/v1/status', one).status for one in (third, fourth)], [401, 200])
        shown = json.loads(self.token('list', '--json').out)['items']
        self.assertEqual([(one['id'], one['role'], one['zones'], one['permissions']) for one in shown],
                         [('root', 'admin', [], []), ('zone-east', 'zone', ['east'], ['zone:purge'])])
        self.token('revoke', 'zone-east')
        reread()
        self.assertEqual(server.get('/v1/status', fourth).status, 401)

    def test_refusals(self):
        self.token('list', status=2)
        self.made('create', '--role', 'admin', '--id', 'root')
        self.token('create', '--role', 'admin', '--id', 'root', status=1)
        for args in (['create'], ['create', '--role', 'zone'], ['create', '--role', 'read', '--zone', 'east'], ['create', '--role', 'probe'],
                     ['create', '--role', 'admin', '--id', 'offline'], ['create', '--role', 'admin', '--id', 'a b'], ['create', '--role', 'read', 'x'],
                     ['create', '--role', 'read', '--expires', '0'], ['rotate'], ['revoke'], ['list', 'x'], ['destroy'], ['revoke', 'root', '--json']):
            with self.subTest(args):
                self.assertEqual(self.token(*args, status=2).out, '')
        self.token('rotate', 'who', status=1)
        self.token('revoke', 'root', '--old', status=1)
        with open(self.path, 'a', encoding='ascii') as file:
            file.write('nonsense\n')
        self.assertRegex(self.token('create', '--role', 'read', status=2).err, r'line 3: ')

    def test_many_at_once(self):
        """No command loses what another one wrote."""
        from concurrent.futures import ThreadPoolExecutor
        self.made('create', '--role', 'admin')
        with ThreadPoolExecutor(4) as executor:
            list(executor.map(lambda i: self.made('create', '--role', 'read', '--id', f'r{i}'), range(8)))
        self.assertEqual(len(self.token('list').out.splitlines()), 9)


class Client(TokensCase):
    def test_the_token_and_its_file(self):
        server = self.guarded()
        token = bearer('auditor').split()[1]
        path = os.path.join(self.directory, 'mine')
        with open(path, 'w', encoding='ascii') as file:
            file.write(token + '\n')
        for env, status in (({'HOLDFAST_TOKEN': token}, 0), ({'HOLDFAST_TOKEN_FILE': path}, 0), ({}, 1), ({'HOLDFAST_TOKEN': 'x'}, 1),
                            ({'HOLDFAST_TOKEN': token, 'HOLDFAST_TOKEN_FILE': path}, 2), ({'HOLDFAST_TOKEN_FILE': path + 'x'}, 2),
                            ({'HOLDFAST_TOKEN_FILE': self.directory}, 2), ({'HOLDFAST_TOKEN_FILE': '/dev/null'}, 2)):
            with self.subTest(env):
                done = run('status', server=server, env=env)
                self.assertEqual(done.status, status, done)
                self.assertNotIn(token, done.out + done.err)

    def test_never_in_the_clear_beyond_this_host(self):
        for url in ('http://192.0.2.1:8241', 'http://holdfast.example', 'http://localhost.example:1', 'http://[2001:db8::1]:8241'):
            done = run('status', server=url, env={'HOLDFAST_TOKEN': 'hf_a_b'})
            self.assertEqual(done.status, 2, done)
            self.assertRegex(done.err, 'a token is not sent to .*https://')


if __name__ == '__main__':
    unittest.main()

"""The configuration file, and what a service manager is told."""
import os
import signal
import socket
import unittest
import uuid

from harness import START_S, Process, Server, lease_path
from test_operations import Case

ELSEWHERE = '127.0.0.1:1'  # where no test listens


class ConfigCase(Case):
    def write(self, text, name='holdfastd.conf'):
        path = os.path.join(self.directory(), name)
        with open(path, 'wb') as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path


class Wrong(ConfigCase):
    def assertWrong(self, text, line, *says):
        path = self.write(text)
        log = self.assertRefuses(2, '--config', path, '--data-dir', os.path.dirname(path) + '/data', '--listen', '127.0.0.1:0', says=says)
        self.assertTrue(log.startswith(f'holdfastd: {path}:{line}: '), log)
        self.assertFalse(os.path.exists(os.path.dirname(path) + '/data'), 'a data directory was made')

    def test_each_error_has_its_line(self):
        table = [
            ('an unknown key', '\n# one\nmap-sise = 1GiB\n', 3, 'unknown setting "map-sise"; did you mean map-size? See'),
            ('half a quote', 'data-dir = "x\n', 1, 'quote'), ('half a quote of the other kind', "data-dir = 'x\"", 1, 'quote'),
            ('something behind a quote', 'data-dir = "x" y', 1, 'after the value'), ('a quote between quotes', 'data-dir = "x"y"', 1, 'after the value'),
            ('nothing between quotes', 'data-dir = ""', 1, 'data-dir: ""'), ('a number in two words', 'threads = "2 2"', 1, '"2 2"'),
            ('a blank and ;', 'data-dir = "x ;y"', 1, '; after a blank'), ('blanks at an end', 'data-dir = "x "', 1, 'with a blank'),
            ('a key as a flag', '--threads = 2', 1, 'unknown setting "--threads"; did you mean threads?'),
            ('a key in capitals', 'Threads = 2', 1, 'unknown setting "Threads"'),
            ('a key as a variable', 'data_dir = x', 1, 'unknown setting "data_dir"'),
            ('no key', '\n= 2\n', 2, 'unknown setting ""'),
            ('another file', 'threads = 2\nconfig = other\n', 2, 'a file cannot set "config"'),
            ('a number out of range', 'max-queue = 7\nthreads = 65\n', 2, 'threads: "65"', '1 to 64'),
            ('no unit of size', 'map-size = 64GB', 1, 'map-size: "64GB"', 'bytes'),
            ('no time', '\n\n\nquarantine = 1d', 4, 'quarantine: "1d"', 'seconds'),
            ('neither true nor false', 'insecure-no-tls = yes', 1, 'insecure-no-tls: "yes"', 'true or false'),
            ('no level', 'log-level = loud', 1, 'log-level: "loud"', 'debug'),
            ('no address', '# x\nlisten = localhost', 2, '"localhost"', 'HOST:PORT'),
            ('no value', 'listen = 127.0.0.1:0\ndata-dir =\n', 2, 'data-dir: ""'),
            ('a comment for a value', 'threads = ; four', 1, 'threads: ""'),
            ('twice', 'threads = 2\nmax-queue = 9\nthreads = 2\n', 3, 'threads is already set in line 1'),
            ('a section', 'threads = 2\n[server]\n', 2, 'sections are not supported'),
            ('half a section', ' [server\n', 1, 'sections are not supported'),
            ('a word', 'insecure\n', 1, 'not KEY = VALUE'),
            ('a colon', 'threads: 2\n', 1, 'not KEY = VALUE'),
            ('a comment in the key', 'threads ; = 2\n', 1, 'not KEY = VALUE'),
            ('a line that would continue', 'data-dir = x\n\n\tthreads\n', 3, 'not KEY = VALUE'),
            ('a long line', 'threads = 2\ndata-dir = ' + 'x' * 200 + '\n', 2, 'longer than'),
            ('a very long line', 'data-dir = ' + 'x' * 100_000, 1, 'longer than'),
            ('a long comment', '#' * 1000, 1, 'longer than'),
            ('NUL', b'threads = 2\nmax-queue = 9\0\n', 2, 'NUL'), ('NUL at the end', b'threads = 2\0', 1, 'NUL'),
            ('noise', bytes(range(128, 256)), 1, 'not KEY = VALUE'),
            ('a mark before a section', '\ufeff[server]\n', 1, 'sections are not supported'),
            ('the first of two', 'threads = 0\nthreads = 2\nwhat\n', 1, 'threads: "0"'),
        ]
        for name, text, line, *says in table:
            with self.subTest(name):
                self.assertWrong(text, line, *says)

    def test_a_flag_that_is_stated_twice(self):
        where = self.directory()
        for flags in (['--threads', '2', '--threads', '2'], ['--data-dir=a', '--data-dir', 'b'], ['--insecure-no-tls', '--insecure-no-tls=false'],
                      ['--config', 'a', '--config', 'b']):
            with self.subTest(flags):
                self.assertRefuses(2, *flags, says=[f'{flags[0].split("=")[0]} is given twice'])
        self.assertRefuses(2, 'verify', '--data-dir', where, '--data-dir', where, says=['--data-dir is given twice'])
        self.assertRefuses(2, 'verify', '--json', '--json', where, says=['--json is given twice'])

    def test_a_flag_that_is_misspelt(self):
        for flag, like in (('--max-conections', 'max-connections'), ('--thraeds=2', 'threads'), ('--dat-dir', 'data-dir')):
            self.assertRefuses(2, flag, says=[f'unknown flag {flag}; did you mean --{like}? See'])
        self.assertRefuses(2, '--something-else', says=['unknown flag --something-else; see'])

    def test_a_variable_that_is_misspelt(self):
        where = self.directory()
        for name, like in (('DATADIR', 'DATA_DIR'), ('LISTN', 'LISTEN'), ('MAP_SISE', 'MAP_SIZE'), ('max_queue', ''), ('NONSENSE', ''), ('', ''),
                           ('UURL', 'URL'), ('X' * 300, '')):
            says = [f'unknown variable HOLDFAST_{name[:50]}', f'; did you mean HOLDFAST_{like}? See' if like else '']
            for args in (('--data-dir', where + '/data', '--listen', '127.0.0.1:0'), ('verify', where)):
                with self.subTest(name=name, args=args):
                    self.assertRefuses(2, *args, env={'HOLDFAST_' + name: 'x'}, says=says)
        self.assertFalse(os.path.exists(where + '/data'), 'a data directory was made')
        self.assertEqual(self.run_once('--help', env={'HOLDFAST_LISTN': 'x'})[0], 0)

    def test_variables_of_others(self):
        """Of the front command, and what Kubernetes sets for Services of the names holdfast and holdfast-east."""
        others = {'URL': 'http://x', 'TOKEN': 'x', 'TOKEN_FILE': 'x', 'SERVICE_HOST': '10.0.0.1', 'SERVICE_PORT': '8241', 'SERVICE_PORT_HTTP': '8241',
                  'PORT': 'tcp://10.0.0.1:8241', 'PORT_8241_TCP': 'tcp://10.0.0.1:8241', 'PORT_8241_TCP_PROTO': 'tcp',
                  'PORT_8241_TCP_PORT': '8241', 'PORT_8241_TCP_ADDR': '10.0.0.1', 'EAST_SERVICE_HOST': 'x', 'EAST_SERVICE_PORT': 'x',
                  'EAST_SERVICE_PORT_HTTP': 'x', 'EAST_PORT': 'x', 'EAST_PORT_8241_TCP': 'x', 'EAST_PORT_8241_TCP_ADDR': 'x'}
        server = self.server(env={**{'HOLDFAST_' + name: value for name, value in others.items()}, 'HOLDFASTD': 'x', 'HOLDFASTLY': 'x'})
        self.assertEqual(server.get('/livez').status, 200)

    def test_a_file_that_cannot_be_read(self):
        where = self.directory()
        paths = [(where + '/none', 'No such file'), (where, 'directory'), (where + '/' + 'x' * 300, 'too long')]
        if os.geteuid() != 0:  # root may read anything
            with open(where + '/locked', 'w', opener=lambda p, flags: os.open(p, flags, 0), encoding='utf-8'):
                paths.append((where + '/locked', 'denied'))
        for path, says in paths:
            with self.subTest(path):
                log = self.assertRefuses(2, '--config', path, '--data-dir', where + '/data', says=[says])
                self.assertIn(path[-70:] + ': ', log)
                self.assertRefuses(2, '--data-dir', where + '/data', env={'HOLDFAST_CONFIG': path}, says=[says])
        self.assertRefuses(2, '--config', '', says=['--config'])
        self.assertRefuses(2, env={'HOLDFAST_CONFIG': ''}, says=['HOLDFAST_CONFIG'])

    def test_a_long_path_leaves_room_for_the_reason(self):
        path = self.write('\nthreads = 65', 'x' * 250)
        self.assertRefuses(2, '--config', path, says=['x' * 50 + ':2: threads: "65" is not valid'])

    def test_beyond_loopback_only_if_told_so(self):
        path = self.write(f'data-dir = {self.directory()}/data\nlisten = 0.0.0.0:0\n')
        self.assertRefuses(2, '--config', path, says=['--insecure-no-auth'])

    def test_help_does_not_need_it(self):
        self.assertEqual(self.run_once('--config', '/nowhere', '--help')[0], 0)
        self.assertIn('--config FILE', self.run_once('--help')[1])


class Good(ConfigCase):
    def settings(self, server):
        """What can be seen from outside."""
        return (server.get('/v1/pools/meshservice').json()['quarantineSeconds'], server.get('/v1/status').json()['mapBytes'] >> 20,
                'level=debug' in server.log())

    def test_it_serves(self):
        where = self.directory()
        path = self.write(f'; all of it\r\n\n  # indented\n\ndata-dir = {where}/of file\nlisten=127.0.0.1:0 ; any port\n\tinsecure-no-tls = false\n'
                          'map-size = 8MiB\nquarantine=5m\nmax-body = 1KiB\nmax-sync-body=1MiB\nmax-sync-items = 9\nsync-memory = 1MiB\n'
                          'max-connections = 50\nmax-queue = 10\nthreads = 2\nchanges-max = 100\nchanges-age = 1h\nlog-level = debug')
        output = self.start_alone('--config', path)
        self.assertTrue(output.startswith('listening on http://127.0.0.1:'), output)
        self.assertEqual(os.listdir(where), ['of file'])
        for text in ('\ufeffthreads = 2\n', '', '\n', '#' * 100):
            self.assertEqual(self.server('--config', self.write(text)).get('/livez').status, 200)

    def test_quotes(self):
        where = self.directory()
        path = self.write(f'data-dir = "{where}/it\'s # a;folder"  # and a comment\nlisten = \'127.0.0.1:0\'\nquarantine = "5m" ; five\n'
                          'insecure-no-tls="false"\nlog-level = "debug"')
        self.assertTrue(self.start_alone('--config', path).startswith('listening on http://127.0.0.1:'))
        self.assertEqual(os.listdir(where), ["it's # a;folder"])

    def start_alone(self, *args):
        """Runs the binary without any flag of the harness until it says that it listens."""
        class Alone(Server):
            def start(self, *flags):
                self.process = Process(self.root, args, self.env)
                self.line = self.process.child.stdout.readline().decode()
                return self
        server = Alone()
        self.addCleanup(server.close)
        return server.line

    def test_flags_over_variables_over_the_file_over_defaults(self):
        file = self.write(f'quarantine = 1m\nmap-size = 8MiB\nmax-body = 2KiB\nlisten = {ELSEWHERE}\ndata-dir = /nowhere\n')
        env = {'HOLDFAST_CONFIG': file, 'HOLDFAST_MAP_SIZE': '16MiB', 'HOLDFAST_LOG_LEVEL': 'debug', 'HOLDFAST_LISTEN': ELSEWHERE}
        self.assertEqual(self.settings(self.server(env=env)), (60, 16, True))
        self.assertEqual(self.settings(self.server('--map-size', '32MiB', env=env)), (60, 32, True))
        self.assertEqual(self.settings(self.server('--quarantine', '2m', '--log-level=info', env=env)), (120, 16, False))
        other = self.write('quarantine = 3m\n')
        server = self.server('--config', other, env=env)
        self.assertEqual(self.settings(server), (180, 16, True), 'the flag names another file; the first is not read')
        self.assertEqual(server.put(lease_path('s'), {'a': 'x' * 3000}).status, 201)
        server = self.server('--config', file, '--insecure-no-tls=false')
        self.assertEqual(server.put(lease_path('s'), {'a': 'x' * 3000}).status, 413)
        self.assertEqual(self.settings(server), (60, 8, False))

    def test_insecure(self):
        server = self.server('--config', self.write('insecure-no-auth = true\n'))
        self.assertEqual(server.get('/livez').status, 200)
        path = self.write(f'listen = 0.0.0.0:0\ninsecure-no-auth = true\ninsecure-no-tls = true\ndata-dir = {self.directory()}')
        self.assertTrue(self.start_alone('--config', path).startswith('listening on http://0.0.0.0:'))
        self.assertRefuses(2, '--config', path, '--insecure-no-tls=false', says=['--insecure-no-tls'])


class Notify(Case):
    """READY=1 and STOPPING=1 of systemd's protocol."""

    @staticmethod
    def bind(manager):
        """To a name that is in no folder, whose path could be too long for a socket."""
        name = f'holdfast-{uuid.uuid4()}'
        manager.bind('\0' + name)
        return '@' + name

    def told(self, manager):
        return dict(line.split('=', 1) for line in manager.recv(4096).decode().splitlines())

    def test_a_service_manager_is_told(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = self.bind(manager)
            manager.settimeout(START_S)
            server = self.server(env={'NOTIFY_SOCKET': path})
            ready = self.told(manager)
            self.assertEqual(ready, {'READY': '1', 'STATUS': f'listening on http://127.0.0.1:{server.port}'})
            self.assertEqual(server.get('/readyz').status, 200)
            server.process.child.send_signal(signal.SIGTERM)
            self.assertEqual(self.told(manager)['STOPPING'], '1')
            server.stop()
            manager.setblocking(False)
            self.assertRaises(BlockingIOError, manager.recv, 4096)

    def test_not_ready_if_it_cannot_start(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = self.bind(manager)
            manager.setblocking(False)
            self.assertRefuses(3, '--data-dir', '/proc/holdfast', '--listen', '127.0.0.1:0', env={'NOTIFY_SOCKET': path})
            self.assertRaises(BlockingIOError, manager.recv, 4096)

    def test_nobody_there_is_no_failure(self):
        for path in ('/nowhere/notify', 'nonsense', '@holdfast-nobody'):
            self.assertEqual(self.server(env={'NOTIFY_SOCKET': path}).get('/livez').status, 200)


if __name__ == '__main__':
    unittest.main()

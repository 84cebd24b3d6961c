"""What `cmake --install` and the Debian package put where, without installing anything into the system.

HOLDFAST_BUILD is the build directory, in which holdfastd has been built.
"""
import glob
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from stops import GROUP, Stops

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
BUILD = os.path.abspath(os.environ.get('HOLDFAST_BUILD', 'build/asan'))
CONFIG = 'etc/holdfast/holdfastd.conf'
DATA = '/var/lib/holdfast'
SYSTEMD = '/run/systemd/system'
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith('HOLDFAST')} | {'LC_ALL': 'C.UTF-8'}
WORK = None  # a temporary folder, with the package, its contents in `root`, its control files in `control`, and `prefix`


def run(*command, status=0, env=None, cwd=None):
    """The output of a command, which must end with `status`."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=600, cwd=cwd,
                          env={**ENVIRONMENT, **(env or {})})
    assert done.returncode == status, f'{command}: status {done.returncode}\n{done.stdout[-4000:]}'
    return done.stdout


def setUpModule():
    global WORK
    WORK = tempfile.mkdtemp(prefix='holdfast-package-')
    unittest.addModuleCleanup(shutil.rmtree, WORK, ignore_errors=True)
    run('cpack', '-G', 'DEB', '-B', WORK, '--config', BUILD + '/CPackConfig.cmake', cwd=WORK)
    run('dpkg-deb', '-x', package(), WORK + '/root')
    run('dpkg-deb', '-e', package(), WORK + '/control')
    run('cmake', '--install', BUILD, '--prefix', WORK + '/prefix')


def package():
    found = glob.glob(WORK + '/*.deb')
    assert len(found) == 1, found
    return found[0]


def read(path):
    with open(os.path.join(WORK, path), encoding='utf-8') as file:
        return file.read()


def files(root):
    """Every file below a folder with its mode."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = stat.S_IMODE(os.stat(path).st_mode)
    return found


def commands():
    """The front command's commands in the source tree."""
    return [name[:-3].replace('_', '-') for name in os.listdir(SOURCE + '/scripts/commands') if name.endswith('.py')]


def expected(prefix):
    """What is to be installed below a prefix, but for the configuration, and what differs in the package."""
    modules = glob.glob('**/*.py', root_dir=SOURCE + '/scripts/commands', recursive=True)
    found = {prefix + 'sbin/holdfastd': 0o755, prefix + 'bin/holdfast': 0o755, prefix + 'lib/systemd/system/holdfast.service': 0o644}
    found |= {f'{prefix}libexec/holdfast/{name}': 0o644 for name in modules}
    found |= {f'{prefix}share/doc/holdfast/{name}': 0o644 for name in
              ('README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'copyright', 'storage/FORMAT.md', 'api/openapi.yaml',
               'tests/bench/RESULTS.md', *(f'docs/{name}' for name in os.listdir(SOURCE + '/docs')))}
    found[prefix + 'share/bash-completion/completions/holdfast'] = 0o644
    return found


def settings():
    """The flags that the server's --help lists, but --help and --version."""
    return set(re.findall(r'^  --([a-z-]+)', run(WORK + '/prefix/sbin/holdfastd', '--help'), re.M)) - {'help', 'version'}


class Package(unittest.TestCase):
    def field(self, name):
        return run('dpkg-deb', '-f', package(), name).strip()

    def test_name_and_fields(self):
        version = run(WORK + '/root/usr/sbin/holdfastd', '--version').split()[1]
        architecture = run('dpkg', '--print-architecture').strip()
        self.assertEqual(os.path.basename(package()), f'holdfast_{version}_{architecture}.deb')
        self.assertEqual((self.field('Package'), self.field('Version'), self.field('Architecture')), ('holdfast', version, architecture))
        self.assertTrue(run('gzip', '-dc', WORK + '/root/usr/share/doc/holdfast/changelog.gz').startswith(f'holdfast ({version}) '))

    def test_files_and_modes(self):
        wanted = expected('usr/') | {CONFIG: 0o644, 'usr/share/doc/holdfast/changelog.gz': 0o644,
                                     'usr/share/man/man1/holdfast.1.gz': 0o644, 'usr/share/man/man8/holdfastd.8.gz': 0o644}
        self.assertEqual(files(WORK + '/root'), wanted)
        for line in run('dpkg-deb', '-c', package()).splitlines():
            self.assertRegex(line, r'^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root/root ')

    def test_it_depends_on_what_it_links_and_runs(self):
        depends = {entry.split()[0] for entry in self.field('Depends').split(', ')}
        self.assertLessEqual({'adduser', 'python3'}, depends)
        needed = re.findall(r'NEEDED +(\S+)', run('objdump', '-p', WORK + '/root/usr/sbin/holdfastd'))
        resolved = dict(re.findall(r'(\S+) => (/\S+)', run('ldd', WORK + '/root/usr/sbin/holdfastd')))
        self.assertGreater(len(needed), 5)
        for library in needed:
            if library.startswith('ld-linux'):
                continue
            owners = run('dpkg-query', '-S', '*/' + os.path.basename(os.path.realpath(resolved[library])))
            self.assertTrue(depends & {line.split(':')[0] for line in owners.splitlines()}, f'{library} of {owners}is in none of {depends}')

    def test_control_files(self):
        self.assertEqual(read('control/conffiles'), f'/{CONFIG}\n')
        self.assertEqual(files(WORK + '/control'), {'control': 0o644, 'md5sums': 0o644, 'conffiles': 0o644, 'postinst': 0o755,
                                                    'prerm': 0o755, 'postrm': 0o755})
        for name in ('postinst', 'prerm', 'postrm'):
            path = f'{WORK}/control/{name}'
            self.assertTrue(read(path).startswith('#!/bin/sh\n'))
            self.assertIn('\nset -e\n', read(path))
            run('sh', '-n', path)
            if shutil.which('shellcheck'):
                run('shellcheck', path)

    def test_the_unit(self):
        unit = read('root/usr/lib/systemd/system/holdfast.service')
        self.assertNotIn('@DAEMON@', unit)
        for line in ('Type=notify', 'User=holdfast', 'StateDirectory=holdfast', 'StateDirectoryMode=0750', 'NoNewPrivileges=true',
                     f'ExecStart=/usr/sbin/holdfastd --config /{CONFIG}', 'Restart=on-failure', 'RestartPreventExitStatus=2 5 6'):
            self.assertIn(f'\n{line}\n', unit)


class Maintainer(unittest.TestCase):
    """The maintainer scripts, with folders of the test's for the system's and with stubs that note how they were called."""

    def setUp(self):
        self.place = tempfile.mkdtemp(dir=WORK)
        self.data = self.place + '/data'
        os.mkdir(self.place + '/bin')
        for name in ('adduser', 'systemctl', 'deb-systemd-helper', 'deb-systemd-invoke'):
            self.stub(name, '')
        self.stub('install', 'for last; do :; done; mkdir "$last"\n')

    def stub(self, name, act):
        with open(f'{self.place}/bin/{name}', 'w', encoding='utf-8', opener=lambda path, flags: os.open(path, flags, 0o755)) as file:
            file.write(f'#!/bin/sh\necho "{name} $*" >>"{self.place}/calls"\n{act}')

    def act(self, script, *arguments, systemd=True, status=0):
        """Runs one; what it called."""
        text = read('control/' + script).replace(DATA, self.data).replace(SYSTEMD, self.place if systemd else '/nowhere')
        with open(self.place + '/calls', 'w', encoding='utf-8'):
            pass
        run('sh', '-c', text, script, *arguments, env={'PATH': f'{self.place}/bin:{os.environ["PATH"]}'}, status=status)
        return read(self.place + '/calls')

    def test_a_first_installation(self):
        calls = self.act('postinst', 'configure', '')
        self.assertIn('adduser --system', calls)
        self.assertIn(f'install -d -m 0750 -o holdfast -g holdfast {self.data}\n', calls)
        self.assertIn('enable holdfast.service', calls)
        self.assertIn('deb-systemd-invoke start holdfast.service', calls)

    def test_an_upgrade_restarts_and_leaves_the_directory(self):
        os.mkdir(self.data)
        for state, restarted in (('active', True), ('activating', True), ('inactive', False), ('failed', False)):
            self.stub('systemctl', f'[ "$1" != is-active ] || echo {state}\n')
            calls = self.act('postinst', 'configure', '0.0.9')
            self.assertNotIn('install -d', calls)
            self.assertEqual('deb-systemd-invoke restart holdfast.service' in calls, restarted, calls)
            self.assertNotIn('deb-systemd-invoke start', calls)
        # It was removed, which stopped and masked it, and is installed again.
        self.stub('readlink', 'echo /dev/null\n')
        self.assertIn('deb-systemd-invoke start holdfast.service', self.act('postinst', 'configure', '0.0.9'))
        self.assertEqual(self.act('prerm', 'upgrade', '0.2.0'), '')

    def test_without_systemd_nothing_is_started(self):
        for script, *arguments in (('postinst', 'configure', ''), ('prerm', 'remove'), ('postrm', 'remove'), ('postrm', 'purge')):
            calls = self.act(script, *arguments, systemd=False)
            self.assertFalse('deb-systemd-invoke' in calls or 'systemctl' in calls, calls)

    def test_a_service_that_was_disabled_stays_so(self):
        self.stub('deb-systemd-helper', '[ "$2" != was-enabled ]\n')
        calls = self.act('postinst', 'configure', '0.0.9')
        self.assertNotIn('enable holdfast.service', calls.replace('was-enabled', ''))
        self.assertIn('update-state holdfast.service', calls)

    def test_a_purge_never_deletes_data(self):
        os.mkdir(self.data)
        with open(self.data + '/data.mdb', 'w', encoding='utf-8') as file:
            file.write('leases')
        self.assertIn('stop holdfast.service', self.act('prerm', 'remove'))
        self.assertIn('mask holdfast.service', self.act('postrm', 'remove'))
        self.assertIn('purge holdfast.service', self.act('postrm', 'purge'))
        self.assertEqual(os.listdir(self.data), ['data.mdb'])
        os.unlink(self.data + '/data.mdb')
        self.act('postrm', 'purge')
        self.assertFalse(os.path.exists(self.data), 'an empty directory is left')
        self.act('postrm', 'purge')

    def test_what_a_script_does_not_know(self):
        self.assertEqual(self.act('postinst', 'nonsense', status=1), '')


class Install(unittest.TestCase):
    def serve(self, *arguments):
        """A server from the prefix: its URL. It is stopped when the test ends."""
        child = subprocess.Popen([WORK + '/prefix/sbin/holdfastd', *arguments], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, **GROUP)
        Stops(child)

        def stop():
            child.terminate()
            child.stdout.close()
            self.assertEqual(child.wait(120), 0)
        self.addCleanup(stop)
        line = child.stdout.readline()
        self.assertTrue(line.startswith('listening on http://'), line)
        return line.split()[2]

    def test_files_and_modes(self):
        wanted = expected('') | {CONFIG: 0o644, 'share/man/man1/holdfast.1': 0o644, 'share/man/man8/holdfastd.8': 0o644}
        self.assertEqual(files(WORK + '/prefix'), wanted)

    def test_the_links_between_the_documents_hold(self):
        docs, seen = WORK + '/prefix/share/doc/holdfast', 0
        for path in files(docs):
            if path.endswith('.md'):
                for link in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', read(f'{docs}/{path}')):
                    seen += 1
                    self.assertTrue(os.path.exists(os.path.join(docs, os.path.dirname(path), link)), f'{path}: {link}')
        self.assertGreater(seen, 7)

    def test_the_unit_names_the_prefix(self):
        self.assertIn(f'ExecStart={WORK}/prefix/sbin/holdfastd --config {WORK}/prefix/{CONFIG}\n',
                      read('prefix/lib/systemd/system/holdfast.service'))

    def test_a_configuration_that_is_there_is_kept(self):
        prefix = WORK + '/again'
        run('cmake', '--install', BUILD, '--prefix', prefix)
        with open(f'{prefix}/{CONFIG}', 'w', encoding='utf-8') as file:
            file.write('threads = 3\n')
        run('cmake', '--install', BUILD, '--prefix', prefix)
        self.assertEqual(read(f'again/{CONFIG}'), 'threads = 3\n')

    def test_the_front_command_finds_its_commands_and_the_server(self):
        unused = socket.socket()  # bound, so that nobody else listens there
        self.addCleanup(unused.close)
        unused.bind(('127.0.0.1', 0))
        nobody = f'http://127.0.0.1:{unused.getsockname()[1]}'
        url = self.serve('--data-dir', tempfile.mkdtemp(dir=WORK) + '/data', '--listen', '127.0.0.1:0')
        front = WORK + '/prefix/bin/holdfast'
        for name in commands():
            self.assertRegex(run(front, '--help'), rf'(?m)^  {name} ')
            self.assertIn('Usage: holdfast ' + name, run(front, name, '--help'))
        self.assertRegex(run(front, '--version'), r'^holdfastd \d')
        self.assertIn(url, run(front, 'status', env={'HOLDFAST_URL': url}))
        run(front, 'status', env={'HOLDFAST_URL': nobody}, status=3)

    def test_the_configuration_has_every_setting_and_serves(self):
        text = read('prefix/' + CONFIG)
        self.assertEqual(re.findall(r'^([a-z-]+) = ', text, re.M), ['data-dir'], 'what is not commented out')
        everything = re.sub(r'^#([a-z-]+ = )', r'\1', text, flags=re.M)
        self.assertEqual(set(re.findall(r'^([a-z-]+) = ', everything, re.M)), settings() - {'config'})
        path = tempfile.mkdtemp(dir=WORK) + '/holdfastd.conf'
        with open(path, 'w', encoding='utf-8') as file:
            file.write(everything.replace(DATA, path + '-data').replace('127.0.0.1:8241', '127.0.0.1:0').replace('/etc/holdfast/tokens', path + '-tokens'))
        with open(path + '-tokens', 'w', encoding='utf-8'):
            pass  # nobody may call
        self.serve('--config', path)

    def test_the_defaults_that_the_configuration_shows(self):
        told = run(WORK + '/prefix/sbin/holdfastd', '--help')
        for name, value in re.findall(r'^#([a-z-]+) = (\S+)$', read('prefix/' + CONFIG), re.M):
            if name not in ('insecure-no-auth', 'insecure-no-tls', 'tokens', 'threads', 'max-connections-per-address'):  # these have none to show, or a share of another
                self.assertRegex(told, rf'--{name} .*\(default {re.escape(value)}\)')

    def test_the_man_pages_have_everything(self):
        server, front = read('prefix/share/man/man8/holdfastd.8'), read('prefix/share/man/man1/holdfast.1')
        for name in settings():
            self.assertRegex(server, rf'(?m)^\.It Fl -{name}\b')
        for name in commands():
            self.assertRegex(front, rf'(?m)^\.It Cm {name}$')
        for page in ('man8/holdfastd.8', 'man1/holdfast.1'):
            if shutil.which('man'):
                self.assertNotIn('warning', run('man', '--warnings', '-l', f'{WORK}/prefix/share/man/{page}', env={'MANPAGER': 'cat'}))
            if shutil.which('mandoc'):
                run('mandoc', '-T', 'lint', '-W', 'warning', f'{WORK}/prefix/share/man/{page}')

    def test_the_completion_loads(self):
        path = WORK + '/prefix/share/bash-completion/completions/holdfast'
        if not os.path.exists(os.path.join(SOURCE, 'scripts/completion/holdfast.bash')):
            self.skipTest('there is none')
        self.assertIn('holdfast', run('bash', '-c', f'. "{path}" && complete -p holdfast'))


if __name__ == '__main__':
    unittest.main()

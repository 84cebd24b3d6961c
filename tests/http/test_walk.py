"""README.md's commands and docs/api.md's walk are run as a reader would paste them, and say what the documents claim.

A comment `# → 200, created, generation 1` in a block of shell claims something about the output since the previous claim: first the status,
then words. `NAME VALUE` is a member of JSON or a header, anything else a word by itself.
"""
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import unittest

import front
from harness import BINARY, START_S, STOP_S, Server, inherited, temporary_base
from stops import GROUP, Stops

URL = 'http://127.0.0.1:8241'
CLAIM = re.compile(r'^# → (.*)$', re.M)
PASTE_S = 300
EDGE = r'[\w.:/-]'


def read(*path):
    with open(os.path.join(front.ROOT, *path), encoding='utf-8') as file:
        return file.read()


def shell_blocks(text):
    return re.findall(r'^```sh\n(.*?)^```$', text, re.M | re.S)


def paste(script, url):
    """Pastes the script into bash, with this server's address; (claim, output before it) for each claim."""
    claims, mark = CLAIM.findall(script), '=== a claim ==='
    lines = CLAIM.sub(f"printf '\\\\n%s\\\\n' '{mark}'", script).replace(URL, url)
    done = subprocess.run(['bash', '--norc', '-s'], input=lines, capture_output=True, text=True, timeout=PASTE_S, check=False,
                          env=inherited(no_proxy='127.0.0.1', LC_ALL='C.UTF-8'))
    outputs = done.stdout.replace('\r\n', '\n').split(f'\n{mark}\n')
    assert done.returncode == 0 and len(outputs) == len(claims) + 1, f'{done.stdout[-3000:]}\n{done.stderr}'
    return list(zip(claims, outputs))


def says(output, words):
    """Whether the output has this: a word, or a name with its value."""
    if re.search(rf'(?<!{EDGE}){re.escape(words)}(?!{EDGE})', output):
        return True
    name, _, value = words.partition(' ')
    return bool(value) and re.search(rf'"{re.escape(name)}":"?{re.escape(value)}"?(?!{EDGE})|^{re.escape(name)}: {re.escape(value)}$', output,
                                     re.M | re.I) is not None


def missing(claim, output):
    """What of a claim the output does not have."""
    status, *words = claim.split(', ')
    found = re.match(r'HTTP/1\.1 (\d+)', output.lstrip())
    return ([] if found and found[1] == status else [status]) + [w for w in words if not says(output, w)]


class Pasted(unittest.TestCase):
    def assertWalks(self, script, url):
        """Every curl of the script is followed by a claim, which holds."""
        self.assertEqual(script.count(URL), 1, 'the address stands in one place')
        self.assertEqual(len(re.findall('^curl ', script, re.M)), len(CLAIM.findall(script)), 'each request has its claim')
        for claim, output in paste(script, url):
            with self.subTest(claim):
                self.assertEqual(missing(claim, output), [], output)


class Walk(Pasted):
    def test_the_walk(self):
        server = Server()
        self.addCleanup(server.close)
        script = ''.join(shell_blocks(read('docs', 'api.md')))
        self.assertGreater(len(CLAIM.findall(script)), 25)
        self.assertWalks(script, f'http://{server.host}:{server.port}')

    def test_a_wrong_claim_is_noticed(self):
        output = ('HTTP/1.1 200 OK\nHoldfast-Outcome: updated\nETag: "17"\n\n'
                  '{"vips":[{"ip":"241.0.0.1"}],"generation":12,"summary":{"created":2},"continue":null}')
        self.assertEqual(missing('200, updated, 241.0.0.1, generation 12, created 2, continue null, ETag "17"', output), [])
        self.assertEqual(missing('201, created, 241.0.0.1, generation 1, created 0, 241.0.0, update, ETag "1"', output),
                         ['201', 'generation 1', 'created 0', '241.0.0', 'update', 'ETag "1"'])

    def test_pasting_brings_each_claim_its_output(self):
        self.assertEqual(paste(f'A="{URL}"\necho "$A"\n# → 1, one\necho two\n# → 2, two\n', 'http://there'),
                         [('1, one', 'http://there\n'), ('2, two', 'two\n')])


class Readme(Pasted):
    """In a tree of links, where the build under test takes the place of the one that scripts/build would make."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix='holdfast-readme-', dir=temporary_base())
        self.addCleanup(shutil.rmtree, self.root)
        os.makedirs(self.path('scripts'))
        os.makedirs(self.path('build/release'))
        os.symlink(BINARY, self.path('build/release/holdfastd'))
        for name in ('scripts/run', 'scripts/demo', 'scripts/demo.py', 'tests'):
            os.symlink(os.path.join(front.ROOT, name), self.path(name))
        for name in ('build', 'deps'):
            with open(self.path('scripts', name), 'w', encoding='utf-8') as script:
                script.write(f'#!/bin/sh\necho "{name} $*" >>"$(dirname "$0")/called"\n')
            os.chmod(self.path('scripts', name), 0o755)
        self.blocks = shell_blocks(read('README.md'))

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def called(self):
        with open(self.path('scripts/called'), encoding='utf-8') as called:
            return called.read()

    def test_the_commands(self):
        """The first minute runs beside the first command; where that serves, and keeps its data, is as the README says."""
        run, demo, minute = self.blocks
        server = subprocess.Popen(run.split(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=self.root,
                                  env=inherited(HOLDFAST_LISTEN='127.0.0.1:0'), **GROUP)
        Stops(server)
        try:
            self.assertTrue(select.select([server.stdout], [], [], START_S)[0], 'it does not start')
            line = server.stdout.readline()
            self.assertRegex(line, '^listening on http://127')
            self.assertEqual(self.called(), 'build \n')
            self.assertTrue(os.path.exists(self.path('holdfast-data/data.mdb')))
            self.assertWalks(minute, line.split()[2])
        finally:
            server.send_signal(signal.SIGTERM)
            server.stdout.close()
            self.assertEqual(server.wait(STOP_S), 0)
        done = subprocess.run(demo.split(), capture_output=True, text=True, timeout=PASTE_S, check=False, cwd=self.root, env=inherited())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.called(), 'build \ndeps demo\nbuild \n')

    def test_where_it_serves(self):
        text = subprocess.run([BINARY, '--help'], capture_output=True, text=True, check=True, env=inherited()).stdout
        readme = read('README.md')
        self.assertIn(f'{re.search(r"--listen.*default (.*?)[)]", text)[1]}', readme)
        self.assertIn(f'`{re.search(r"--data-dir.*default (.*?)[)]", text)[1]}`', readme)

    def test_scripts_exist(self):
        for document in ('README.md', 'CONTRIBUTING.md'):
            names = set(re.findall(r'\bscripts/[a-z]+', read(document)))
            self.assertGreater(len(names), 3)
            for name in names:
                with self.subTest(name):
                    self.assertTrue(os.path.exists(os.path.join(front.ROOT, name)))

    def test_it_is_short(self):
        self.assertLessEqual(len(read('README.md').splitlines()), 150)


if __name__ == '__main__':
    unittest.main()

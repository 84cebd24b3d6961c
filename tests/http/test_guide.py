"""The documents agree with the programs: settings, metrics, log messages, exit statuses, commands and their options; and with each other."""
import glob
import os
import re
import subprocess
import unittest
from functools import cache

import front
from harness import BINARY, ServerCase, inherited


def read(*path):
    with open(os.path.join(front.ROOT, *path), encoding='utf-8') as file:
        return file.read()


PATHS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', *sorted(glob.glob('docs/*.md', root_dir=front.ROOT)), 'storage/FORMAT.md']
DOCUMENTS = {path: read(path) for path in PATHS}
GUIDE = '\n'.join(text for path, text in DOCUMENTS.items() if path.startswith('docs/'))
LINES_MAX = 500
# Habits of an English that makes a native reader stumble: that there is, is none, but for, behind (after), told, anew, whoever, of which.
STUMBLES = re.compile(r"""\b(that\ there\ (?:is|are)|(?:is|are)\ none|none\ of\ those|but\ for|anew|whoever|of\ which|what\ is\ to\ be|told|tells?
                          |be\ had|behind\ (?:the\ last|a\ blank))\b""", re.X | re.I)
COMMANDS = front.COMMANDS


def rows(head):
    """The cells of the one table in docs/ whose head begins with these cells."""
    tables = re.findall(rf'^{re.escape(head)}.*\n\|[-|]+\|\n((?:\|.*\n)+)', GUIDE, re.M)
    assert len(tables) == 1, f'the guide has {len(tables)} tables {head}'
    return [[cell.strip() for cell in line.strip('|').split(' | ')] for line in tables[0].splitlines()]


def names(head):
    """What stands in backticks in the first column, once each."""
    found = [name for cells in rows(head) for name in re.findall('`([^`]*)`', cells[0])]
    assert len(found) == len(set(found)), f'twice in {head}: {sorted(n for n in found if found.count(n) > 1)}'
    return set(found)


@cache
def help_of(*command):
    program = [BINARY] if command[0] == 'holdfastd' else [front.FRONT]
    return subprocess.run([*program, *command[1:], '--help'], capture_output=True, text=True, timeout=300, check=True,
                          env=inherited(HOLDFASTD=BINARY)).stdout


def code_of(text):
    """The lines of fenced and indented blocks, and what stands in backticks."""
    fences = re.findall(r'^ *```.*?\n(.*?)^ *```', text, re.M | re.S)
    rest = re.sub(r'^ *```.*?\n.*?^ *```\n', '', text, flags=re.M | re.S)
    indented = re.findall(r'^ {4,}.*', rest, re.M)
    return [line for block in fences for line in block.splitlines()] + indented + re.findall('`([^`]+)`', rest)


def commands_of(text):
    """(program, command, what stands behind it) for each use of holdfast or holdfastd."""
    for line in code_of(text):
        for use in re.finditer(r'(?:^|[\s(/])(holdfastd?) +(?!holdfast)([a-z][a-z-]*|--[a-z-]+)([^#|&;)>]*)', line):
            yield use[1], use[2], use[3]


def split_arguments(text):
    """The arguments of a call in C whose opening parenthesis was just passed."""
    arguments, depth, quoted, at = [''], 0, False, 0
    while depth >= 0:
        c = text[at]
        at += 1
        if c == '"' and text[at - 2] != '\\':
            quoted = not quoted
        depth += 0 if quoted else (c in '([{') - (c in ')]}')
        if c == ',' and depth == 0 and not quoted:
            arguments.append('')
        elif depth >= 0:
            arguments[-1] += c
    return arguments


def logged():
    """The messages that server/ and api/ log: strings that are given as the `message` of a function."""
    sources = {path: read(path) for layer in ('server', 'api') for path in sorted(glob.glob(f'{layer}/**/*.[ch]', root_dir=front.ROOT, recursive=True))}
    places = {}
    for text in sources.values():
        for function, parameters in re.findall(r'(\w+)\(([^()]*\bconst char \*message\b[^()]*)\)\s*\{', text):
            places[function] = [p.split()[-1].strip('*') for p in parameters.split(',')].index('message')
    found = set()
    for text in sources.values():
        for call in re.finditer(rf'\b({"|".join(places)})\(', text):
            arguments = split_arguments(text[call.end():])
            found.update(re.findall(r'"([^"]*)"', arguments[places[call[1]]]))
    return found


class Guide(ServerCase):
    def test_every_metric_is_explained(self):
        served = set(re.findall(r'^# TYPE (\w+)', self.server.get('/metrics').body.decode(), re.M))
        self.assertEqual(names('| metric |'), served)
        for path, text in DOCUMENTS.items():
            mentioned = {re.sub('_(bucket|sum|count)$', '', name) for name in re.findall(r'\bholdfast_\w+(?!\w|[*])', text)}
            self.assertEqual(mentioned - served, set(), path)

    def test_every_log_message_is_explained(self):
        found = logged()
        self.assertIn('backup cut off', found)
        self.assertEqual(names('| msg |'), found)
        self.assertEqual(set(re.findall('msg="([^"]*)"', GUIDE)) - found, set())

    def test_every_problem_code_exists(self):
        known = set(re.findall(r'holdfast_problems_total\{code="([^"]*)"', self.server.get('/metrics').body.decode()))
        section = DOCUMENTS['docs/monitoring.md'].split('## Problem codes')[1]
        mentioned = {word for word in re.findall('`([a-z]+-[a-z-]+|overloaded)`', section)}
        self.assertGreater(len(mentioned), 5)
        self.assertEqual(mentioned - known, set())

    def test_the_exit_statuses_are_those_of_the_help(self):
        text = ' '.join(help_of('holdfastd').split('Exit status:')[1].split()).rstrip('.')
        stated = {number: words for number, words in re.findall(r'(\d) ([^;]+)', text) if number != '0'}
        self.assertEqual({cells[0]: cells[1] for cells in rows('| status | meaning |')}, stated)
        listed = re.search('Exit status: 0 stopped, (.*?)[.]\n', DOCUMENTS['docs/running.md'], re.S)[1]
        self.assertEqual(re.findall(r'(\d)\s', listed), sorted(stated))

    def test_every_setting_is_explained(self):
        """The table has each flag of --help but two, with its variable, and its default as the help states it."""
        text = help_of('holdfastd')
        flags = {name: f'{name} {value}'.strip() for name, value in re.findall('^  (--[a-z-]+)(?: ([A-Z:]+))? ', text, re.M)
                 if name not in ('--help', '--version')}
        shown = {}
        for flag, variable, default, _ in rows('| flag | variable | default |'):
            for f, v, d in zip(*(re.findall('`([^`]+)`', cell) or [cell] for cell in (flag, variable, default))):
                shown[f.split()[0]] = (f, v, d)
        self.assertEqual({name: cells[0] for name, cells in shown.items()} | {name: name for name in ('--insecure-no-auth', '--insecure-no-tls')}, flags)
        for name, (_, variable, default) in shown.items():
            with self.subTest(name):
                self.assertEqual(variable, 'HOLDFAST_' + name[2:].upper().replace('-', '_'))
                stated = re.search(rf'^  {name} .*\(default:? (.*)\)$', text, re.M)
                if stated and re.fullmatch('[0-9a-zA-Z./:]+', default):
                    self.assertEqual(default, stated[1])

    def test_every_command_is_one_and_takes_its_options(self):
        overview, uses = help_of('holdfast'), 0
        for document, text in DOCUMENTS.items():
            for program, command, rest in commands_of(text):
                with self.subTest(document, use=f'{program} {command}{rest}'):
                    uses += 1
                    if command.startswith('--'):
                        known, rest = help_of(program), command + rest
                    elif program == 'holdfast':
                        self.assertRegex(overview, rf'(?m)^  {command} +\S')
                        known = help_of(program, command)
                    else:
                        known = help_of(program, command)
                        self.assertTrue(known.startswith(f'Usage: holdfastd {command} '), known)
                    action = re.match(r'\s+([a-z]+)\b', rest)
                    if action and command in ('leases', 'pools', 'zones'):
                        self.assertRegex(known, rf'(?m)^ +holdfast {command} \[?{action[1]}\b')
                    for option in re.findall(r'(?:^|\s)(--[a-z][a-z-]*)', rest):
                        if option not in ('--help', '--version'):
                            self.assertRegex(known, rf'{option}\b(?!-)')
        self.assertGreater(uses, 40)

    def test_options_that_stand_alone_exist(self):
        known = ''.join([help_of('holdfastd'), help_of('holdfast')] + [help_of('holdfast', command) for command in COMMANDS])
        for option in re.findall('`(--[a-z][a-z-]*)', GUIDE):
            with self.subTest(option):
                self.assertRegex(known, rf'{option}\b(?!-)')

    def test_words_with_hyphens_exist(self):
        """Settings, problem codes, outcomes: what stands in backticks alone is in some help, in the metrics, or in the API."""
        known = ' '.join([help_of('holdfastd'), *(help_of('holdfast', command) for command in COMMANDS), read('api', 'openapi.yaml'),
                          self.server.get('/metrics').body.decode()])
        for word in re.findall('`([a-z]+(?:-[a-z]+)+)`', GUIDE):
            with self.subTest(word):
                self.assertRegex(known, rf'(?<![a-z]){word}(?![a-z-])')

    def test_links_lead_somewhere(self):
        """Those between documents, to a chapter too."""
        def anchors(path):
            titles = re.findall('^#+ (.*)', re.sub('^```.*?^```$', '', read(path), flags=re.M | re.S), re.M)
            return {re.sub(r'[^\w -]', '', title.lower()).replace(' ', '-') for title in titles}
        seen = 0
        for document, text in DOCUMENTS.items():
            for target in re.findall(r'\]\(([^)]+)\)', text):
                if not re.match('https?:', target):
                    with self.subTest(document, target=target):
                        path, _, chapter = target.partition('#')
                        path = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
                        self.assertTrue(os.path.exists(os.path.join(front.ROOT, path)))
                        self.assertTrue(not chapter or chapter in anchors(path))
                        seen += 1
        self.assertGreater(seen, 60)

    def test_paths_exist(self):
        """Files and folders of the tree that stand in backticks in what contributors read."""
        for document in ('README.md', 'CONTRIBUTING.md', 'docs/architecture.md'):
            for path in re.findall(r'`((?:server|api|storage|tests|scripts|packaging|docs)/[\w./-]*)`', DOCUMENTS[document]):
                with self.subTest(document, path=path):
                    self.assertTrue(os.path.exists(os.path.join(front.ROOT, path)))

    def test_every_folder_of_a_layer_is_described(self):
        described = {path for path in re.findall(r'^\| `((?:server|api|storage)/\w+/)` \|', DOCUMENTS['docs/architecture.md'], re.M)}
        there = {f'{layer}/{name}/' for layer in ('server', 'api', 'storage') for name in os.listdir(os.path.join(front.ROOT, layer))
                 if os.path.isdir(os.path.join(front.ROOT, layer, name))}
        self.assertEqual(described, there)

    def test_functions_exist(self):
        """Those that contributors are sent to are declared in a header."""
        headers = '\n'.join(read(path) for layer in ('server', 'api', 'storage')
                            for path in glob.glob(f'{layer}/**/*.h', root_dir=front.ROOT, recursive=True))
        functions = set(re.findall(r'`(hf_\w+)\(\)`', DOCUMENTS['docs/architecture.md'] + DOCUMENTS['CONTRIBUTING.md']))
        self.assertGreater(len(functions), 15)
        for function in functions:
            with self.subTest(function):
                self.assertRegex(headers, rf'\b{function}\(')

    def test_the_readme_names_each_document(self):
        for path in PATHS:
            if path not in ('README.md', 'CHANGELOG.md'):
                self.assertIn(f']({path})', DOCUMENTS['README.md'])

    def test_plain_english(self):
        texts = {**DOCUMENTS, 'api/openapi.yaml': read('api', 'openapi.yaml'),
                 **{path: read(path) for path in glob.glob('packaging/man/*', root_dir=front.ROOT) + ['packaging/holdfastd.conf']}}
        for path, text in texts.items():
            with self.subTest(path):
                self.assertEqual([text[found.start() - 30:found.end() + 30] for found in STUMBLES.finditer(text)], [])

    def test_no_document_is_long_and_each_says_for_whom_it_is(self):
        for path, text in DOCUMENTS.items():
            with self.subTest(path):
                self.assertLessEqual(len(text.splitlines()), LINES_MAX)
                if path.startswith('docs/'):
                    self.assertRegex(text, r'\A# .*\n\nRead this ')


if __name__ == '__main__':
    unittest.main()

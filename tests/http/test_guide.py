"""The operator's guide and README say what there is: metrics, log messages, exit statuses, commands and their options."""
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


GUIDE, README = read('docs', 'operations.md'), read('README.md')
COMMANDS = sorted(name for name in os.listdir(os.path.join(front.ROOT, 'scripts', 'commands')) if '.' not in name)


def rows(head):
    """The cells of the guide's table whose head begins with these cells."""
    table = re.search(rf'^{re.escape(head)}.*\n\|[-|]+\|\n((?:\|.*\n)+)', GUIDE, re.M)
    assert table, f'the guide has no table {head}'
    return [[cell.strip() for cell in line.strip('|').split(' | ')] for line in table[1].splitlines()]


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
    sources = {path: read(path) for path in sorted(glob.glob('server/*.[ch]', root_dir=front.ROOT) + glob.glob('api/*.[ch]', root_dir=front.ROOT))}
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
        for text in (GUIDE, README):
            mentioned = {re.sub('_(bucket|sum|count)$', '', name) for name in re.findall(r'\bholdfast_\w+', text)}
            self.assertEqual(mentioned - served, set())

    def test_every_log_message_is_explained(self):
        found = logged()
        self.assertIn('backup cut off', found)
        self.assertEqual(names('| msg |'), found)
        self.assertEqual(set(re.findall('msg="([^"]*)"', GUIDE)) - found, set())

    def test_every_problem_code_exists(self):
        known = set(re.findall(r'holdfast_problems_total\{code="([^"]*)"', self.server.get('/metrics').body.decode()))
        section = GUIDE[GUIDE.index('## Problem codes'):GUIDE.index('## Moving')]
        mentioned = {word for word in re.findall('`([a-z]+-[a-z-]+|overloaded)`', section)}
        self.assertGreater(len(mentioned), 5)
        self.assertEqual(mentioned - known, set())

    def test_the_exit_statuses_are_those_of_the_help(self):
        text = ' '.join(help_of('holdfastd').split('Exit status:')[1].split()).rstrip('.')
        stated = {number: words for number, words in re.findall(r'(\d) ([^;]+)', text) if number != '0'}
        self.assertEqual({cells[0]: cells[1] for cells in rows('| status | meaning |')}, stated)

    def test_every_command_is_one_and_takes_its_options(self):
        overview, uses = help_of('holdfast'), 0
        for document, text in (('guide', GUIDE), ('README', README)):
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
        def anchor(title):
            return re.sub(r'[^\w -]', '', title.lower()).replace(' ', '-')
        for document, text in (('docs', GUIDE), ('.', README)):
            anchors = {anchor(title) for title in re.findall('^#+ (.*)', text, re.M)}
            for target in re.findall(r'\]\(([^)]+)\)', text):
                with self.subTest(target):
                    if target.startswith('#'):
                        self.assertIn(target[1:], anchors)
                    elif not target.startswith('http'):
                        self.assertTrue(os.path.exists(os.path.join(front.ROOT, document, target.split('#')[0])))


if __name__ == '__main__':
    unittest.main()

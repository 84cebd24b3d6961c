"""Command lines, good and bad."""
import unittest

import commands_path  # noqa: F401
from shared.failure import WrongArguments
from shared.options import HelpWanted, at_least_one, kind, no_dash, one_of, only, parse, split_values, whole_number

SPEC = {'values': {'--zone': None, '--limit': whole_number, '--kind': kind}, 'flags': ('--json', '--yes'), 'is_word': no_dash, 'noun': 'option'}


class Options(unittest.TestCase):
    def wrong(self, words, *arguments, **spec):
        with self.assertRaises(WrongArguments) as caught:
            parse(list(arguments), **(spec or SPEC))
        self.assertEqual((caught.exception.words, caught.exception.status), (words, 2))

    def test_options_and_words_in_any_order(self):
        for line in ('a --zone east b --limit 007 --json', '--limit=007 --zone=east --json a b', '--json a b --zone=west --zone east --limit 7'):
            options = parse(line.split(), **SPEC)
            self.assertEqual((options.words, options.get('--zone'), options.get('--limit'), '--json' in options, '--yes' in options),
                             (['a', 'b'], 'east', 7, True, False), line)
        self.assertEqual(options.all('--zone'), ['west', 'east'])
        self.assertEqual((options.word(1), options.word(2), options.get('--kind', 'none')), ('b', '', 'none'))

    def test_a_value_may_begin_with_a_dash_and_a_word_be_empty(self):
        self.assertEqual(parse(['--zone', '--json', ''], **SPEC).pairs, [('--zone', '--json')])
        self.assertEqual(parse([''], **SPEC).words, [''])

    def test_what_is_wrong(self):
        self.wrong('--zone: a value is missing', '--zone')
        self.wrong('--zone: a value is missing', '--zone', '')
        self.wrong('--zone: a value is missing', '--zone=')
        self.wrong('--json takes no value', '--zone', 'x', '--json=yes')
        self.wrong('--help takes no value', '--help=1')
        self.wrong('--limit: "-1" is not a whole number', '--limit', '-1')
        self.wrong('--limit: "٣" is not a whole number', '--limit', '٣')
        self.wrong('--limit: "1234567890123456789" is too large', '--limit', '1234567890123456789')
        self.wrong('--kind: "x" is not one of MeshService MeshExternalService MeshMultiZoneService', '--kind', 'x')
        for argument in ('--bogus', '-x', '-', '--'):
            self.wrong(f'unknown option "{argument}"', argument)
        self.wrong('unknown argument "word"', 'word', flags=('--json',))

    def test_the_first_thing_that_is_wrong_is_said(self):
        self.wrong('unknown option "--bogus"', '--bogus', '--limit', 'x', '--help')
        with self.assertRaises(HelpWanted):
            parse(['--zone', 'x', '-h', '--bogus'], **SPEC)

    def test_a_short_form_is_named_as_it_was_given(self):
        spec = {'values': {'--limit': whole_number}, 'flags': ('--follow',), 'aliases': {'-f': '--follow', '-n': '--limit'}}
        self.assertIn('--follow', parse(['-f'], **spec))
        self.wrong('-n: "x" is not a whole number', '-n', 'x', **spec)

    def test_two_dashes(self):
        self.assertEqual(split_values(['--a=b', '--', '--c=d'], ()), ['--a', 'b', '--', '--c=d'])
        spec = {'flags': ('--json', '--'), 'is_word': no_dash}
        options = parse(['x', '--json', '--', '--json', '-b'], **spec)
        self.assertEqual((options.words, options.names()), (['x', '--json', '-b'], ['--json']))

    def test_checks(self):
        self.assertEqual((at_least_one('--n', '3'), one_of('a', 'b')('--o', 'b')), (3, 'b'))
        for check, text in ((at_least_one, '0'), (one_of('a', 'b'), 'c')):
            with self.assertRaises(WrongArguments):
                check('--n', text)
        options = parse(['a', '--yes', '--json'], **SPEC)
        only(options, ('--yes',), 'show')
        with self.assertRaisesRegex(WrongArguments, '^--yes does not go with show$'):
            only(options, (), 'show')
        options.no_more_words(1)
        with self.assertRaisesRegex(WrongArguments, '^"a" is one argument too many$'):
            options.no_more_words(0)


if __name__ == '__main__':
    unittest.main()

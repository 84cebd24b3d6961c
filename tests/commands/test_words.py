"""Values as people read them."""
import unittest

import commands_path  # noqa: F401
from shared import words


class Words(unittest.TestCase):
    def test_members(self):
        self.assertEqual(words.at({'a': {'b': 1}}, 'a', 'b'), 1)
        for value in ({}, {'a': None}, None, {'a': {}}):
            self.assertIsNone(words.at(value, 'a', 'b'))
        for value in (1, {'a': 'x'}, []):
            with self.assertRaises(TypeError):
                words.at(value, 'a', 'b')

    def test_text_and_cells(self):
        self.assertEqual([words.text(value) for value in ('a', 1, None, True, [1, 'ü'], 1.5)], ['a', '1', 'null', 'true', '[1,"ü"]', '1.5'])
        self.assertEqual(words.row(['a\tb\nc\\', None, '', 0, False]), ['a\\tb\\nc\\\\', '-', '-', '0', 'false'])
        self.assertEqual(words.cells([None, '']), ['', ''])
        for value in ([], {}):
            with self.assertRaises(TypeError):
                words.row([value])

    def test_times_and_numbers(self):
        self.assertEqual(words.time('2026-01-31T12:00:00.123Z'), '2026-01-31T12:00:00Z')
        self.assertIsNone(words.time(None))
        self.assertEqual([words.many(n, 'lease') for n in (0, 1, 2)], ['0 leases', '1 lease', '2 leases'])
        self.assertEqual([words.duration(s) for s in (0, 59, 60, 90, 3600, 5400, 86400, 90000, 172800)],
                         ['0s', '59s', '1m', '90s', '1h', '90m', '1d', '25h', '2d'])

    def test_lists(self):
        self.assertEqual((words.ips(None), words.ips([]), words.ips([{'ip': 'a'}, {'ip': 'b'}])), ('', '', 'a,b'))
        self.assertEqual((words.joined([]), words.joined(['a', 1, None])), ('', 'a, 1, '))

    def test_uri(self):
        self.assertEqual(words.uri('a-._~Z9/ %?#é\udcff'), 'a-._~Z9%2F%20%25%3F%23%C3%A9%FF')


if __name__ == '__main__':
    unittest.main()

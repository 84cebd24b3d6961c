"""What is written, and what a terminal never sees."""
import json
import os
import unittest
from unittest import mock

import commands_path  # noqa: F401
from shared import screen
from shared.failure import Ended, Failure

TRICKY = 'a\x00\x1b\x7f\u009b\u061c\u200e\u202e\u2066\u2028b'


class Screen(unittest.TestCase):
    def setUp(self):
        """Standard output is a pipe for the test."""
        self.stdout = os.dup(1)
        self.reader, writer = os.pipe()
        os.dup2(writer, 1)
        os.close(writer)
        self.addCleanup(os.close, self.reader)
        self.addCleanup(self.restore)

    def restore(self):
        screen._pending.clear()
        os.dup2(self.stdout, 1)
        os.close(self.stdout)

    def written(self):
        screen.flush()
        return os.read(self.reader, 1 << 20).decode()

    def test_plain_and_escaped(self):
        self.assertEqual(screen.plain(TRICKY + '\t\n\\'), 'a' + '?' * 9 + 'b\t\n\\')
        self.assertEqual(screen.one_line('a\tb\nc\rd'), 'a?b?c?d')
        text = screen.escaped(screen.to_json(TRICKY))
        self.assertEqual(json.loads(text), TRICKY)
        self.assertEqual(screen.plain(text), text)

    def test_a_line_that_is_drawn_again(self):
        """Whatever is written next begins at its place, or after it."""
        written = []
        with mock.patch.object(screen, '_write_all', lambda _, data: written.append(data)):
            screen.redraw('a\r\nb')
            screen.redraw('c')
            screen.say('d', '')
            screen.redraw('e')
            screen.end_redraw()
            screen.end_redraw()
            screen.say('f', '')
        self.assertEqual(b''.join(written), b'a??b\r\x1b[Kc\r\x1b[Kholdfast: d\ne\nholdfast: f\n')

    def test_what_cannot_be_utf_8(self):
        self.assertEqual(screen.encoded('a\udcff'), b'a\xff')
        self.assertEqual(screen.encoded('a\ud800'), b'a?')

    def test_a_table_aligns_and_batches_fit(self):
        table = screen.Table()
        table.put([['HEAD', 'B', 'C'], ['é', '', 'x\x1b']])
        table.put([['longer than the head', 'b', ''], ['', '', 'c']])
        table.put([['a'], []])
        self.assertEqual(self.written(), 'HEAD  B  C\né        x?\nlonger than the head  b\n                         c\na\n\n')

    def test_minima(self):
        table = screen.Table((6, 3))
        table.put([['a', 'b', 'c']])
        self.assertEqual(self.written(), 'a       b    c\n')

    def test_json(self):
        screen.put_json({'b': [], 'a': {'ü': None}}, lines=True)
        screen.put_json({'b': [], 'a': [1]})
        self.assertEqual(self.written(), '{"b":[],"a":{"ü":null}}\n{\n  "b": [],\n  "a": [\n    1\n  ]\n}\n')

    def test_much_is_written_before_the_end(self):
        screen.put('x' * 65530)
        self.assertEqual(len(screen._pending), 1)
        os.set_blocking(self.reader, False)
        with self.assertRaises(BlockingIOError):
            os.read(self.reader, 1)
        screen.put('y' * 6)
        self.assertEqual((len(os.read(self.reader, 1 << 20)), screen._pending), (65536, []))

    def test_a_reader_that_left_and_an_output_that_fails(self):
        full = os.open('/dev/full', os.O_WRONLY)
        os.dup2(full, 1)
        os.close(full)
        screen.put('x')
        with self.assertRaisesRegex(Failure, 'the output cannot be written') as caught:
            screen.flush()
        self.assertEqual(caught.exception.status, 2)
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
        os.close(writer)
        screen.put('x')
        with self.assertRaises(Ended) as caught:
            screen.flush()
        self.assertEqual(caught.exception.status, 141)
        screen.flush()  # nothing is written twice


if __name__ == '__main__':
    unittest.main()

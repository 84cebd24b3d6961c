"""The file of a backup: its digest, its name, and which ones go."""
import hashlib
import os
import random
import shutil
import tempfile
import unittest
from unittest import mock

import commands_path  # noqa: F401
import backup


class Backup(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content='x'):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(content)
        return self.path(name)

    def test_the_digest_at_its_end(self):
        data = bytes(range(256)) * 40
        for content, good in ((data + hashlib.sha256(data).digest(), True), (data + hashlib.sha256(data + b'x').digest(), False), (data, False),
                              (hashlib.sha256(b'').digest(), True), (b'', False), (b'short', False)):
            copy = backup.new_copy(self.directory)
            at = 0
            while at < len(content):
                size = random.choice((1, 7, 31, 32, 33, 1000))
                copy.write(content[at:at + size])
                at += size
            copy.close()
            self.assertEqual(copy.digest(), hashlib.sha256(content[:-32]).hexdigest() if good else '')
            with open(copy.path, 'rb') as file:
                self.assertEqual((file.read(), copy.bytes, os.stat(copy.path).st_mode & 0o777), (content, len(content), 0o600))

    def test_nothing_is_replaced(self):
        for links in (True, False):
            with mock.patch('os.link', os.link if links else mock.Mock(side_effect=PermissionError)):
                names = [backup.place(self.write('new', str(i)), self.directory, f'b{links}') for i in range(3)]
            self.assertEqual(names, [self.path(f'b{links}{end}.backup') for end in ('', '-2', '-3')])
            for i, name in enumerate(names):
                with open(name, encoding='utf-8') as file:
                    self.assertEqual(file.read(), str(i))
            self.assertFalse(os.path.exists(self.path('new')))

    def test_a_name_that_leads_nowhere_is_taken(self):
        os.symlink('nowhere', self.path('a.backup'))
        self.assertEqual(backup.place(self.write('new'), self.directory, 'a'), self.path('a-2.backup'))
        self.assertEqual(os.readlink(self.path('a.backup')), 'nowhere')

    def test_the_newest_are_those_of_the_highest_revision(self):
        newest = ['holdfast-0123abcd-20200101T000000Z-r10.backup', 'holdfast-0123abcd-20991231T235959Z-r9.backup',
                  'holdfast-0123abcd-20200101T000000Z-r9-10.backup', 'holdfast-0123abcd-20200101T000000Z-r9-9.backup',
                  'holdfast-0123abcd-20200101T000000Z-r9.backup']
        others = ['holdfast-00000000-20200101T000000Z-r9.backup', 'holdfast-0123abcd-x\ny-r1.backup', 'holdfast-0123abcd-20200101T000000Z-r9xbackup',
                  'x-holdfast-0123abcd-20200101T000000Z-r9.backup', 'holdfast-0123abcd-20200101T000000Z-r9.backup\n']
        names = newest + others
        random.shuffle(names)
        self.assertEqual(backup.ranked(names, '0123abcd' * 4), newest)
        for name in names:
            self.write(name)
        taken = self.path(newest[3])
        removed = backup.rotate(self.directory, taken, '0123abcd' * 4, 2)
        self.assertEqual(removed, [self.path(name) for name in newest[1:3] + newest[4:]])
        self.assertEqual(set(os.listdir(self.directory)), {newest[0], newest[3], *others})

    def test_remains(self):
        old = [self.write('.holdfast-backup.dead01'), self.write('.holdfast-backup.dead01.head')]
        kept = [self.write('.holdfast-backup.alive1'), self.write('other')]
        for path in old + kept[1:]:
            os.utime(path, (1000, 1000))
        os.utime(kept[0], (1000, 2000))
        backup.clear_remains(self.directory, 1000 + backup.ABANDONED_S + 1)
        self.assertEqual(sorted(os.listdir(self.directory)), sorted(map(os.path.basename, kept)))


if __name__ == '__main__':
    unittest.main()

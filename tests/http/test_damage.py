"""Database files damaged at random: whatever is wrong with one, a command that reads or repairs it says so, and never dies of it."""
import concurrent.futures
import os
import random
import shutil
import struct
import subprocess
import unittest

from harness import BINARY, config, fill, inherited, lease_path
from test_backup import Case

SEED = int(os.environ.get('DAMAGE_SEED', '1'))
COPIES = int(os.environ.get('DAMAGE_COPIES', '200'))
PAGE, HEADER, NODE, META = 4096, 16, 8, 152
BRANCH, LEAF, LARGE = 1, 2, 4
TREE = 48


class Damage:
    """Ways to damage the pages that trees have, or had."""

    def __init__(self, rng, data):
        self.rng, self.data = rng, data
        self.pages = [p for p in range(2, len(data) // PAGE) if self.kind_of(p) in (BRANCH, LEAF, LARGE)]
        self.ways = (self.any_bit, self.head, self.meta, self.bytes, self.bound, self.offset, self.node, self.child, self.tree,
                     self.large, self.copy)

    def kind_of(self, page):
        return self.short(page * PAGE + 10)

    def short(self, at):
        return struct.unpack_from('=H', self.data, at)[0]

    def flip(self, at):
        self.data[min(at, len(self.data) - 1)] ^= 1 << self.rng.randrange(8)

    def page(self, *kinds):
        return PAGE * self.rng.choice([p for p in self.pages if not kinds or self.kind_of(p) in kinds] or self.pages)

    def offset_at(self):
        """Where a page says where one of its nodes lies."""
        page = self.page(BRANCH, LEAF)
        nodes = max(1, min(self.short(page + 12) - HEADER, PAGE - HEADER) // 2)
        return page, page + HEADER + 2 * self.rng.randrange(nodes)

    def node_at(self):
        page, at = self.offset_at()
        return page + min(self.short(at), PAGE - NODE)

    def any_bit(self):
        self.flip(self.rng.randrange(len(self.data)))

    def head(self):
        self.flip(self.page() + self.rng.randrange(HEADER))

    def meta(self):
        self.flip(PAGE * self.rng.randrange(2) + self.rng.randrange(META))

    def bytes(self):
        n = self.rng.choice((1, 2, 4, 8, 64, PAGE))
        at = self.page() + self.rng.randrange(PAGE - n + 1)
        self.data[at:at + n] = self.rng.choice((b'\0', b'\xff')) * n

    def bound(self):
        """The page's flags, or where its free room begins or ends."""
        value = self.rng.choice((0, 1, 2, 4, HEADER, HEADER + 2, HEADER + 4, PAGE - 2, PAGE, PAGE + 2, self.rng.randrange(65536)))
        struct.pack_into('=H', self.data, self.page() + self.rng.choice((10, 12, 14)), value)

    def offset(self):
        struct.pack_into('=H', self.data, self.offset_at()[1], self.rng.randrange(self.rng.choice((PAGE, 65536))))

    def node(self):
        self.flip(self.node_at() + self.rng.randrange(NODE))

    def child(self):
        struct.pack_into('=I', self.data, self.node_at(), self.rng.randrange(len(self.data) // PAGE + 2))

    def tree(self):
        """The record of a table's tree, behind its name."""
        name = self.rng.choice((b'addresses', b'changes', b'deadlines', b'history', b'leases'))
        at = self.data.rfind(struct.pack('=H', len(name)) + name)
        self.flip(at - 6 + self.rng.randrange(NODE + len(name) + TREE) if at >= 0 else self.rng.randrange(len(self.data)))

    def large(self):
        self.flip(self.page(LARGE) + HEADER + self.rng.randrange(64))

    def copy(self):
        """A page written in another's place, with or without its number."""
        to, source = self.page(), self.page()
        self.data[to:to + PAGE] = self.data[source:source + PAGE]
        if self.rng.random() < 0.7:
            struct.pack_into('=Q', self.data, to, to // PAGE)

    def some(self):
        for _ in range(self.rng.choice((1, 1, 1, 2, 4))):
            self.rng.choice(self.ways)()


class Damaged(Case):
    def make(self):
        """The bytes of a store with a branch in most trees, a large value, and free pages; and an export of it."""
        server = self.server()
        fill(server, (f's{i}' for i in range(300)), body=config())
        reserved = [f'fd00::{16 * i:x}-fd00::{16 * i + 3:x}' for i in range(120)]
        self.assertEqual(server.put('/v1/pools/large', {'cidrs': ['fd00::/64'], 'reserved': reserved}).status, 201)
        for i in range(0, 300, 4):
            self.assertEqual(server.delete(lease_path(f's{i}') + '?purge=true', check=False).status, 200)
        server.stop()
        export = self.path('export.ndjson')
        self.assertOffline(0, 'export', server.data_dir, '--output', export)
        with open(os.path.join(server.data_dir, 'data.mdb'), 'rb') as file:
            return file.read(), export

    def end(self, *args):
        """The exit status of a command, and what it says; its words may hold bytes of the file."""
        options = f"""log_path="{self.path('sanitizer')}":exitcode=99"""
        run = subprocess.run([BINARY, *args], env=inherited(ASAN_OPTIONS=options, UBSAN_OPTIONS=options + ':halt_on_error=1'),
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)
        return run.returncode, run.stderr.decode(errors='replace')[-200:]

    def run_copy(self, i, sound, export):
        """Damages copy `i`, and tells how verify and one more command end."""
        data, directory = bytearray(sound), self.path(f'damaged-{i}')
        Damage(random.Random(f'{SEED} {i}'), data).some()
        os.mkdir(directory)
        with open(os.path.join(directory, 'data.mdb'), 'wb') as file:
            file.write(data)
        more = (('export', directory), ('repair', '--data-dir', directory, '--apply'),
                ('import', '--data-dir', directory, '--on-conflict', 'keep', export))[i % 3]
        ends = [(i, command[0], *self.end(*command)) for command in (('verify', directory), more)]
        shutil.rmtree(directory)
        return ends

    def test_no_command_dies_of_a_damaged_file(self):
        sound, export = self.make()
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            ends = [end for ends in pool.map(lambda i: self.run_copy(i, sound, export), range(COPIES)) for end in ends]
        self.assertEqual([end for end in ends if end[2] not in (0, 1, 2)], [], f'seed {SEED}')
        self.assertEqual([name for name in os.listdir(self.root) if name.startswith('sanitizer')], [])
        found = sum(end[1] == 'verify' and end[2] != 0 for end in ends)
        self.assertGreater(found, COPIES // 2)


if __name__ == '__main__':
    unittest.main()

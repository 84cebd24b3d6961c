"""The front command: changes, followed across restarts and restores, and completion in bash."""
import json
import os
import random
import shutil
import tempfile
import unittest

import front
from front import Fake, Following, complete, run
from harness import Server, ServerCase, config, eventually, lease_path

HEAD = ['REVISION', 'TIME', 'TYPE', 'CAUSE', 'BY', 'KIND', 'MESH/ZONE/SERVICE', 'VIPS']


class Changes(ServerCase):
    def changes(self, *args):
        result = run('changes', *args, '--json', server=self.server)
        self.assertEqual((result.status, result.err), (0, ''), result)
        return result.ndjson()

    def test_the_newest_are_shown_unless_told_otherwise(self):
        for i in range(30):
            self.server.put(lease_path(f'newest-{i}', 'many'), config())
        last = self.server.put(lease_path('alone', 'quiet', mesh='m'), config()).json()['revision']
        self.server.put('/v1/pools/written', {'cidrs': ['10.0.0.0/24']})
        table = run('changes', server=self.server).table()
        self.assertEqual((table[0], len(table)), (HEAD, 21))
        self.assertEqual(table[-2][2:], ['acquired', 'request', 'anonymous', 'MeshService', 'm/quiet/alone', '241.0.0.30'])
        self.assertEqual(table[-1][2:], ['pool-written', 'request', 'anonymous', 'pool', 'written', '-'])
        for args, revisions in ((['--limit', '2'], [last, last + 1]), (['--since', last - 1], [last, last + 1]), 
                                (['--since', '0', '--limit', '3'], [1, 2, 3]), (['--since', '0', '--zone', 'quiet'], [last]),
                                (['--mesh', 'm'], [last]), (['--zone=many', '--limit', '2'], [last - 2, last - 1]),
                                (['--kind', 'MeshExternalService'], []), (['--since', last + 1], []),
                                (['--since', '0', '--limit', '9999'], list(range(1, last + 2)))):
            self.assertEqual([change['revision'] for change in self.changes(*args)], revisions, args)
        self.assertEqual(run('changes', '--since', last + 1, server=self.server).table(), [HEAD])
        self.assertIn('at least 1', run('changes', '--limit', '0', server=self.server).err)
        result = run('changes', '--since', last + 5, server=self.server)
        self.assertEqual((result.status, result.out), (1, ''), result)
        self.assertIn('holdfast changes: invalid-parameter: ', result.err)

    def test_what_is_compacted_is_said(self):
        server = Server('--changes-max', '10')
        self.addCleanup(server.close)
        for i in range(20):
            server.put(lease_path(f's{i}'), config())
        self.assertEqual(len(run('changes', '--zone', 'east', '--json', server=server).ndjson()), 10)
        result = run('changes', '--since', '1', server=server)
        self.assertEqual(result.status, 1)
        self.assertIn('holdfast changes: revision-compacted: ', result.err)
        following = Following('changes', '--follow', '--since', '1', server=server)
        self.addCleanup(following.stop)
        eventually(lambda: following.err)
        self.assertRegex(following.err[0], 'revision-compacted: .* list the leases again; going on from revision 23')
        server.put(lease_path('later'), config())
        eventually(lambda: any('east/later' in line for line in following.out))


class Follow(unittest.TestCase):
    def test_it_sees_a_change_and_goes_on_after_a_restart(self):
        # An address of its own, so that nobody else takes the port while the server is away.
        server = Server('--listen', f'127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}:8241')
        self.addCleanup(server.close)
        server.put(lease_path('before'), config())
        table = Following('changes', '--follow', '--limit', '1', server=server)
        self.addCleanup(table.stop)
        lines = Following('changes', '--follow', '--since', '3', '--zone', 'east', '--json', server=server)
        self.addCleanup(lines.stop)
        eventually(lambda: len(table.out) == 2 and len(lines.out) == 1)
        server.put(lease_path('one'), config())
        server.put(lease_path('two', 'west'), config())
        eventually(lambda: len(table.out) == 4 and len(lines.out) == 2)
        server.stop()
        eventually(lambda: table.err and lines.err)
        server.start()
        server.put(lease_path('three'), config())
        eventually(lambda: len(table.out) == 5 and len(lines.out) == 3)
        self.assertEqual([line.split()[6] for line in table.out[1:]],
                         ['default/east/before', 'default/east/one', 'default/west/two', 'default/east/three'])
        self.assertEqual([json.loads(line)['service'] for line in lines.out], ['before', 'one', 'three'])
        for following in (table, lines):
            self.assertIn('cannot be reached', following.err[0])
            self.assertEqual(following.err[1:], ['holdfast changes: the server is back'])
            following.stop()
            self.assertEqual(following.child.returncode, 130)

    def follow_fake(self, after):
        """Follows a server whose answers become `after`; what it says."""
        status = {'revision': 5, 'compactedRevision': 0, 'storeId': 'a', 'storeEpoch': 1}
        answers = {'/v1/status': status, '/v1/changes': {'changes': [], 'revision': 5, 'storeEpoch': 1}}
        fake = Fake(answers)
        self.addCleanup(fake.close)
        following = Following('changes', '--follow', '--limit', '0', server=fake)
        self.addCleanup(following.stop)
        eventually(lambda: any(target.startswith('/v1/changes') for _, target, *_ in fake.seen))
        answers.update(after)
        eventually(lambda: any('list the leases again' in line for line in following.err))
        since = f"since={after['/v1/status']['revision']}&"
        eventually(lambda: any(since in target for _, target, *_ in fake.seen))
        following.stop()
        return '\n'.join(following.err)

    def test_a_restored_store_is_noticed(self):
        status = {'revision': 4294967301, 'compactedRevision': 4294967300, 'storeId': 'a', 'storeEpoch': 2}
        said = self.follow_fake({'/v1/status': status, '/v1/changes': {'changes': [], 'revision': 4294967301, 'storeEpoch': 2}})
        self.assertIn('restored from a backup (store epoch 1, now 2)', said)

    def test_an_older_copy_is_noticed(self):
        status = {'revision': 4, 'compactedRevision': 0, 'storeId': 'a', 'storeEpoch': 1}
        said = self.follow_fake({'/v1/status': status, '/v1/changes': (400, '{"code":"invalid-parameter","detail":"ahead"}')})
        self.assertIn('the store is at revision 4, before 5', said)

    def test_another_store_is_noticed(self):
        status = {'revision': 9, 'compactedRevision': 8, 'storeId': 'b', 'storeEpoch': 1}
        self.assertIn('another store', self.follow_fake({'/v1/status': status, '/v1/changes': (410, '{}')}))

    def test_a_refusal_ends_it(self):
        fake = Fake({'/v1/status': {'revision': 5, 'compactedRevision': 0, 'storeId': 'a', 'storeEpoch': 1},
                     '/v1/changes': (403, '{"code":"forbidden","detail":"not you"}')})
        self.addCleanup(fake.close)
        result = run('changes', '--follow', '--since', '5', server=fake)
        self.assertEqual((result.status, result.err), (1, 'holdfast changes: forbidden: not you\n'))


class Completion(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put(lease_path('redis', 'east'), config())
        cls.server.put(lease_path('web', 'west'), config())

    def offered(self, *words, **more):
        return complete(*words, server=self.server, **more)

    def test_commands_and_subcommands(self):
        self.assertLessEqual({'changes', 'help', 'leases', 'pools', 'status', 'zones', '--help'}, set(self.offered('')))
        self.assertEqual(self.offered('zo'), ['zones'])
        self.assertEqual(self.offered('help', 'zo'), ['zones'])
        self.assertEqual(self.offered('zones', ''), ['list', 'offline', 'rename', 'retire', 'show'])
        self.assertEqual(self.offered('pools', 'd'), ['delete', 'drain'])
        self.assertEqual(self.offered('leases', 'p'), ['purge'])

    def test_options(self):
        self.assertEqual(self.offered('status', '-'), ['--help', '--json'])
        self.assertEqual(self.offered('zones', 'offline', 'east', '--'), ['--help', '--json', '--yes'])
        self.assertEqual(self.offered('leases', 'show', 'east', 'redis', '--json', '--'), ['--help', '--kind', '--mesh'])
        self.assertEqual(self.offered('pools', 'create', 'p', '--cidr', '10.0.0.0/8', '--c'), ['--cidr'])
        self.assertEqual(self.offered('pools', 'create', 'p', '--strategy', ''), ['hashed', 'sequential'])
        self.assertEqual(self.offered('leases', '--state', 'q'), ['quarantined'])
        self.assertEqual(self.offered('changes', '--kind', 'MeshM'), ['MeshMultiZoneService'])

    def test_values_behind_an_equals_sign(self):
        for words, expected in ((['changes', '--zone', '=', 'w'], ['west']), (['changes', '--zone', '='], ['east', 'west']),
                                (['changes', '--zone', '=', ''], ['east', 'west']), (['changes', '--zone=w'], ['--zone=west']),
                                (['leases', '--state=q'], ['--state=quarantined']), (['leases', '--zone', '=', 'west', ''], ['web']),
                                (['leases', '--zone=west', ''], ['web']), (['leases', '--zone=west', '--state', ''], ['active', 'quarantined']),
                                (['status', '--json', '='], []), (['status', '--json=x'], []), (['leases', '--zone', '=', 'west', '--po'], ['--pool'])):
            self.assertEqual(self.offered(*words), expected, words)

    def test_names_from_the_server(self):
        self.assertEqual(self.offered('zones', 'show', ''), ['east', 'west'])
        self.assertEqual(self.offered('changes', '--zone', 'w'), ['west'])
        self.assertEqual(self.offered('pools', 'edit', 'meshs'), ['meshservice'])
        self.assertEqual(self.offered('leases', 'release', 'east', ''), ['redis'])
        self.assertEqual(self.offered('leases', '--zone', 'west', ''), ['web'])
        self.assertEqual(complete('zones', 'show', '', server='http://127.0.0.1:1'), [])

    def test_nothing_is_evaluated(self):
        names = ['$(touch bad)', '`touch bad`', 'a[$(touch bad)]', "x';touch bad;'", 'fine']
        fake = Fake({'/v1/zones': {'items': [{'zone': name} for name in names]}})
        self.addCleanup(fake.close)
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.assertEqual(complete('zones', 'show', '', server=fake, cwd=folder), ['fine'])
        for word in names[:4]:
            for words in ((word, ''), ('zones', word, ''), ('leases', 'show', word, ''), ('leases', '--zone', word, ''),
                          ('zones', 'show', word)):
                complete(*words, server=fake, cwd=folder)
        self.assertEqual(os.listdir(folder), [])

    def test_a_new_command_needs_nothing_but_its_help(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        shutil.copytree(os.path.join(front.ROOT, 'scripts', 'commands'), os.path.join(folder, 'commands'))
        for name, usage in (('restore', 'FILE [--data-dir DIR] [--other-store] [--json]'),
                            ('move_it', '[OPTION…] FILE…\n\n  --from DIR   where from')):
            with open(os.path.join(folder, 'commands', f'{name}.py'), 'w', encoding='utf-8') as file:
                file.write(f'"""Made up"""\nfrom shared.options import parse\nUSAGE = \'\'\'Usage: holdfast {name.replace("_", "-")} {usage}\n\'\'\'\nmain = parse\n')
        shutil.copy(front.FRONT, folder)
        open(os.path.join(folder, 'a.json'), 'w', encoding='utf-8').close()
        program = os.path.join(folder, 'holdfast')
        for words, expected in ((['rest'], ['restore']), (['restore', 'a'], ['a.json']), (['restore', '--d'], ['--data-dir']),
                                (['restore', '--data-dir', 'c'], ['commands']), (['move-it', 'x', 'y', 'a'], ['a.json']),
                                (['move-it', '--f'], ['--from']), (['move-it', '--from', 'c'], ['commands'])):
            self.assertEqual(complete(*words, server=self.server, cwd=folder, program=program), expected, words)


if __name__ == '__main__':
    unittest.main()

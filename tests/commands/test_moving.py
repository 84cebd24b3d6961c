"""Moves, transfers and renames: what is asked for, and what is said of it."""
import os
import tempfile
import unittest
from unittest import mock

import commands_path  # noqa: F401
import zones
from moving import move, rename, transfer
from scripted import Script, ok, problem
from shared.failure import Failure, WrongArguments
from shared.lease import tag_of, target_of
from shared.options import no_dash, overlap, parse, percentage
from shared.server import Server

VALUES = dict.fromkeys(('--address', '--pool', '--if-match', '--mesh', '--kind'))


def options(*arguments):
    return parse(list(arguments), {**VALUES, '--overlap': overlap}, ('--force', '--yes', '--json', '--dry-run'), is_word=no_dash)


def lease(*vips, pool='old', **more):
    return {'kind': 'MeshService', 'mesh': 'm', 'zone': 'z', 'service': 's', 'pool': pool, 'vips': [{'ip': vip} for vip in vips], 'state': 'active', **more}


def item(service='a', to='b'):
    return b'{"from":{"mesh":"m","zone":"z","service":"%s"},"to":{"mesh":"m","zone":"z","service":"%s"}}' % (service.encode(), to.encode())


class Move(unittest.TestCase):
    def test_the_request(self):
        self.assertEqual(move.query_of(options('--address', 'fd00::1', '--pool', 'p', '--address', '10.0.0.1', '--overlap', '2h', '--force')),
                         '?address=fd00%3A%3A1&address=10.0.0.1&pool=p&overlap=7200s&force=true')
        self.assertEqual(move.query_of(options()), '?overlap=0s')
        for tag, header in (('17', '"17"'), ('"17-ab"', '"17-ab"'), ('*', '*'), ('W/"1"', 'W/"1"')):
            self.assertEqual(move.condition(options('--if-match', tag)), {'If-Match': header})
        self.assertEqual(move.condition(options()), {})

    def test_what_it_did(self):
        before = lease('10.0.0.1', 'fd00::1')
        kept = {'previousVips': [{'ip': '10.0.0.1', 'until': '2026-01-01T00:00:00.000Z'}]}
        for after, lines in ((lease('10.0.0.1', 'fd00::1'), ['s of zone z is at 10.0.0.1,fd00::1 already, in pool old; nothing was changed']),
                             (lease('11.0.0.1', 'fd00::1', pool='new', **kept),
                              ['moved: s of zone z from 10.0.0.1,fd00::1 to 11.0.0.1,fd00::1, in pool new', '10.0.0.1 works as well until 2026-01-01T00:00:00Z at the earliest']),
                             (lease('11.0.0.1'), ['moved: s of zone z from 10.0.0.1,fd00::1 to 11.0.0.1, in pool old', '10.0.0.1, fd00::1 no longer belongs to it'])):
            self.assertEqual(move.words_of(before, after), lines)

    def test_times_and_shares(self):
        self.assertEqual((overlap('--overlap', '366d'), overlap('--overlap', '0'), percentage('--max-release', '100')), (366 * 86400, 0, 100))
        for check, text in ((overlap, '367d'), (overlap, '1w'), (overlap, '-1'), (percentage, '101'), (percentage, 'x')):
            with self.assertRaises(WrongArguments):
                check('--x', text)

    def test_names(self):
        self.assertEqual(target_of('z/', 'm', 'MeshExternalService', 'a b'), '/v1/meshes/m/zones/z%2F/externalservices/a%20b')
        self.assertEqual((tag_of({'revision': 7}), tag_of({'revision': 7, 'version': 'v1'})), ('7', '7-3bfc2695'))


class Transfer(unittest.TestCase):
    def test_both_forms(self):
        for data, media, count in ((b'{"items":[' + item() + b']}', transfer.JSON, 1), (item(), transfer.NDJSON, 1),
                                   (item() + b'\n\n' + item('c', 'd') + b'\n', transfer.NDJSON, 2)):
            batch = transfer.parse_batch(data, 'f')
            self.assertEqual((batch.body, batch.media, len(batch.items)), (data, media, count))

    def test_what_is_none(self):
        for data, words in ((b'', 'f: it has no items'), (b'{"items":[]}', 'f: it has no items'), (b'{"items":1}', 'f: "items" is not an array'),
                            (b'{"items":[1]}', 'f, number 1 of "items": it is not {"from":{…},"to":{…}}'), (item() + b'\n{', 'f, line 2: it is not JSON'),
                            (b'\n{"from":{}}', 'f, line 2: it is not {"from":{…},"to":{…}}'), (b'[' + item() + b']', 'f, line 1: it is not {"from"'),
                            (b'[' * 100000, 'f, line 1: it is not JSON'), (b'\xff\x00', 'f, line 1: it is not JSON')):
            with self.assertRaises(Failure) as caught:
                transfer.parse_batch(data, 'f')
            self.assertEqual((caught.exception.status, caught.exception.words[:len(words)]), (2, words))

    def test_too_many(self):
        with mock.patch.object(transfer, 'ITEMS_MAX', 2):
            transfer.parse_batch(b'\n'.join([item()] * 2), 'f')
            with self.assertRaisesRegex(Failure, r'^f: it has 3 items, and one transfer takes 2\. Several transfers are not atomic together'):
                transfer.parse_batch(b'\n'.join([item()] * 3), 'f')

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'f')
            with self.assertRaisesRegex(Failure, '^.*f: it cannot be read: No such file or directory$'):
                transfer.read_batch(path)
            with self.assertRaisesRegex(Failure, 'cannot be read: Is a directory'):
                transfer.read_batch(folder)
            with open(path, 'wb') as file:
                file.write(item())
            self.assertEqual(transfer.read_batch(path).body, item())

    def test_words(self):
        batch = transfer.parse_batch(item() + b'\n' + item('c', 'd'), 'f')
        self.assertEqual(transfer.question(batch), 'Transfer 2 leases, the first of them a of zone z, mesh m, to b of zone z, mesh m? The addresses go along; '
                                                   'the old names have none then.')
        self.assertEqual(transfer.who({'kind': 'MeshExternalService', 'mesh': 'm', 'zone': 'z', 'service': 's'}), 'MeshExternalService s of zone z, mesh m')
        self.assertEqual(transfer.summary({'transferred': 1, 'dryRun': False, 'revision': 7}), 'transferred: 1 lease, each with its address, at revision 7')
        self.assertEqual(transfer.summary({'transferred': 2, 'dryRun': True}), 'would transfer 2 leases, each with its address; nothing was written')


class Rename(unittest.TestCase):
    def test_collisions(self):
        leases = [lease(service=f's{i}') for i in range(9)]
        rename.refuse_collisions(leases, [lease(service='other'), lease(service='s1', mesh='n'), lease(service='s1', kind='MeshExternalService')], 'new')
        with self.assertRaisesRegex(Failure, r'^lease-exists: zone new has 2 leases of the same name already: s1 \(mesh m\), s2 \(mesh m\)\. Purge'):
            rename.refuse_collisions(leases, leases[1:3], 'new')
        with self.assertRaisesRegex(Failure, r's4 \(mesh m\), …\. Purge'):
            rename.refuse_collisions(leases, leases, 'new')

    def test_words(self):
        self.assertEqual(rename.counted([lease(), lease(state='quarantined')]), '2 leases (1 of them in quarantine)')
        self.assertEqual(rename.next_steps('a', 'b', False), 'next: start it under the name b; when b is online, retire the old name: holdfast zones retire a')
        self.assertIn('stop the control plane of a', rename.next_steps('a', 'b', True))
        self.assertEqual(rename.batch_of([lease()], 'new').items, [{'from': {'kind': 'MeshService', 'mesh': 'm', 'zone': 'z', 'service': 's'},
                                                                   'to': {'kind': 'MeshService', 'mesh': 'm', 'zone': 'new', 'service': 's'}}])

    def rename(self, answers, *arguments):
        """Runs a rename with a server that has these answers; returns the failure, and what was asked."""
        script = Script(answers)
        self.addCleanup(script.close)
        server = Server(script.url)
        self.addCleanup(server.client.close)
        with self.assertRaises(Failure) as caught:
            rename.Rename(server, 'a', 'b', options('--yes', *arguments)).run()
        return caught.exception, [head.split()[0] for head, _ in script.seen]

    def test_more_than_one_transfer_takes(self):
        """Which the zone's counts or, with a filter, the leases show; nothing is sent."""
        zone = ok(b'{"zone":"a","state":"offline","leases":{"active":2,"quarantined":1}}')
        lines = b'{"kind":"k","mesh":"m","zone":"a","service":"s"}\n' * 3
        for arguments, answers in (((), [zone]), (('--mesh', 'm'), [zone, ok(lines)])):
            with mock.patch.object(rename, 'ITEMS_MAX', 2):
                failure, asked = self.rename(answers, *arguments)
            self.assertEqual((failure.status, asked), (1, ['GET'] * len(answers)))
            self.assertRegex(failure.words, '^zone a has (3|more than 2) leases, and one transfer takes 2: it cannot be renamed at once. Rename it in parts, with --mesh or --kind')

    def test_leases_that_end_all_the_time(self):
        zone = ok(b'{"zone":"a","state":"offline","leases":{"active":1,"quarantined":0}}')
        found, unknown, gone = ok(b'{"kind":"k","mesh":"m","zone":"a","service":"s"}\n'), problem(404, 'not-found'), problem(404, 'not-found', 'item 1: gone')
        failure, asked = self.rename([zone] + [found, unknown, gone] * rename.TRIES)
        self.assertEqual((failure.words, asked.count('POST')), ('not-found: item 1: gone', rename.TRIES))

    def test_arguments(self):
        for line in ('rename a', 'rename a b c', 'rename a a --yes', 'rename a b --purge', 'retire a --force', 'rename a b'):
            with mock.patch('os.isatty', lambda _: False), self.assertRaises(Failure) as caught:
                zones.main(line.split())
            self.assertEqual(caught.exception.status, 2, line)


if __name__ == '__main__':
    unittest.main()

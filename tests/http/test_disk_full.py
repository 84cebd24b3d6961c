"""A disk that is full, a limit on the file, a map that is full: what is answered, what is kept, and how it goes on."""
import gzip
import json
import os
import resource
import tempfile
import threading
import time
import unittest

import disk
from harness import ServerCase, config, eventually, fill, lease_path, vip
from backups import FORMAT_1, Case, document, sync
from front import FRONT

NO_ROOM = 'No space left on device'
SHORT = {'cidrs': ['10.0.0.0/16'], 'quarantineSeconds': 1, 'zones': ['short'], 'kinds': ['MeshService']}
SERVE = ('serve', '--listen', '127.0.0.1:0')
LOCK_TABLE_PAGES = 17


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


class DiskCase(Case):
    assertProblem, assertOutcome = ServerCase.assertProblem, ServerCase.assertOutcome

    def disk(self, size_bytes=8 << 20):
        made = disk.Disk(size_bytes)
        self.addCleanup(made.close)
        return made

    def server_on(self, where, *flags):
        return self.server(*flags, data_dir=os.path.join(where.path, 'data'), env=where.env)

    def run_on(self, where, *args, **more):
        env = {'ASAN_OPTIONS': f"""log_path="{self.path('sanitizer')}":exitcode=99:verify_asan_link_order=0""", **where.env}
        return self.offline(*args, env=env, **more)

    def assertNoRoom(self, status, where, *args):
        found, out, err = self.run_on(where, *args)
        self.assertEqual((found, out), (status, ''), err)
        self.assertIn(NO_ROOM, err)

    def assertKept(self, server, acknowledged, but=()):
        """Each lease that was acknowledged is there, on its address; and the store is sound."""
        there = {(lease['zone'], lease['service']): vip(lease) for lease in server.stream()[0]}
        lost = {key: ip for key, ip in acknowledged.items() if there.get(key) != ip and key not in but}
        self.assertEqual(lost, {})
        self.assertEqual(server.post('/v1/verify').json()['violations'], 0)


class Load:
    """Writers of every kind and a reader at work on a server; what was acknowledged, and how often each answer came."""

    def __init__(self, server):
        self.server, self.lock, self.stopped = server, threading.Lock(), threading.Event()
        self.acknowledged, self.answers, self.failures = {}, {}, []
        works = [self.acquires, self.acquires, self.syncs, self.connections, self.releases, self.reads]
        self.threads = [threading.Thread(target=self.run, args=(i, work)) for i, work in enumerate(works)]
        for thread in self.threads:
            thread.start()

    def run(self, number, work):
        connection = self.server.connect()
        n = 0
        try:
            while not self.stopped.is_set():
                n += 1
                work(number, n, connection)
        except Exception as error:  # a server that died, or hangs
            self.failures.append(error)
        finally:
            connection.close()

    def note(self, kind, answer, *allowed):
        with self.lock:
            key = (kind, answer.status)
            self.answers[key] = self.answers.get(key, 0) + 1
        if answer.status not in allowed or (answer.status == 507 and answer.code != 'storage-full'):
            self.failures.append((kind, answer))
        if answer.status == 507:
            time.sleep(0.005)  # leave some of the processor to others
        return answer.status in (200, 201)

    def acquires(self, number, n, connection):
        name = f'a{number}-{n}'
        answer = self.server.put(lease_path(name), config(), connection=connection, check=False)
        if self.note('acquire', answer, 201, 507):
            self.acknowledged['east', name] = vip(answer)

    def syncs(self, number, n, connection):
        zone = f'z{number}-{n}'
        body = '\n'.join(json.dumps({'name': f's{i}', 'spec': {'i': i, 'text': 'x' * 50}}) for i in range(1000))
        answer = self.server.post(f'/v1/zones/{zone}/sync?mode=full&mesh=*&return=all', body, {'Content-Type': 'application/x-ndjson'},
                                  connection=connection, check=False)
        if self.note('sync', answer, 200, 507):
            for result in answer.json()['results']:
                self.acknowledged[zone, result['service']] = vip(result)

    def connections(self, number, n, connection):
        self.note('connect', self.server.put(f'/v1/zones/c{number}/connection', {'instance': f'leader-{n}'}, connection=connection, check=False),
                  200, 507)
        time.sleep(0.01)  # as above

    def releases(self, number, n, connection):
        """Leases whose quarantine ends a second later, full disk or not."""
        path = lease_path(f'r{number}-{n}', 'short')
        if self.note('short', self.server.put(path, config(), connection=connection, check=False), 201, 507):
            self.note('release', self.server.delete(path, connection=connection, check=False), 200, 507)

    def reads(self, number, n, connection):
        for target in ('/readyz', '/livez', '/v1/status', '/v1/leases?limit=5', '/v1/changes?since=0&limit=5', '/metrics', '/v1/backup'):
            self.note('read', self.server.get(target, connection=connection, check=False), 200, *([410] if 'changes' in target else []))
        time.sleep(0.05)  # as above

    def count(self, kind, *statuses):
        with self.lock:
            return sum(self.answers.get((kind, status), 0) for status in statuses)

    def wait(self, kinds, *statuses):
        """Until each kind of write was answered so once more."""
        before = {kind: self.count(kind, *statuses) for kind in kinds}
        eventually(lambda: self.failures or all(self.count(kind, *statuses) > before[kind] for kind in kinds))

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


class Serving(DiskCase):
    def test_a_full_disk_is_507_until_there_is_room(self):
        where = self.disk()
        server = self.server_on(where)
        server.put('/v1/pools/short', SHORT)
        load = Load(server)
        self.addCleanup(load.stop)
        load.wait(['acquire', 'sync', 'connect', 'release'], 200, 201)
        where.fill(spare_pages=100)
        load.wait(['acquire', 'sync'], 507)
        where.fill()
        load.wait(['acquire', 'sync', 'read'], 507, 200)
        backup = self.take(server)
        self.assertOffline(0, 'verify', backup, says='good: every invariant holds')
        self.assertEqual(server.post('/v1/verify').json()['violations'], 0)
        where.make_room()
        load.wait(['acquire', 'sync', 'connect', 'release'], 200, 201)
        load.stop()
        self.assertEqual(load.failures, [])
        eventually(lambda: server.get('/v1/status').json()['leases']['quarantined'] == 0)  # what was due meanwhile is done
        self.assertKept(server, load.acknowledged)
        server.stop()
        server.start()
        self.assertKept(server, load.acknowledged)

    def test_many_readers_need_no_room(self):
        """Each reader has a place in the lock table, which is mapped: one that is not on the disk yet would end the process."""
        where = self.disk()
        server = self.server_on(where, '--threads', '64')
        fill(server, (f's{i}' for i in range(1500)), body=config())
        where.fill()
        table = os.stat(os.path.join(server.data_dir, 'lock.mdb'))
        self.assertGreaterEqual(table.st_blocks * 512, table.st_size)
        readers = [server.socket(receive_buffer=4096) for _ in range(150)]
        for reader in readers:
            reader.sendall(b'GET /v1/leases HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n')
        statuses = [int(reader.recv(200)[9:12]) for reader in readers]
        for reader in readers:
            reader.close()
        self.assertEqual(set(statuses), {200, 503}, 'there are more than may be at once')
        self.assertGreaterEqual(statuses.count(200), 16)
        self.assertEqual(server.get('/readyz').status, 200)

    def test_a_server_that_died_starts_on_a_full_disk(self):
        where = self.disk()
        server = self.server_on(where)
        fill(server, (f's{i}' for i in range(200)), body=config())
        kept = {(lease['zone'], lease['service']): vip(lease) for lease in server.stream()[0]}
        where.fill()
        big = {'spec': {'text': 'x' * 60000}}  # of a configuration the fingerprint alone is kept
        while server.put(lease_path(f't{server.revision()}'), big).status != 507:
            kept = {(lease['zone'], lease['service']): vip(lease) for lease in server.stream()[0]}
        server.kill()
        os.truncate(os.path.join(server.data_dir, 'holdfast.lock'), 0)  # the pid's room is somebody else's by now
        where.fill()
        server.start()
        self.assertKept(server, kept)
        self.assertOutcome(server.put(lease_path('s0'), config()), 200, 'unchanged')
        self.assertEqual(fill_up(server, 'u', 400)[1].code, 'storage-full')
        where.make_room()
        self.assertOutcome(server.put(lease_path('room'), config()), 201, 'created')
        server.stop()

    def test_a_first_start_leaves_nothing_that_the_next_one_refuses(self):
        spares = [0, 1, LOCK_TABLE_PAGES + 1, LOCK_TABLE_PAGES + 2, LOCK_TABLE_PAGES + 3, LOCK_TABLE_PAGES + 5, LOCK_TABLE_PAGES + 8]
        for spare in spares:
            with self.subTest(spare_pages=spare):
                where = self.disk(1 << 20)
                data = os.path.join(where.path, 'data')
                where.fill(spare)
                for _ in range(2):
                    self.assertNoRoom(3, where, *SERVE, '--data-dir', data)
                    self.assertEqual(set(os.listdir(data)) - {'lock.mdb'}, {'holdfast.lock'})
                where.make_room()
                server = self.server_on(where)
                self.assertOutcome(server.put(lease_path('a'), config()), 201, 'created')
                server.stop()

    def test_a_first_start_whose_database_cannot_be_written(self):
        with tempfile.TemporaryDirectory(dir=self.root) as faults:
            where = Faulty(self.root, faults)
            where.fill('data.mdb')
            self.assertNoRoom(3, where, *SERVE, '--data-dir', self.path('data'))
            self.assertEqual(os.listdir(self.path('data')), ['holdfast.lock'])
            where.make_room()
            self.assertOutcome(self.server_on(where).put(lease_path('a'), config()), 201, 'created')

    def test_a_limit_on_the_files_size_cuts_writes_short(self):
        """LMDB takes a write that was cut short for a failure of the disk."""
        server = self.server()
        kept = fill_up(server, 'a', 300)[0]
        path = os.path.join(server.data_dir, 'data.mdb')
        for pages in (0, 1, 2, 3, 5, 8):
            with self.subTest(pages=pages):
                size = os.path.getsize(path) + pages * disk.PAGE
                resource.prlimit(server.process.child.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
                more, answer = fill_up(server, f'b{pages}-', 2000)
                kept.update(more)
                self.assertProblem(answer, 507, 'storage-full', 'File too large')
                resource.prlimit(server.process.child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                answer = server.put(lease_path(f'c{pages}'), config())
                self.assertOutcome(answer, 201, 'created')
                kept['east', f'c{pages}'] = vip(answer)
        self.assertKept(server, kept)


class Faulty:
    """As a Disk, on the library alone: only files of one name find no room."""

    def __init__(self, path, faults):
        self.path, self.faults, self.env = path, faults, disk.faulty(faults)

    def fill(self, name):
        with open(os.path.join(self.faults, 'full'), 'w', encoding='utf-8') as file:
            file.write(name)

    def make_room(self):
        os.unlink(os.path.join(self.faults, 'full'))


def fill_up(server, prefix, count):
    """Acquires until it is refused, or `count` leases are there: what was acknowledged, and the last answer."""
    acknowledged = {}
    for i in range(count):
        answer = server.put(lease_path(f'{prefix}{i}'), config(), check=i == 0)
        if answer.status != 201:
            break
        acknowledged['east', f'{prefix}{i}'] = vip(answer)
    return acknowledged, answer


class Offline(DiskCase):
    def test_a_restore_without_room_changes_nothing(self):
        server = self.server()
        fill(server, (f's{i}' for i in range(400)), body=config())
        backup = self.take(server)
        pages = os.path.getsize(backup) // disk.PAGE
        fill(server, (f't{i}' for i in range(100)), body=config())
        server.stop()
        old = contents(os.path.join(server.data_dir, 'data.mdb'))
        for spare in (0, 1, LOCK_TABLE_PAGES + 1, LOCK_TABLE_PAGES + pages // 2, LOCK_TABLE_PAGES + pages, 2 * LOCK_TABLE_PAGES + pages - 1):
            with self.subTest(spare_pages=spare):
                where = self.disk(4 << 20)
                data = os.path.join(where.path, 'data')
                os.mkdir(data)
                with open(os.path.join(data, 'data.mdb'), 'wb') as file:
                    file.write(old)
                where.fill(spare)
                self.assertNoRoom(1, where, 'restore', backup, '--data-dir', data)
                self.assertEqual(contents(os.path.join(data, 'data.mdb')), old)
                self.assertLessEqual(set(os.listdir(data)), {'data.mdb', 'lock.mdb', 'holdfast.lock'})
                where.make_room()
                report = json.loads(self.run_on(where, 'restore', backup, '--data-dir', data, '--json')[1])
                self.assertEqual((report['storeEpoch'], report['leases']), (2, 400))
                self.assertEqual(contents(report['aside']), old)

    def test_a_restore_without_room_for_the_new_epoch(self):
        server = self.server()
        server.put(lease_path('a'), config())
        backup = self.take(server)
        server.stop()
        with tempfile.TemporaryDirectory(dir=self.root) as faults:
            where = Faulty(self.root, faults)
            for name in ('data.mdb', 'lock.mdb'):
                where.fill(name)
                before = sorted(os.listdir(server.data_dir))
                self.assertNoRoom(1, where, 'restore', backup, '--data-dir', server.data_dir)
                self.assertEqual(sorted(os.listdir(server.data_dir)), before)
            where.make_room()
        self.assertOffline(0, 'restore', backup, '--data-dir', server.data_dir)

    def old_store(self, directory):
        with gzip.open(FORMAT_1) as packed:
            old = packed.read()
        os.mkdir(directory)
        with open(os.path.join(directory, 'data.mdb'), 'wb') as file:
            file.write(old)
        return old

    def assertOld(self, directory, old):
        self.assertEqual(contents(os.path.join(directory, 'data.mdb')), old)
        self.assertLessEqual(set(os.listdir(directory)), {'data.mdb', 'lock.mdb', 'holdfast.lock'})

    def test_a_migration_without_room_changes_nothing(self):
        for spare in (0, 1, LOCK_TABLE_PAGES + 1, LOCK_TABLE_PAGES + 30):
            with self.subTest(spare_pages=spare):
                where = self.disk(1 << 20)
                data = os.path.join(where.path, 'data')
                old = self.old_store(data)
                where.fill(spare)
                for status, *command in ((3, *SERVE), (1, 'migrate'), (3, *SERVE)):
                    self.assertNoRoom(status, where, *command, '--data-dir', data)
                    self.assertOld(data, old)
                where.make_room()
                server = self.server_on(where)
                self.assertEqual(server.get('/v1/status').json()['format'], 4)
                server.stop()

    def test_a_migration_whose_transaction_fails_keeps_no_copy(self):
        """Else each start of a server that is started again and again would keep one more."""
        data = self.path('data')
        old = self.old_store(data)
        with tempfile.TemporaryDirectory(dir=self.root) as faults:
            where = Faulty(self.root, faults)
            where.fill('data.mdb')
            for _ in range(3):
                self.assertNoRoom(3, where, *SERVE, '--data-dir', data)
                self.assertOld(data, old)
            where.make_room()
        self.assertOffline(0, 'migrate', '--data-dir', data, says='migrated from format 1 to 4')

    def test_a_backup_that_does_not_fit_is_not_kept_and_rotates_nothing(self):
        server = self.server()
        fill(server, (f's{i}' for i in range(300)), body=config())
        env = {'HOLDFAST_URL': f'http://127.0.0.1:{server.port}'}
        where = self.disk(4 << 20)
        kept = os.path.join(where.path, 'kept')
        for _ in range(2):
            self.assertEqual(self.run_program(FRONT, 'backup', '--dir', kept, env=env)[0], 0)
            server.put(lease_path(f'more-{server.revision()}'), config())
        before = sorted(os.listdir(kept))
        self.assertEqual(len(before), 2)
        for spare in (0, 1, 2, 30):
            with self.subTest(spare_pages=spare):
                where.fill(spare)
                # The front command is not the server, whose disk the library fakes: a limit does it.
                limit = None if where.is_mounted else max(spare * disk.PAGE, 1)
                found, out, err = self.run_program(FRONT, 'backup', '--dir', kept, '--keep', '1', env=env, limit=limit)
                self.assertEqual((found, out), (1, ''), err)
                self.assertIn(f'written to {kept}, and was removed; is the disk full', err)
                self.assertIn('and was removed', err)
                self.assertEqual(sorted(os.listdir(kept)), before)
        where.make_room()
        found, out, err = self.run_program(FRONT, 'backup', '--dir', kept, '--keep', '1', env=env)
        self.assertEqual((found, len(os.listdir(kept))), (0, 1), err)


class FullMap(DiskCase):
    def test_a_full_map_is_507_until_it_is_larger(self):
        server = self.server('--map-size', '2MiB')
        kept, answer = fill_up(server, 'a', 20000)
        self.assertProblem(answer, 507, 'storage-full', 'MDB_MAP_FULL')
        self.assertEqual(fill_up(server, 'b', 1000)[1].code, 'storage-full')
        self.assertProblem(sync(server, 'west', map(document, ('x', 'y'))), 507, 'storage-full')
        self.assertEqual(server.get('/readyz').status, 200)
        self.assertOutcome(server.put(lease_path('a0'), config()), 200, 'unchanged')
        self.assertOffline(0, 'verify', self.take(server), says='good: every invariant holds')
        # LMDB needs a few free pages even to free some: with none left, a release or purge is refused like any other write.
        gone = set()
        for i in range(20):
            answer = server.delete(lease_path(f'a{i}') + ('?purge=true' if i % 2 else ''))
            self.assertIn((answer.status, answer.code), ((200, None), (507, 'storage-full')))
            if answer.status == 200:
                gone.add(('east', f'a{i}'))
        quarantined = server.get('/v1/status').json()['leases']['quarantined']
        self.assertKept(server, kept, gone)
        for stop in (server.stop, server.kill):
            # A limit below the file: LMDB takes the file's own size, so it is full still.
            stop()
            server.start('--map-size', '1MiB')
            status = server.get('/v1/status').json()
            self.assertEqual(status['mapBytes'], status['usedBytes'])
            self.assertEqual(status['leases']['quarantined'], quarantined)
            self.assertEqual(fill_up(server, 'c', 1000)[1].code, 'storage-full')
            self.assertKept(server, kept, gone)
        server.stop()
        server.start('--map-size', '3MiB')
        self.assertEqual(server.get('/v1/status').json()['mapBytes'], 3 << 20)
        kept.update(fill_up(server, 'd', 300)[0])
        # There are free pages from now on: what is purged makes room for as many new leases, again and again.
        for i in range(1000, 1100):
            self.assertEqual(server.delete(lease_path(f'a{i}') + '?purge=true').status, 200)
            gone.add(('east', f'a{i}'))
        self.assertKept(server, kept, gone)
        self.assertEqual(sync(server, 'west', map(document, ('x', 'y'))).json()['summary']['created'], 2)


if __name__ == '__main__':
    unittest.main()

"""Services that come back after their quarantine, over HTTP: what they had is remembered for them, and handed out to others last."""
import json
import os
import unittest

from backups import Case
from harness import config, eventually, lease_path, outcome, vip
from syncing import SyncCase, by_service, ips, universal


def labelled(name, namespace):
    """A service as Kuma's global control plane sends it: without a status."""
    return universal(name, labels={'k8s.kuma.io/namespace': namespace})


def gone(server, path):
    """Waits until the quarantine of a lease is over."""
    eventually(lambda: server.get(path).status == 404)


class Affinity(SyncCase):
    def remembered(self, pool, server=None):
        """How many addresses a pool remembers, as the pool and the metric say."""
        server = server or self.server
        family = server.get(f'/v1/pools/{pool}').json()['ipv4']
        self.assertEqual(server.metric(f'holdfast_pool_remembered_addresses{{pool="{pool}",family="ipv4"}}'), int(family['remembered']))
        return int(family['remembered'])

    def test_a_namespace_that_was_gone_for_longer_than_the_quarantine(self):
        zone, _ = self.pooled_zone(quarantineSeconds=0)
        everyone = [labelled(f's{i}', 'shop' if i < 8 else 'rest') for i in range(40)]
        before = {service: ips(item) for service, item in by_service(self.sync(zone, everyone)).items()}
        answer = self.sync(zone, everyone[8:])
        self.assertEqual(answer['summary']['released'], 8)
        for i in range(8):
            gone(self.server, lease_path(f's{i}.shop', zone))
        self.assertEqual(self.server.get(f'/v1/addresses/{before["s0.shop"][0]}').json()['state'], 'free')
        self.assertEqual(self.remembered(zone), 8)
        # Others come while they are away, and none gets what is remembered.
        newcomers = [universal(f'new{i}') for i in range(20)]
        given = {ip for item in self.sync(zone, newcomers, mode='delta')['results'] for ip in ips(item)}
        self.assertFalse(given & {ip for i in range(8) for ip in before[f's{i}.shop']})
        since = self.server.revision()
        answer = self.sync(zone, everyone + newcomers)
        self.assertEqual({service: ips(item) for service, item in by_service(answer).items() if service in before}, before)
        self.assertEqual((answer['summary']['restored'], answer['summary']['unchanged']), (8, 52))
        changes = self.server.get(f'/v1/changes?since={since}&zone={zone}').json()['changes']
        self.assertEqual({(change['type'], change['generation']) for change in changes}, {('restored', 1)})
        self.assertEqual(self.remembered(zone), 0)
        self.assertEqual(self.server.post('/v1/verify').json()['violations'], 0)

    def test_a_put_is_restored_too(self):
        zone, prefix = self.pooled_zone(quarantineSeconds=0)
        path = lease_path('one', zone)
        first = self.server.put(path, config()).json()
        self.server.put(path, config(port=1))
        self.server.delete(path)
        gone(self.server, path)
        answer = self.server.put(path, config(port=2), {'If-None-Match': '*'})
        self.assertEqual((answer.status, outcome(answer), vip(answer)), (200, 'restored', vip(first)))
        lease = answer.json()
        self.assertEqual((lease['generation'], lease['state']), (1, 'active'))
        self.assertEqual(lease['createdAt'], lease['modifiedAt'])
        self.assertEqual(self.server.get(path).header('ETag'), answer.header('ETag'))
        self.assertEqual(outcome(self.server.put(path, config(port=2))), 'unchanged')
        history = self.server.get(f'/v1/addresses/{prefix}0/history').json()['items']
        self.assertEqual([holder['service'] for holder in history], ['one', 'one'])
        self.assertGreaterEqual(self.server.metric('holdfast_acquires_total{outcome="restored"}'), 1)

    def test_others_get_it_last_and_the_oldest_first(self):
        zone, prefix = self.pooled_zone(30, quarantineSeconds=0)
        for name in ('a', 'b'):
            self.server.put(lease_path(name, zone), config())
        for name in ('b', 'a'):
            self.server.delete(lease_path(name, zone))
            gone(self.server, lease_path(name, zone))
        self.assertEqual(self.server.get(f'/v1/pools/{zone}').json()['ipv4']['free'], '4')
        self.assertEqual([vip(self.server.put(lease_path(name, zone), config())) for name in 'wxy'], [f'{prefix}{n}' for n in (2, 3, 1)])
        self.assertOutcome(self.server.put(lease_path('b', zone), config()), 201, 'created')  # the last, which a had
        self.assertProblem(self.server.put(lease_path('a', zone), config()), 507, 'pool-exhausted')

    def test_what_is_asked_for_goes_first(self):
        zone, prefix = self.pooled_zone(29, quarantineSeconds=0)
        for name in ('a', 'b', 'c'):
            self.server.put(lease_path(name, zone), config())
        for name in ('a', 'b', 'c'):
            self.server.delete(lease_path(name, zone))
            gone(self.server, lease_path(name, zone))
        self.assertOutcome(self.server.put(lease_path('thief', zone) + f'?address={prefix}0'), 201, 'created')
        self.assertEqual(vip(self.assertOutcome(self.server.put(lease_path('a', zone)), 201, 'created')), f'{prefix}3')
        self.assertOutcome(self.server.put(lease_path('b', zone), universal('b', vips=[f'{prefix}1'])), 200, 'restored')
        self.assertOutcome(self.server.put(lease_path('c', zone), universal('c', vips=[f'{prefix}6'])), 201, 'adopted')
        self.assertEqual(self.remembered(zone), 0)

    def test_a_purge_and_an_edit_forget(self):
        zone, prefix = self.pooled_zone(29, quarantineSeconds=0)
        for name in ('a', 'b'):
            self.server.put(lease_path(name, zone), config())
        self.server.delete(lease_path('a', zone) + '?purge=true')
        self.server.delete(lease_path('b', zone))
        gone(self.server, lease_path('b', zone))
        self.assertEqual(self.remembered(zone), 1)
        self.server.put(f'/v1/pools/{zone}', {'cidrs': [f'{prefix}0/29'], 'zones': [zone], 'kinds': ['MeshService'], 'reserved': [f'{prefix}1']})
        self.assertEqual(self.remembered(zone), 0)
        self.assertEqual(vip(self.assertOutcome(self.server.put(lease_path('a', zone)), 201, 'created')), f'{prefix}2')


class Lasting(Case):
    def left(self):
        """A server that remembers what one service had, and a second service."""
        server = self.server('--quarantine', '1s')
        for name in ('one', 'two'):
            server.put(lease_path(name), config())
        server.delete(lease_path('one'))
        gone(server, lease_path('one'))
        return server

    def assertBack(self, server):
        answer = server.put(lease_path('one'), config())
        self.assertEqual((outcome(answer), vip(answer)), ('restored', '241.0.0.0'))
        self.assertEqual(server.post('/v1/verify').json()['violations'], 0)

    def test_over_a_kill(self):
        server = self.left()
        server.kill()
        server.start()
        self.assertEqual(server.post('/v1/verify').json()['counts']['remembered'], 1)
        self.assertBack(server)

    def test_over_a_restore(self):
        server = self.left()
        backup = self.take(server)
        server.put(lease_path('three') + '?address=241.0.0.0')
        self.restore(server, backup)
        self.assertBack(server)

    def test_over_an_export(self):
        server = self.left()
        server.stop()
        out = self.assertOffline(0, 'export', server.data_dir)
        holders = [json.loads(line)['holder'] for line in out.splitlines() if line.startswith('{"holder"')]
        self.assertEqual([(holder['service'], holder.get('remembered')) for holder in holders], [('one', True)])
        with open(self.path('x'), 'w', encoding='utf-8') as file:
            file.write(out)
        self.assertOffline(0, 'import', self.path('x'), '--data-dir', self.path('other'))
        self.assertEqual(self.assertOffline(0, 'export', self.path('other')), out)
        self.assertOffline(0, 'verify', self.path('other'), says='1 remembered addresses(.|\n)*good')
        self.assertBack(self.server(data_dir=self.path('other')))
        # With what contradicts it: the service has a lease.
        bad = out.replace('"service":"two","pool"', '"service":"one","pool"')
        with open(self.path('y'), 'w', encoding='utf-8') as file:
            file.write(bad)
        self.assertOffline(2, 'import', self.path('y'), '--data-dir', self.path('none'), says='is remembered for a service that has a lease')
        self.assertFalse(os.path.exists(os.path.join(self.path('none'), 'data.mdb')))


if __name__ == '__main__':
    unittest.main()

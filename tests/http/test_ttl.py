"""Connections with a ttl over HTTP: a control plane that dies without a word is noticed, and its zone is frozen."""
import unittest

from harness import Server, ServerCase, config, eventually, lease_path

LAPSED = 'holdfast_zone_ttl_expired_total'


def connection(zone):
    return f'/v1/zones/{zone}/connection'


class Lost(ServerCase):
    def state(self, zone):
        return self.server.get(f'/v1/zones/{zone}').json()['state']

    def connect(self, zone, **more):
        answer = self.server.put(connection(zone), {'instance': 'a', **more})
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def test_a_control_plane_that_dies_without_a_word(self):
        zone, lasts = 'lost', 'lasts'
        path = lease_path('redis', zone)
        self.server.put(path, config())
        self.assertEqual(self.connect(zone, ttl='5s')['ttl'], '5s')
        self.assertIsNone(self.connect(lasts)['ttl'])
        eventually(lambda: self.state(zone) == 'offline')
        self.assertProblem(self.server.delete(path), 409, 'zone-offline')
        self.assertEqual(self.server.get(f'/v1/zones/{zone}').json()['ttl'], '5s')
        self.assertGreaterEqual(self.server.metric(LAPSED), 1)
        line, = self.server.lines(f'msg="zone lost" zone={zone} ')
        self.assertRegex(line, r'level=warn .* epoch=1 ttl_seconds=5\.000 ')
        self.assertEqual(self.state(lasts), 'online', 'without a ttl a connection lasts')
        back = self.connect(zone, ttl='5s')
        self.assertEqual((back['connection'], back['epoch'], back['sync']), ('reconnect', 2, 'incremental'))

    def test_a_refresh_is_of_the_epoch_that_is_there(self):
        """However late a refresh is, it answers with the zone as it is then."""
        zone, silent = 'refreshed', 'silent'
        epoch = self.connect(zone, ttl='5s')['epoch']
        self.connect(silent, ttl='5s')
        refreshes = 0
        while self.state(silent) == 'online':  # until the other is lost
            answer = self.connect(zone, ttl='5s')
            late = answer['connection'] == 'reconnect'
            self.assertIn(answer['connection'], ('refresh', 'reconnect'))
            self.assertEqual(answer['epoch'], epoch + late)
            epoch = answer['epoch']
            written = self.server.put(lease_path('redis', zone), config(), {'Holdfast-Zone-Epoch': str(epoch)})
            self.assertIn(written.status, (200, 201), written)
            refreshes += 1
        self.assertGreater(refreshes, 0)

    def test_after_a_start_the_time_runs_again(self):
        server = Server()
        self.addCleanup(server.close)
        server.put(connection('east'), {'instance': 'a', 'ttl': '5s'})
        server.put(connection('west'), {'instance': 'a', 'ttl': '60m'})
        for stop in (server.stop, server.kill):
            stop()
            server.start()
            self.assertIn(server.get('/v1/zones/east').json()['state'], ('online', 'offline'))
        eventually(lambda: server.get('/v1/zones/east').json()['state'] == 'offline')
        west = server.get('/v1/zones/west').json()
        self.assertEqual((west['state'], west['ttl']), ('online', '3600s'))
        server.stop()
        server.start()
        self.assertEqual(server.get('/v1/zones/east').json()['state'], 'offline', 'it is durable')
        self.assertEqual(server.put(connection('east'), {'instance': 'a', 'ttl': '5s'}).json()['epoch'], 2)

    def test_what_is_no_ttl(self):
        zone = 'bad'
        for ttl in ('', '5', '4s', '4999ms', '61m', '3601s', '2h', '1d', '-5s', '5 s', '5.5s', '5S', '99999999999s', 5, 5.0, None, True, ['5s'], {}):
            with self.subTest(ttl):
                self.assertProblem(self.server.put(connection(zone), {'instance': 'a', 'ttl': ttl}), 400, 'invalid-parameter', 'ttl')
        self.assertEqual(self.server.get(f'/v1/zones/{zone}').status, 404, 'nothing was made of it')
        for ttl, shown in (('5s', '5s'), ('5000ms', '5s'), ('5001ms', '5001ms'), ('60m', '3600s'), ('3600s', '3600s')):
            with self.subTest(ttl):
                self.assertEqual(self.connect(zone, ttl=ttl)['ttl'], shown)
                self.assertEqual(self.server.get(f'/v1/zones/{zone}').json()['ttl'], shown)


if __name__ == '__main__':
    unittest.main()

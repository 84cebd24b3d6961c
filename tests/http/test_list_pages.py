"""The lists of zones and of pools, page by page, over HTTP and as the front command shows them."""
import unittest

import front
from harness import ServerCase, lease_path, parallel

DEFAULT = 1000
ZONES = DEFAULT + 7
LARGE_BYTES = 1 << 20
POOL_BYTES = 10000  # at the most, of one of the large pools below


class Pages(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.zones = sorted(f'zone-{i:04}' for i in range(ZONES))
        cls.pools = sorted([f'pool-{i}' for i in range(20)] + ['meshservice', 'meshexternalservice', 'meshmultizoneservice'])

        def make(i, connection):
            for zone in cls.zones[i::8]:
                cls.server.put(lease_path('s', zone), connection=connection, check=False)
        parallel(cls.server, 8, make)
        for i in range(20):
            assert cls.server.put(f'/v1/pools/pool-{i}', {'cidrs': [f'10.{i}.0.0/24']}).status == 201

    def pages(self, target, limit=None):
        """All names, and how many each page has."""
        names, lengths, token = [], [], None
        while True:
            query = '&'.join(filter(None, [limit and f'limit={limit}', token and f'continue={token}']))
            page = self.server.get(target + (f'?{query}' if query else '')).json()
            self.assertEqual(page['revision'], self.server.revision())
            names += [item.get('zone') or item['pool'] for item in page['items']]
            lengths.append(len(page['items']))
            token = page['continue']
            if not token:
                return names, lengths

    def assertPages(self, target, names, limit, lengths):
        self.assertEqual(self.pages(target, limit), (names, lengths))

    def test_pages_have_everything_once_and_in_order(self):
        self.assertPages('/v1/pools', self.pools, None, [23])
        self.assertPages('/v1/pools', self.pools, 1, [1] * 23)
        self.assertPages('/v1/pools', self.pools, 22, [22, 1])
        self.assertPages('/v1/pools', self.pools, 23, [23])
        self.assertPages('/v1/zones', self.zones, None, [DEFAULT, 7])
        self.assertPages('/v1/zones', self.zones, 5000, [ZONES])
        self.assertPages('/v1/zones', self.zones, 500, [500, 500, 7])

    def test_a_page_goes_on_behind_what_is_gone(self):
        self.server.put('/v1/pools/gone', {'cidrs': ['10.99.0.0/24']})
        page = self.server.get(f'/v1/pools?limit={self.pools.index("meshexternalservice") + 1}').json()
        self.assertEqual(page['items'][-1]['pool'], 'gone')
        self.assertEqual(self.server.delete('/v1/pools/gone').status, 200)
        rest = self.server.get(f'/v1/pools?continue={page["continue"]}').json()
        self.assertEqual(rest['items'][0]['pool'], 'meshexternalservice')

    def test_what_is_no_page(self):
        for target in ('/v1/zones', '/v1/pools'):
            for query, says in (('limit=0', 'limit'), ('limit=5001', 'limit'), ('limit=x', 'limit'), ('continue=', 'continue'),
                                ('continue=zz', 'continue'), ('continue=00', 'continue'), ('continue=2d', 'continue'),
                                ('continue=' + '61' * 64, 'continue'), ('continue=616', 'continue')):
                with self.subTest(target + query):
                    self.assertProblem(self.server.get(f'{target}?{query}'), 400, 'invalid-parameter', says)
            self.assertEqual(self.server.get(target + '?continue=' + '7a' * 63).json()['items'], [], 'behind all of them')

    def test_the_front_command_shows_all(self):
        for command, member, names in (('zones', 'zone', self.zones), ('pools', 'pool', self.pools)):
            run = front.run(command, '--json', server=self.server)
            self.assertEqual((run.status, run.err), (0, ''))
            self.assertEqual([item[member] for item in run.json()['items']], names)

    def test_a_list_without_an_end(self):
        """Some other server, whose pages go on for ever."""
        fake = front.Fake({'/v1/zones': {'items': [], 'continue': '61', 'revision': 1}})
        self.addCleanup(fake.close)
        run = front.run('zones', server=fake)
        self.assertEqual(run.status, 3, run)
        self.assertIn('not what a Holdfast server answers', run.err)


class Large(ServerCase):
    """A page ends early when it has become large, however many were asked for."""

    def test_a_page_ends_when_it_has_become_large(self):
        selector = [f'{i:02}-'.ljust(63, 'x') for i in range(64)]
        names = [f'large-{i:03}' for i in range(150)]
        for i, name in enumerate(names):
            answer = self.server.put(f'/v1/pools/{name}', {'cidrs': [f'10.{i}.0.0/24'], 'meshes': selector, 'zones': selector})
            self.assertEqual(answer.status, 201, answer)
        found, sizes, token = [], [], ''
        while token is not None and len(sizes) < 10:
            answer = self.server.get('/v1/pools?limit=5000' + (f'&continue={token}' if token else ''))
            sizes.append(len(answer.body))
            found += [item['pool'] for item in answer.json()['items']]
            token = answer.json()['continue']
        self.assertEqual([name for name in found if name in names], names)
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(len(sizes), 2, sizes)
        self.assertGreaterEqual(sizes[0], LARGE_BYTES)
        self.assertLess(sizes[0], LARGE_BYTES + POOL_BYTES)
        self.assertLess(sizes[1], LARGE_BYTES)


if __name__ == '__main__':
    unittest.main()

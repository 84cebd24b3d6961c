"""/metrics: Prometheus text, and what the numbers say."""
import re
import unittest

from harness import ServerCase, config, fill, lease_path

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
FAMILIES = {
    'holdfast_http_requests_total': 'counter', 'holdfast_http_request_duration_seconds': 'histogram',
    'holdfast_commit_batch_writes': 'histogram',
    'holdfast_commit_duration_seconds': 'histogram', 'holdfast_commit_queue_depth': 'gauge', 'holdfast_leases': 'gauge',
    'holdfast_pool_addresses': 'gauge', 'holdfast_pool_previous_addresses': 'gauge', 'holdfast_pool_remembered_addresses': 'gauge',
    'holdfast_pool_utilisation_ratio': 'gauge', 'holdfast_acquires_total': 'counter',
    'holdfast_problems_total': 'counter', 'holdfast_syncs_total': 'counter', 'holdfast_sync_items_total': 'counter',
    'holdfast_sync_reallocations_avoided_total': 'counter', 'holdfast_sync_releases_skipped_total': 'counter', 'holdfast_sync_memory_bytes': 'gauge',
    'holdfast_clock_steps_total': 'counter', 'holdfast_clock_offset_seconds': 'gauge', 'holdfast_zones': 'gauge',
    'holdfast_vip_changes_total': 'counter', 'holdfast_store_revision': 'gauge', 'holdfast_build_info': 'gauge',
}


class Metrics:
    """The text, parsed as strictly as Prometheus' own format page says."""

    def __init__(self, text):
        assert text.endswith('\n'), 'the last line has no end'
        self.types, self.helps, self.samples, family = {}, {}, {}, None
        for line in text[:-1].split('\n'):
            if line.startswith('# HELP ') or line.startswith('# TYPE '):
                _, word, name, rest = line.split(' ', 3)
                table = self.helps if word == 'HELP' else self.types
                assert name not in table, f'{word} of {name} occurs twice'
                assert rest, line
                table[name], family = rest, name
                continue
            match = SAMPLE.fullmatch(line)
            assert match, f'not a sample: {line!r}'
            name, labels, value = match.groups()
            base = re.sub(r'_(bucket|sum|count)$', '', name) if self.types.get(family) == 'histogram' else name
            assert base == family, f'{name} stands below {family}'
            key = name, tuple(sorted(LABEL.findall(labels or '')))
            assert key not in self.samples, f'{line!r} occurs twice'
            self.samples[key] = float(value)
        assert set(self.types) == set(self.helps)

    def value(self, name, **labels):
        """The sum of the samples that have these labels."""
        return sum(v for (n, l), v in self.samples.items() if n == name and set(labels.items()) <= set(l))

    def label_values(self, name, label):
        return {dict(labels)[label] for n, labels in self.samples if n == name}


class Scrape(ServerCase):
    def metrics(self):
        answer = self.server.get('/metrics')
        self.assertEqual(answer.header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8')
        return Metrics(answer.body.decode())

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put('/v1/pools/six', {'cidrs': ['fd00::/64', '10.0.0.0/29'], 'reserved': ['10.0.0.0/31'], 'zones': ['six'],
                                         'kinds': ['MeshService']})
        fill(cls.server, [f's{i}' for i in range(40)])

    def test_the_families(self):
        metrics = self.metrics()
        self.assertLessEqual(FAMILIES.items(), metrics.types.items())
        self.assertEqual(metrics.label_values('holdfast_acquires_total', 'outcome'),
                         {'created', 'adopted', 'unchanged', 'updated', 'restored'})
        self.assertEqual(metrics.label_values('holdfast_vip_changes_total', 'cause'), {'request', 'deadline', 'start', 'sync', 'admin'})
        self.assertEqual(metrics.value('holdfast_vip_changes_total'), 0)
        self.assertEqual(metrics.label_values('holdfast_leases', 'state'), {'active', 'quarantined'})
        self.assertEqual(metrics.label_values('holdfast_pool_addresses', 'state'), {'leased', 'quarantined', 'reserved', 'free'})
        self.assertEqual(metrics.label_values('holdfast_pool_utilisation_ratio', 'pool'),
                         {'meshservice', 'meshexternalservice', 'meshmultizoneservice', 'six'})
        self.assertEqual(metrics.value('holdfast_store_revision'), self.server.revision())

    def test_histograms_are_cumulative(self):
        metrics, series = self.metrics(), {}
        for (name, labels), value in metrics.samples.items():
            if name.endswith('_bucket'):
                rest = tuple(pair for pair in labels if pair[0] != 'le')
                series.setdefault((name[:-len('_bucket')], rest), []).append((float(dict(labels)['le']), value))
        self.assertLessEqual({'holdfast_http_request_duration_seconds', 'holdfast_commit_batch_writes', 'holdfast_commit_duration_seconds'},
                             {name for name, _ in series})
        for (name, labels), buckets in series.items():
            bounds, values = zip(*buckets)
            self.assertEqual(list(bounds), sorted(bounds), name)
            self.assertEqual(list(values), sorted(values), name)
            self.assertEqual(bounds[-1], float('inf'))
            self.assertEqual(metrics.samples[name + '_count', labels], values[-1])
            self.assertIn((name + '_sum', labels), metrics.samples)

    def test_counters_never_fall(self):
        def counters(metrics):
            kinds = ('counter', 'histogram')
            return {key: value for key, value in metrics.samples.items()
                    if metrics.types.get(key[0], metrics.types.get(re.sub(r'_(bucket|sum|count)$', '', key[0]))) in kinds}
        before = counters(self.metrics())
        for i in range(20):
            self.server.put(lease_path(f'more-{i}'))
            self.server.get('/v1/nowhere')
            after = counters(self.metrics())
            for key, value in before.items():
                self.assertGreaterEqual(after[key], value, key)
            before = after

    def test_requests_by_route_and_status(self):
        route = '/v1/meshes/{mesh}/zones/{zone}/services/{service}'
        before = self.metrics()
        path = lease_path('counted')
        for _ in range(3):
            self.server.put(path, config())
        self.server.put(path, '{')
        self.server.put(path + '?force=1')
        self.server.get(path, {'If-None-Match': '*'})
        self.server.post(path)
        after = self.metrics()
        table = [('PUT', route, '201', 1), ('PUT', route, '200', 2), ('PUT', route, '400', 2), ('GET', route, '304', 1),
                 ('other', 'none', '405', 1)]
        for method, pattern, status, more in table:
            labels = {'method': method, 'route': pattern, 'status': status}
            name = 'holdfast_http_requests_total'
            self.assertEqual(after.value(name, **labels) - before.value(name, **labels), more, labels)
        name = 'holdfast_http_request_duration_seconds_count'
        self.assertEqual(after.value(name, method='PUT', route=route) - before.value(name, method='PUT', route=route), 5)
        self.assertEqual(after.label_values('holdfast_http_requests_total', 'route') - {'none'}, {
            r for r in after.label_values('holdfast_http_requests_total', 'route') if r.startswith('/') and 'counted' not in r})

    def test_outcomes_leases_and_pools(self):
        before, path = self.metrics(), lease_path('six', 'six')
        self.server.put(path, {'spec': 1, 'status': {'vips': [{'ip': '10.0.0.5'}]}})
        for body in ({'spec': 1}, {'spec': 2}):
            self.server.put(path, body)
        self.server.delete(path)
        self.server.put(path)
        self.server.put(lease_path('six-2', 'six'))
        self.server.delete(lease_path('six-2', 'six'))
        after = self.metrics()
        for outcome in ('created', 'adopted', 'unchanged', 'updated', 'restored'):
            self.assertEqual(after.value('holdfast_acquires_total', outcome=outcome) - before.value('holdfast_acquires_total',
                                                                                                    outcome=outcome), 1, outcome)
        self.assertEqual([after.value('holdfast_leases', pool='six', state=state) for state in ('active', 'quarantined')], [1, 1])
        self.assertEqual([after.value('holdfast_pool_addresses', pool='six', family='ipv4', state=state)
                          for state in ('leased', 'quarantined', 'reserved', 'free')], [1, 1, 2, 4])
        self.assertAlmostEqual(after.value('holdfast_pool_utilisation_ratio', pool='six', family='ipv4'), 2 / 6, places=5)
        self.assertEqual(after.value('holdfast_pool_addresses', pool='six', family='ipv6', state='free'), float(2**64 - 2))
        self.assertEqual(after.value('holdfast_vip_changes_total'), 0, 'no VIP changed')

    def test_commits(self):
        before = self.metrics()
        fill(self.server, [f'batch-{i}' for i in range(60)])
        after = self.metrics()
        self.assertEqual(after.value('holdfast_commit_batch_writes_sum') - before.value('holdfast_commit_batch_writes_sum'), 60)
        commits = after.value('holdfast_commit_duration_seconds_count') - before.value('holdfast_commit_duration_seconds_count')
        self.assertTrue(1 <= commits <= 60, commits)
        self.assertEqual(after.value('holdfast_commit_queue_depth'), 0)
        self.assertEqual(after.value('holdfast_commit_failures_total'), 0)


if __name__ == '__main__':
    unittest.main()

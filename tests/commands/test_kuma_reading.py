"""Documents of Kuma in every form, and what cannot be read."""
import json
import unittest

import commands_path  # noqa: F401
from kuma.documents import Bad, Item, Listed, name_of, shown
from kuma.reading import NotJson, Reading, items_in, value_of, values_in


def read(*values, mesh=None):
    reading = Reading(mesh)
    for value in values:
        reading.add(value, 'input')
    return reading


def config_map(config, name='kuma-default-dns-vips'):
    return {'kind': 'ConfigMap', 'metadata': {'name': name}, 'data': {'config': config if isinstance(config, str) else json.dumps(config)}}


class Values(unittest.TestCase):
    def test_one_after_another(self):
        self.assertEqual(values_in(b'\xef\xbb\xbf{"a":1}\n{"a":2}[3] \t4\r\n'), [{'a': 1}, {'a': 2}, [3], 4])
        self.assertEqual(values_in(b' \n'), [])
        self.assertEqual(value_of('"\\ud83d\\ude00"'), '\U0001f600')
        self.assertEqual(values_in(b'["\xff"]'), [['\ufffd']])

    def test_what_is_not_json(self):
        for data in (b'not', b'{"a":', b'{"a":1,}', b'NaN', b'[-Infinity]', b'"\\ud800"', b'"a\nb"', b'[' * 100000, b'9' * 5000, b"{'a':1}"):
            with self.assertRaises(NotJson):
                values_in(data)
        for data in (b'', b'1 2'):
            with self.assertRaises(NotJson):
                value_of(data)

    def test_where_it_goes_wrong(self):
        with self.assertRaisesRegex(NotJson, 'at line 2, column 2'):
            values_in(b'{}\n{x')

    def test_a_document_goes_to_the_server_as_it_came(self):
        text = '{"kind":"MeshService","name":"ä","x":[1.0,100000000000000000001,"\\u0001",1e308,null]}'
        self.assertEqual(read(*values_in(text.encode())).asked[0].document, text.replace('1e308', '1e+308'))


class Documents(unittest.TestCase):
    def test_both_forms(self):
        universal = {'type': 'MeshService', 'mesh': 'm', 'name': 'a-x', 'labels': {'kuma.io/display-name': 'a', 'kuma.io/zone': 'east'},
                     'status': {'vips': [{'ip': '241.0.0.1'}]}, 'modificationTime': 'T'}
        kubernetes = {'kind': 'MeshExternalService', 'metadata': {'name': 'b-x', 'labels': {'kuma.io/mesh': 'm', 'kuma.io/zone': 'east'},
                                                                  'annotations': {'kuma.io/display-name': 'b'}}, 'status': {'vip': {'ip': '242.0.0.1'}}}
        one, other = read([universal, kubernetes]).asked
        self.assertEqual((one.kind, one.mesh, one.zone, one.service, one.vips, one.modified), ('MeshService', 'm', 'east', 'a', ['241.0.0.1'], 'T'))
        self.assertEqual((other.kind, other.mesh, other.zone, other.service, other.vips), ('MeshExternalService', 'm', 'east', 'b', ['242.0.0.1']))
        self.assertEqual([one.n, other.n], [0, 1])

    def test_names(self):
        self.assertIsNone(name_of({'name': '', 'metadata': 'x', 'labels': []}))
        self.assertEqual(name_of({'name': 'n', 'labels': None, 'metadata': {'labels': {'kuma.io/display-name': 'd'}}}), 'd')
        self.assertEqual(name_of({'labels': 'x', 'metadata': {'name': 'm', 'labels': {'kuma.io/display-name': 'd'}}}), 'm')

    def test_addresses(self):
        self.assertEqual(shown([' 1.2.3.4/32', {'ip': [{'ip': '::1'}]}, None, {}, '', 7, True, 1.5]), ['1.2.3.4', '::1', '7', 'true', '1.5'])

    def test_lists(self):
        more = {'items': [], 'next': 'http://x/?offset=1', 'total': 2}
        chunk = {'items': [{'kind': 'Pod', 'metadata': {'name': 'p'}}], 'metadata': {'continue': 'c'}}
        self.assertEqual(list(items_in(more, None)), [Listed(0, 2, True)])
        self.assertTrue(read(more).is_part and read(chunk).is_part and read(more, {'items': [1], 'total': 2}).is_part)
        self.assertFalse(read(more, {'items': [{'name': 'a'}, {'name': 'b'}], 'total': 2}).is_part or read(chunk, {'items': []}).is_part)
        self.assertEqual(list(items_in({'items': None}, None)), [])

    def test_what_cannot_be_used(self):
        for value, words in ((1, 'number'), (None, 'null'), (True, 'boolean'), ('x', 'string'), ({'hello': 'x'}, 'neither a resource'),
                             ({'kind': 'Status', 'message': 'no'}, 'this is an error instead of a list: no'), ({}, 'neither'), ({'type': '/std-errors'}, 'neither')):
            self.assertIn(words, read({'items': [value]}).bad, value)
        deep = []
        for _ in range(100000):
            deep = [deep]
        self.assertEqual(read(deep).bad, 'input: nested too deeply')
        while deep:  # taken apart from outside, as its end would be as deep
            deep = deep.pop()

    def test_a_mesh_alone(self):
        reading = read({'name': 'a', 'mesh': 'm'}, {'name': 'b', 'mesh': 'o', 'status': {'vips': ['1.1.1.1']}}, {'kind': 'Pod'}, mesh='m')
        self.assertEqual([(item.service, item.verdict) for item in reading.asked + reading.aside], [('a', None), ('b', 'skipped'), (None, 'skipped')])
        self.assertEqual(reading.aside[0].vips, [])
        self.assertFalse(read({'name': 'b', 'mesh': 'o'}, mesh='m').has_work(True))


class ConfigMaps(unittest.TestCase):
    def items(self, value, mesh=None):
        return [(item.service, item.vips, item.kept) for item in items_in(value, mesh)]

    def test_numbered_and_plain_entries(self):
        expected = [('b', ['1.1.1.1'], None), ('h', ['1.1.1.2'], 'a host name, which is not a service'), ('old', [], None),
                    ('d', ['1.1.1.3'], 'a domain name of a VirtualOutbound, which is not a service'), ('x', [], 'of type 7, which is not a service')]
        content = {'0:b': {'address': '1.1.1.1/32', 'outbounds': []}, '1:h': '1.1.1.2', 'old': '', '2:d': '1.1.1.3', '7:x': ' '}
        self.assertEqual(self.items(config_map(content)), expected)
        self.assertEqual(self.items(content, 'm'), expected)
        self.assertIsInstance(next(items_in(content, None)), Bad)

    def test_tag_first(self):
        content = {'v': {'b': {'oe': [{'ap': [{'a': '1.1.1.1', 'o': 'svc'}, {'a': '1.1.1.1', 'o': 'svc'}, {'a': '1.1.1.2', 'd': 'b.mesh', 'o': 'virtual-outbound:v'},
                                              {'a': '1.1.1.3', 'o': 'k8s'}, {'a': '1.1.1.4', 'o': 'host:h'}]}]}, 'idle': {}, 'none': None}}
        self.assertEqual(self.items(config_map(content)), [
            ('b', ['1.1.1.1'], None), ('b.mesh', ['1.1.1.2'], 'a domain name of a VirtualOutbound, which is not a service'),
            ('b', ['1.1.1.3'], 'a host name of a Kubernetes Service, which is not a separate service'),
            ('b', ['1.1.1.4'], 'a host name of host:h, which is not a service'), ('idle', [], None)])
        self.assertEqual(self.items(config_map({'v': '1.1.1.1'})), [('v', ['1.1.1.1'], None)], 'a service that is called v')

    def test_what_holds_no_vips(self):
        for value in (config_map(''), config_map('{}'), config_map({'a': '1.1.1.1'}, 'kube-root-ca.crt')):
            item, = items_in(value, None)
            self.assertEqual((type(item), item.verdict), (Item, 'skipped'))
        for value in (config_map('[]'), config_map('x'), config_map('{}{}'), config_map('null'), config_map({'a': '1.1.1.1'}, 'kuma-dns-vips')):
            self.assertIsInstance(next(iter(items_in(value, None))), Bad, value)


if __name__ == '__main__':
    unittest.main()

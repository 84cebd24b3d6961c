"""api/openapi.yaml by itself, and against the C tables that it must agree with."""
import json
import os
import re
import unittest

import contract
from contract import DOC, OPERATIONS, ROOT, resolve
from harness import ServerCase

ROLES = {'HF_ROLE_PROBE': 'probe', 'HF_ROLE_READ': 'read', 'HF_ROLE_ZONE': 'zone', 'HF_ROLE_ADMIN': 'admin'}
HTTP_METHODS = {'get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'}


def source(*path):
    with open(os.path.join(ROOT, *path), encoding='utf-8') as file:
        return file.read()


def c_routes():
    """api/routes.c's table: (method, path, parameters, repeatable ones, body, role) of each route."""
    text = re.sub(r'/\*.*?\*/', '', source('api', 'routes.c'), flags=re.S)
    prefix, suffix = re.search(r'#define LEASES_OF\(plural\)\s+"([^"]*)"\s+plural\s+"([^"]*)"', text).groups()
    text = re.sub(r'\s+', ' ', text.replace('\\\n', ' ').replace('\n\n', ' END '))
    macro = re.search(r'#define LEASE_ROUTES\(plural, kind\) (.*?) END ', text).group(1)
    table = re.search(r'HF_ROUTES\[\] = \{ (.*?) \};', text).group(1)
    table = re.sub(r'LEASE_ROUTES\("(\w+)", \w+\)',
                   lambda use: macro.replace('LEASES_OF(plural)', f'"{prefix}{use.group(1)}{suffix}"'), table)
    row = re.compile(r'\{ ?(HF_\w+), "([^"]+)", "([^"]*)", (HF_BODY_\w+), (HF_ROLE_\w+), \w+, \w+, hf_handle_\w+ ?\}')
    rows = row.findall(table)
    assert len(rows) == table.count('hf_handle_'), 'a row of the table was not understood'
    return [(m[3:].lower(), path, set(params.replace('*', '').split()), {p[:-1] for p in params.split() if p.endswith('*')}, body,
             ROLES[role]) for m, path, params, body, role in rows]


def c_problems():
    """storage/err.h's table: the slug and the status and title of each error that is answered over HTTP."""
    table = source('storage', 'err.h').split('never answered over HTTP')[0]
    return {slug: (int(status), title) for slug, status, title in re.findall(r'X\(HF_E_\w+, "([\w-]+)", (\d+), "([^"]+)"\)', table)}


def walk(node, where='#'):
    """Every mapping of the document with its place."""
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            yield from walk(value, f'{where}/{key}')
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from walk(value, f'{where}/{i}')


def examples(media):
    if 'example' in media:
        yield 'example', media['example']
    for name, example in media.get('examples', {}).items():
        yield name, resolve(example)['value']


class Lint(unittest.TestCase):
    def test_head(self):
        self.assertEqual(DOC['openapi'], '3.1.0')
        self.assertEqual(DOC['info']['license']['identifier'], 'Apache-2.0')
        self.assertNotIn('\t', contract.TEXT.decode())

    def test_every_reference_resolves(self):
        for where, node in walk(DOC):
            if '$ref' in node:
                with self.subTest(where):
                    self.assertTrue(node['$ref'].startswith('#/components/'), node)
                    self.assertIsNotNone(resolve(node))

    def test_every_component_is_used(self):
        used = {node['$ref'] for _, node in walk(DOC) if '$ref' in node}
        general = {'#/components/responses/NotFound', '#/components/responses/MethodNotAllowed'}
        for section, entries in DOC['components'].items():
            for name in entries:
                self.assertIn(f'#/components/{section}/{name}', used | general)

    def test_operations(self):
        ids = [o.id for o in OPERATIONS]
        self.assertEqual(len(ids), len(set(ids)), 'an operationId occurs twice')
        tags = {tag['name'] for tag in DOC['tags']}
        for o in OPERATIONS:
            with self.subTest(o.id):
                for member in ('summary', 'description', 'responses', 'tags', 'x-holdfast-role'):
                    self.assertTrue(o.node.get(member), member)
                self.assertLessEqual(set(o.node['tags']), tags)
                self.assertTrue(any(status < 300 for status in o.responses))

    def test_parameters(self):
        for o in OPERATIONS:
            with self.subTest(o.id):
                places = [(p['in'], p['name']) for p in o.parameters]
                self.assertEqual(len(places), len(set(places)), 'a parameter is declared twice')
                in_path = re.findall(r'\{(\w+)\}', o.path)
                self.assertEqual(sorted(in_path), sorted(name for place, name in places if place == 'path'))
                for p in o.parameters:
                    self.assertTrue(p.get('description') and 'schema' in p and 'example' in p, p)
                    self.assertTrue(p['in'] in ('path', 'query') if p.get('required') else p['in'] != 'path', p)
                    self.assertEqual(contract.errors(p['schema'], p['example']), '', p)

    def test_paths_hold_nothing_else(self):
        for path, item in DOC['paths'].items():
            self.assertLessEqual(set(item), HTTP_METHODS | {'parameters'}, path)

    def test_every_content_has_valid_examples(self):
        for where, node in walk(DOC):
            for essence, media in (node.get('content') or {}).items():
                with self.subTest(f'{where} {essence}'):
                    found = list(examples(media))
                    self.assertTrue(found, 'no example')
                    for name, value in found:
                        self.assertEqual(contract.errors(media['schema'], value), '', name)
                        for line in value.splitlines() if 'x-holdfast-line' in media else []:
                            self.assertEqual(contract.errors(media['x-holdfast-line'], json.loads(line)), '', name)

    def test_every_header_has_a_valid_example(self):
        for name, header in DOC['components']['headers'].items():
            self.assertEqual(contract.errors(header['schema'], header['example']), '', name)

    def test_every_response_is_described(self):
        for o in OPERATIONS:
            for status, response in o.responses.items():
                self.assertTrue(response['description'], (o.id, status))
                self.assertTrue('content' in response or status == 304, (o.id, status))

    def test_schemas_are_strict(self):
        for name, schema in DOC['components']['schemas'].items():
            if schema.get('type') == 'object' and name != 'Configuration':
                with self.subTest(name):
                    self.assertIs(schema.get('additionalProperties'), False)
                    self.assertTrue(schema.get('required'))
                    self.assertLessEqual(set(schema['required']), set(schema['properties']))


class AgainstTheTables(unittest.TestCase):
    def test_routes(self):
        routes = c_routes()
        self.assertEqual(sorted((m, path) for m, path, *_ in routes), sorted((o.method, o.path) for o in OPERATIONS))
        for method, path, params, repeatable, body, role in routes:
            o = next(o for o in OPERATIONS if (o.method, o.path) == (method, path))
            with self.subTest(o.id):
                query = [p for p in o.parameters if p['in'] == 'query']
                self.assertEqual({p['name'] for p in query}, params)
                self.assertEqual({p['name'] for p in query if p['schema'].get('type') == 'array'}, repeatable)
                self.assertEqual(o.node['x-holdfast-role'], role)
                request_body = resolve(o.node.get('requestBody', {}))
                expected = {'HF_BODY_NONE': None, 'HF_BODY_JSON': True, 'HF_BODY_JSON_OR_EMPTY': False, 'HF_BODY_LIST': True}[body]
                self.assertEqual(request_body.get('required'), expected)

    def test_problem_codes(self):
        problems = c_problems()
        schema = DOC['components']['schemas']['Problem']
        self.assertEqual(sorted(schema['properties']['code']['enum']), sorted(problems))
        listed = set()
        for name, response in DOC['components']['responses'].items():
            for code in contract.codes(response):
                listed.add(code)
                self.assertIn(f'`{code}`', response['description'], name)
        self.assertEqual(listed, set(problems), 'each code is listed with some response')
        for o in OPERATIONS:
            for _, _, status, code in o.documented():
                if code:
                    self.assertEqual(problems[code][0], status, f'{o.id}: {code}')

    def test_problem_examples_have_the_titles_of_the_table(self):
        for name, response in DOC['components']['responses'].items():
            problem = response.get('content', {}).get('application/problem+json')
            if problem:
                example = problem['example']
                self.assertEqual((example['status'], example['title']), c_problems()[example['code']], name)
                self.assertEqual(example['type'], 'urn:holdfast:problem:' + example['code'])
                self.assertIn(example['code'], contract.codes(response))


class Served(ServerCase):
    def test_the_served_document_is_the_file(self):
        answer = self.server.get('/openapi.yaml')
        self.assertEqual(answer.body, contract.TEXT)
        self.assertEqual(answer.header('Content-Type'), 'application/yaml')


if __name__ == '__main__':
    unittest.main()

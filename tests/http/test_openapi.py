"""api/openapi.yaml by itself, and against the C tables that it must agree with."""
import json
import os
import re
import unittest

import contract
from contract import DOC, OPERATIONS, ROOT, resolve
from harness import ServerCase

ROLES = {'PROBE': 'probe', 'READ': 'read', 'ZONE_OF': 'zone', 'ADMIN': 'admin'}
ZONES = {'HF_ZONE_FIRST': 0, 'HF_ZONE_SECOND': 1, 'HF_NO_ZONE': None}
HTTP_METHODS = {'get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'}


def source(*path):
    with open(os.path.join(ROOT, *path), encoding='utf-8') as file:
        return file.read()


def c_routes():
    """api/routes.c's table: (method, path, parameters, repeatable ones, body, role, zone's variable) of each route."""
    text = re.sub(r'/\*.*?\*/', '', source('api', 'routes.c'), flags=re.S)
    prefix, suffix = re.search(r'#define LEASES_OF\(plural\)\s+"([^"]*)"\s+plural\s+"([^"]*)"', text).groups()
    text = re.sub(r'\s+', ' ', text.replace('\\\n', ' ').replace('\n\n', ' END '))
    macro = re.search(r'#define LEASE_ROUTES\(plural, kind\) (.*?) END ', text).group(1)
    table = re.search(r'HF_ROUTES\[\] = \{ (.*?) \};', text).group(1)
    table = re.sub(r'LEASE_ROUTES\("(\w+)", \w+\)',
                   lambda use: macro.replace('LEASES_OF(plural)', f'"{prefix}{use.group(1)}{suffix}"').replace('" "', ''), table)
    row = re.compile(r'\{ ?(HF_\w+), "([^"]+)", (?:"([^"]*)"|NULL), (HF_BODY_\w+), (PROBE|READ|ZONE_OF|ADMIN)(?:\((\w+), (\w+)\))?, \w+, \w+, hf_handle_\w+ ?\}')
    rows = row.findall(table)
    assert len(rows) == table.count('hf_handle_'), 'a row of the table was not understood'
    return [(m[3:].lower(), path, set(params.replace('*', '').split()), {p[:-1] for p in params.split() if p.endswith('*')}, body,
             ROLES[role], ZONES[zone] if zone else None) for m, path, params, body, role, zone, _ in rows]


def c_problems():
    """storage/base/err.h's table: the slug and the status and title of each error that is answered over HTTP."""
    table, rest = source('storage', 'base', 'err.h').split('never sent over HTTP')
    assert 'X(HF_E_' in rest, 'the table has changed its shape'
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


GENERAL = {400, 403, 413, 421, 431}  # what every operation may answer

# What each kind of object of OpenAPI 3.1 may have, and what kind its members are: 'schema' is one, ['schema'] a list of them, {'schema'} a
# mapping from names to them, None anything. Beside the specification's members stand this document's own, whose names begin with x-.
KINDS = {
    'document': {'openapi': None, 'info': 'info', 'jsonSchemaDialect': None, 'servers': ['server'], 'paths': {'path'}, 'webhooks': {'path'},
                 'components': 'components', 'security': None, 'tags': ['tag'], 'externalDocs': 'docs'},
    'info': {'title': None, 'summary': None, 'description': None, 'termsOfService': None, 'contact': 'contact', 'license': 'license',
             'version': None},
    'contact': {'name': None, 'url': None, 'email': None},
    'license': {'name': None, 'identifier': None, 'url': None},
    'server': {'url': None, 'description': None, 'variables': None},
    'tag': {'name': None, 'description': None, 'externalDocs': 'docs'},
    'docs': {'description': None, 'url': None},
    'components': {'schemas': {'schema'}, 'responses': {'response'}, 'parameters': {'parameter'}, 'examples': {'example'},
                   'requestBodies': {'body'}, 'headers': {'header'}, 'securitySchemes': None, 'links': None, 'callbacks': None,
                   'pathItems': {'path'}},
    'path': {'summary': None, 'description': None, 'servers': ['server'], 'parameters': ['parameter'],
             **{method: 'operation' for method in HTTP_METHODS}},
    'operation': {'tags': None, 'summary': None, 'description': None, 'externalDocs': 'docs', 'operationId': None,
                  'parameters': ['parameter'], 'requestBody': 'body', 'responses': {'response'}, 'callbacks': None, 'deprecated': None,
                  'security': None, 'servers': ['server'], 'x-holdfast-role': None},
    'parameter': {'name': None, 'in': None, 'description': None, 'required': None, 'deprecated': None, 'allowEmptyValue': None,
                  'style': None, 'explode': None, 'allowReserved': None, 'schema': 'schema', 'example': None, 'examples': {'example'},
                  'content': {'media'}},
    'header': {'description': None, 'required': None, 'deprecated': None, 'style': None, 'explode': None, 'schema': 'schema',
               'example': None, 'examples': {'example'}, 'content': {'media'}},
    'body': {'description': None, 'content': {'media'}, 'required': None},
    'response': {'description': None, 'headers': {'header'}, 'content': {'media'}, 'links': None},
    'media': {'schema': 'schema', 'example': None, 'examples': {'example'}, 'encoding': None, 'x-holdfast-line': 'schema'},
    'example': {'summary': None, 'description': None, 'value': None, 'externalValue': None},
    'schema': {**dict.fromkeys(['$id', '$schema', '$ref', '$anchor', '$dynamicRef', '$dynamicAnchor', '$vocabulary', '$comment', 'type',
                                'enum', 'const', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength',
                                'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems', 'maxContains', 'minContains',
                                'maxProperties', 'minProperties', 'required', 'dependentRequired', 'title', 'description', 'default',
                                'deprecated', 'readOnly', 'writeOnly', 'examples', 'example', 'format', 'contentEncoding',
                                'contentMediaType', 'discriminator', 'xml', 'externalDocs']),
               **dict.fromkeys(['not', 'if', 'then', 'else', 'items', 'contains', 'propertyNames', 'additionalProperties',
                                'unevaluatedItems', 'unevaluatedProperties', 'contentSchema'], 'schema'),
               **dict.fromkeys(['allOf', 'anyOf', 'oneOf', 'prefixItems'], ['schema']),
               **{name: {'schema'} for name in ('$defs', 'properties', 'patternProperties', 'dependentSchemas')}},
}
REFERENCE = {'$ref', 'summary', 'description'}


def members_that_none_knows(node, kind='document', where='#'):
    """The place of each member of the document that its object's kind does not have."""
    if isinstance(kind, (list, set)):
        [inner] = kind
        if isinstance(kind, list) != isinstance(node, list) or not isinstance(node, (list, dict)):
            yield where
            return
        for key, value in enumerate(node) if isinstance(node, list) else node.items():
            yield from members_that_none_knows(value, inner, f'{where}/{key}')
    elif kind == 'schema' and isinstance(node, bool):
        return
    elif kind and not isinstance(node, dict):
        yield where
    elif kind and kind != 'schema' and '$ref' in node:
        yield from (f'{where}/{key}' for key in node if key not in REFERENCE)
    elif kind:
        for key, value in node.items():
            if key not in KINDS[kind]:
                yield f'{where}/{key}'
            else:
                yield from members_that_none_knows(value, KINDS[kind][key], f'{where}/{key}')


class Lint(unittest.TestCase):
    def test_no_member_is_unknown(self):
        """A comma in a text of a flow mapping that lacks its quotes cuts the text in two; the second half becomes a member."""
        self.assertEqual(list(members_that_none_knows(DOC)), [])
        cut = {'components': {'schemas': {'A': {'properties': {'b': {'$ref': '#/x', 'description': 'Of an item', 'where it lives.': None}}}}}}
        self.assertEqual(list(members_that_none_knows(cut)), ['#/components/schemas/A/properties/b/where it lives.'])
        for node, kind, where in (({'200': {'descripton': 'Yes.'}}, {'response'}, '#/200/descripton'), ({'allOf': {}}, 'schema', '#/allOf'),
                                  ({'$ref': '#/x', 'schema': {}}, 'parameter', '#/schema'), ({'schema': None}, 'header', '#/schema')):
            self.assertEqual(list(members_that_none_knows(node, kind)), [where])

    def test_every_description_is_whole(self):
        """A number sign in a text that lacks its quotes begins a comment."""
        for where, node in walk(DOC):
            if isinstance(node.get('description'), str):
                self.assertTrue(node['description'].rstrip().endswith('.'), f'{where}: {node["description"][-40:]!r}')

    def test_head(self):
        self.assertEqual(DOC['openapi'], '3.1.0')
        self.assertEqual(DOC['info']['license']['identifier'], 'Apache-2.0')
        self.assertNotIn('\t', contract.TEXT.decode())
        self.assertEqual(DOC['security'], [{'token': []}])
        self.assertEqual((DOC['components']['securitySchemes']['token']['type'], DOC['components']['securitySchemes']['token']['scheme']), ('http', 'bearer'))

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
            for name in entries if section != 'securitySchemes' else ():
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
                self.assertEqual(GENERAL - set(o.responses), set(), 'every operation may answer these')

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
        for method, path, params, repeatable, body, role, zone in routes:
            o = next(o for o in OPERATIONS if (o.method, o.path) == (method, path))
            with self.subTest(o.id):
                query = [p for p in o.parameters if p['in'] == 'query']
                self.assertEqual({p['name'] for p in query}, params)
                self.assertEqual({p['name'] for p in query if p['schema'].get('type') == 'array'}, repeatable)
                self.assertEqual(o.node['x-holdfast-role'], role)
                self.assertEqual(o.node.get('security', DOC['security']), [] if role == 'probe' else [{'token': []}])
                self.assertEqual(401 in o.responses, role != 'probe')
                self.assertEqual('forbidden' in contract.codes(o.responses[403]), role in ('zone', 'admin'))
                variables = re.findall(r'\{(\w+)\}', path)
                self.assertEqual(zone, variables.index('zone') if role == 'zone' and 'zone' in variables else None)
                request_body = resolve(o.node.get('requestBody', {}))
                expected = {'HF_BODY_NONE': None, 'HF_BODY_JSON': True, 'HF_BODY_JSON_OR_EMPTY': False, 'HF_BODY_JSON_LARGE': True,
                            'HF_BODY_LIST': True}[body]
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

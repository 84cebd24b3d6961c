"""api/openapi.yaml as something to check answers against.

check() finds the operation that a request belongs to and compares status, headers, media type and body with what is documented. What
was reached is kept in SEEN, so that the walk can tell what was not.
"""
import functools
import json
import os
import re
from urllib.parse import unquote

import jsonschema
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATH = os.path.join(ROOT, 'api', 'openapi.yaml')
METHODS = ('get', 'put', 'post', 'delete')
WATCHED_HEADERS = ('ETag', 'Allow', 'Retry-After', 'Holdfast-Outcome', 'Holdfast-Revision')
CHECKED_BYTES = 65536  # larger bodies are only read, not validated

with open(PATH, 'rb') as file:
    TEXT = file.read()
DOC = yaml.safe_load(TEXT)
SEEN = set()  # (path, method, status, code)


def resolve(node):
    """Follows references."""
    while isinstance(node, dict) and '$ref' in node and node['$ref'].startswith('#/'):
        target = DOC
        for part in node['$ref'][2:].split('/'):
            target = target[part.replace('~1', '/').replace('~0', '~')]
        node = target
    return node


class Operation:
    def __init__(self, path, method):
        item = DOC['paths'][path]
        self.path, self.method, self.node = path, method, item[method]
        self.parameters = [resolve(p) for p in item.get('parameters', []) + self.node.get('parameters', [])]
        self.responses = {int(status): resolve(response) for status, response in self.node['responses'].items()}

    @property
    def id(self):
        return self.node['operationId']

    def documented(self):
        """Each (path, method, status, code); code is None where the answer is no problem."""
        for status, response in self.responses.items():
            for code in codes(response) or [None]:
                yield self.path, self.method, status, code


def codes(response):
    """The problem codes that a documented response lists."""
    content = response.get('content', {}).get('application/problem+json')
    if not content:
        return []
    return [code for part in content['schema']['allOf'] for code in part.get('properties', {}).get('code', {}).get('enum', [])]


OPERATIONS = [Operation(path, method) for path, item in DOC['paths'].items() for method in METHODS if method in item]
BY_ID = {operation.id: operation for operation in OPERATIONS}


def matches(template, path):
    wanted, given = template.split('/'), path.split('/')
    return len(wanted) == len(given) and all(w.startswith('{') or w == unquote(g) for w, g in zip(wanted, given))


def find(method, target):
    """The operation of a request, or None, and the methods that its path documents."""
    path = target.split('?', 1)[0]
    there = [operation for operation in OPERATIONS if matches(operation.path, path)]
    method = 'GET' if method == 'HEAD' else method
    return next((o for o in there if o.method.upper() == method), None), [o.method for o in there]


@functools.lru_cache(maxsize=None)
def _validator(key):
    schema = {'components': DOC['components'], 'allOf': [json.loads(key)]}
    return jsonschema.Draft202012Validator(schema)


def errors(schema, instance):
    """What is wrong with an instance, as text; empty if it is valid."""
    found = _validator(json.dumps(schema, sort_keys=True)).iter_errors(instance)
    return '; '.join(f'{"/".join(map(str, e.absolute_path))}: {e.message[:300]}' for e in found)


def _expect(condition, what, response):
    if not condition:
        raise AssertionError(f'{what}: {response!r} {dict(response.headers)}')


def _check_headers(documented, response):
    declared = documented.get('headers', {})
    for name in WATCHED_HEADERS:
        value = response.header(name)
        if name not in declared:
            _expect(value is None, f'header {name} is not documented', response)
            continue
        header = resolve(declared[name])
        _expect(value is not None or not header.get('required'), f'header {name} is missing', response)
        if value is not None:
            _expect(not errors(header['schema'], value), f'header {name}: {value!r} does not fit its schema', response)


def _check_body(documented, response):
    content = documented.get('content')
    given = response.header('Content-Type')
    if not content:
        _expect(given is None and not response.body, 'a body where none is documented', response)
        return
    essence = (given or '').split(';')[0].strip()
    _expect(essence in content, f'media type {given} is not documented', response)
    if len(response.body) > CHECKED_BYTES:
        return
    if essence == 'application/octet-stream':
        return
    media = content[essence]
    if essence.endswith('json') and essence != 'application/x-ndjson':
        wrong = errors(media['schema'], json.loads(response.body))
    elif 'x-holdfast-line' in media:
        _expect(not response.body or response.body.endswith(b'\n'), 'the last line has no end', response)
        wrong = ''.join(errors(media['x-holdfast-line'], json.loads(line)) for line in response.body.splitlines())
    else:
        wrong = errors(media['schema'], response.body.decode())
    _expect(not wrong, f'the body does not fit its schema: {wrong}', response)


def _check_problem(response):
    problem = response.json()
    _expect(problem['status'] == response.status, 'the problem states another status', response)
    _expect(problem['type'] == 'urn:holdfast:problem:' + problem['code'], 'the problem\'s type is not its code\'s', response)
    return problem['code']


def check(method, target, response):
    """Fails unless the answer is one that the document lists for the request."""
    operation, methods = find(method, target)
    components = DOC['components']['responses']
    if operation:
        _expect(response.status in operation.responses, f'{method} {target}: status {response.status} is not documented', response)
        documented = operation.responses[response.status]
    else:
        documented = components['MethodNotAllowed' if methods else 'NotFound']
        _expect(response.status == (405 if methods else 404), f'{method} {target}: no such operation is documented', response)
    _check_headers(documented, response)
    if methods and not operation:
        allowed = re.split(', ', response.header('Allow').replace(', HEAD', ''))
        _expect(sorted(m.upper() for m in methods) == sorted(allowed), 'Allow is not what is documented', response)
    if method == 'HEAD':
        _expect(not response.body, 'HEAD with a body', response)
        return
    _check_body(documented, response)
    code = _check_problem(response) if response.status >= 400 else None
    if operation:
        SEEN.add((operation.path, operation.method, response.status, code))

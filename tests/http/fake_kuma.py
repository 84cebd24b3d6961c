"""A small fake of what Kuma's API serves to readers: GET /meshes and GET /meshes/{mesh}/{kind}, in pages, behind a bearer token.

As in Kuma, `next` is an absolute URL whose host is Kuma's own idea of its address, and `size` is 100 unless stated and at most 1000.
"""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

KINDS = {'meshservices': 'MeshService', 'meshexternalservices': 'MeshExternalService', 'meshmultizoneservices': 'MeshMultiZoneService'}


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def do_GET(self):
        kuma, parts = self.server.kuma, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with kuma.lock:
            kuma.requests.append((parts.path, query, self.headers.get('Authorization')))
        status, media, body = kuma.answer(parts.path, query, self.headers.get('Authorization'))
        self.send_response(status)
        self.send_header('Content-Type', media)
        self.send_header('Content-Length', str(len(body)))
        if status == 302:
            self.send_header('Location', 'http://127.0.0.1:1/')
        self.end_headers()
        self.wfile.write(body)


class FakeKuma:
    """`documents` are those of all meshes, in universal form. What a test may set: `token`; `page`, the most that is on one page;
    `public`, what `next` begins with (None: it is relative); `kinds`, the endpoints that there are; `hook`, which may answer instead."""

    def __init__(self, documents=(), meshes=('default',)):
        self.documents, self.meshes = list(documents), list(meshes)
        self.token, self.page, self.public, self.kinds, self.hook = None, 1000, 'http://localhost:5681', set(KINDS), None
        self.requests, self.lock = [], threading.Lock()
        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.kuma = self
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}'
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @staticmethod
    def json(status, value):
        return status, 'application/json', json.dumps(value).encode()

    def problem(self, status, title):
        return self.json(status, {'type': '/std-errors', 'status': status, 'title': title, 'detail': title})

    def answer(self, path, query, authorization):
        hooked = self.hook(path, query) if self.hook else None
        if hooked:
            return hooked
        if self.token and authorization != f'Bearer {self.token}':
            return self.problem(401 if authorization else 403, 'Access Denied')
        words = [unquote(word) for word in path.split('/')[1:]]
        if words == ['meshes']:
            return self.list(path, query, [{'type': 'Mesh', 'name': name} for name in self.meshes])
        if len(words) == 3 and words[0] == 'meshes' and words[2] in self.kinds:
            return self.list(path, query, [d for d in self.documents if d.get('type') == KINDS[words[2]] and d.get('mesh') == words[1]])
        return self.problem(404, 'Not found')

    def list(self, path, query, items):
        size, offset = int(query.get('size', 100)), int(query.get('offset', 0))
        if size > 1000:
            return self.problem(400, f'invalid page size of {size}. Maximum page size is 1000')
        end = offset + min(size, self.page)
        following = None
        if end < len(items):
            following = f'{self.public or ""}{quote(path)}?{urlencode({**query, "offset": end})}'
        return self.json(200, {'total': len(items), 'items': items[offset:end], 'next': following})

"""Runs scripts/holdfast as a user would, and fakes a server for what the real one does not do."""
import http.server
import json
import os
import pty
import re
import subprocess
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import ServerCase, default_signals

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FRONT = os.path.join(ROOT, 'scripts', 'holdfast')
COMPLETION = os.path.join(ROOT, 'scripts', 'completion', 'holdfast.bash')
COMMANDS = sorted(name[:-3].replace('_', '-') for name in os.listdir(os.path.join(ROOT, 'scripts', 'commands')) if name.endswith('.py'))
RUN_S = 300


class Result:
    """A command that has ended."""

    def __init__(self, status, out, err=''):
        self.status, self.out, self.err = status, out, err

    def json(self):
        return json.loads(self.out)

    def ndjson(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def table(self):
        """The lines of a table, each cut at two spaces or more."""
        return [re.split('  +', line) for line in self.out.splitlines()]

    def __repr__(self):
        return f'<status {self.status}\n{self.out}\n{self.err}>'


def environment(server=None, env=None):
    """`server` is a harness.Server, a Fake, or an address."""
    result = {k: v for k, v in os.environ.items() if not k.startswith('HOLDFAST') or k == 'HOLDFASTD'}
    if server is not None:
        result['HOLDFAST_URL'] = server if isinstance(server, str) else f'http://{server.host}:{server.port}'
    result.update({'LC_ALL': 'C.UTF-8', 'no_proxy': getattr(server, 'host', '127.0.0.1'), **(env or {})})
    return result


def run(*args, server=None, env=None, input=None, timeout=RUN_S, cwd=None):
    """`holdfast ARGS`, without a terminal."""
    done = subprocess.run([FRONT, *map(str, args)], input=input or '', capture_output=True, text=True, timeout=timeout, check=False,
                          env=environment(server, env), cwd=cwd)
    return Result(done.returncode, done.stdout.replace('\r\n', '\n'), done.stderr)


def ask(*args, server, answer, terminal=False):
    """`holdfast ARGS` at a terminal where `answer` is typed; what it writes, questions included, is .out. `terminal`: standard error is the
    terminal too, and .out is what it shows."""
    try:
        leader, follower = pty.openpty()
    except OSError as error:  # such as a chroot without /dev/pts
        raise unittest.SkipTest(f'there is no terminal to ask at: {error}') from error
    with subprocess.Popen([FRONT, *map(str, args)], stdin=follower, stdout=subprocess.PIPE, stderr=follower if terminal else subprocess.STDOUT, text=True,
                          env=environment(server)) as child:
        os.close(follower)
        os.write(leader, answer.encode() + b'\n')
        shown = shown_by(leader) if terminal else ''
        out, _ = child.communicate(timeout=RUN_S)
    os.close(leader)
    return Result(child.returncode, shown or out)


def shown_by(leader):
    """What a terminal shows until nobody has it open any longer."""
    shown = b''
    try:
        while piece := os.read(leader, 65536):
            shown += piece
    except OSError:
        pass
    return shown.decode()


class CommandCase(ServerCase):
    def run_ok(self, *args, **more):
        result = run(*args, server=self.server, **more)
        self.assertEqual((result.status, result.err), (0, ''), result)
        return result

    def refused(self, status, words, *args, **more):
        result = run(*args, server=more.pop('server', self.server), **more)
        self.assertEqual((result.status, result.out), (status, ''), result)
        self.assertIn(words, result.err)
        return result

    def refused_each(self, status, words, commands, **more):
        """As refused(), for many command lines at a time."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda line: self.refused(status, words(line), *line.split(), **more), commands))


class Following:
    """`holdfast ARGS` that goes on until stop(); its lines so far are .out and .err."""

    def __init__(self, *args, server, env=None):
        self.out, self.err = [], []
        self.child = subprocess.Popen([FRONT, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, env=environment(server, env), start_new_session=True, preexec_fn=default_signals)
        self.readers = [threading.Thread(target=self._read, args=stream, daemon=True)
                        for stream in ((self.child.stdout, self.out), (self.child.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip('\n'))

    def stop(self):
        """Interrupts it and what it runs, as a terminal does."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, 2)
        try:
            self.child.wait(RUN_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, 9)
            raise
        for reader in self.readers:
            reader.join()
        self.child.stdout.close()
        self.child.stderr.close()


class Fake:
    """Answers each request with what `answers` has for its path, (status, text[, media type]) or text, else 404, and keeps what came in .seen as
    (method, target, headers, body). `on_request()` is called meanwhile."""

    def __init__(self, answers, on_request=None):
        self.seen, self.media, fake = [], 'application/json', self

        class Handler(http.server.BaseHTTPRequestHandler):
            def serve(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                fake.seen.append((self.command, self.path, dict(self.headers), body))
                if on_request:
                    on_request()
                answer = answers.get(self.path.split('?')[0], (404, ''))
                status, text, media = (*answer, fake.media)[:3] if isinstance(answer, tuple) else (200, answer, fake.media)
                data = (text if isinstance(text, str) else json.dumps(text)).encode()
                self.send_response(status)
                self.send_header('Content-Length', str(len(data)))
                if media:
                    self.send_header('Content-Type', media)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = serve

            def log_message(self, *_):
                pass
        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.host, self.port = self.http.server_address
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def complete(*words, server=None, cwd=None, program=FRONT):
    """What bash offers for the last of the words after `holdfast`."""
    # Completion waits two seconds for an answer, as somebody sits there; a test waits longer.
    script = 'timeout() { shift; "$@"; }; . "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(['bash', '--norc', '-c', script, 'bash', COMPLETION, program, *words], capture_output=True, text=True,
                          timeout=RUN_S, check=True, env=environment(server), cwd=cwd, stdin=subprocess.DEVNULL)
    assert not done.stderr, done.stderr
    return sorted(done.stdout.split())

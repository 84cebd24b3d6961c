"""Tokens files for tests, written without the front command."""
import datetime
import hashlib
import os

from harness import Server


def secret(seed):
    """43 characters."""
    return hashlib.sha256(seed.encode()).hexdigest()[:43]


def bearer(identity, seed=None):
    return f'Bearer hf_{identity}_{secret(seed or identity)}'


def line(identity, role, seed=None, expires_s=None, **more):
    """A line of the file; `expires_s`: seconds from now."""
    pairs = {'id': identity, 'role': role, **more, 'created': '2026-01-31T12:00:00Z'}
    if expires_s is not None:
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=expires_s)
        pairs['expires'] = at.strftime('%Y-%m-%dT%H:%M:%SZ')
    return ' '.join(f'{key}={value}' for key, value in pairs.items()) + f' sha256={hashlib.sha256(secret(seed or identity).encode()).hexdigest()}\n'


LINES = (line('auditor', 'read'), line('root', 'admin'), line('zone-east', 'zone', zones='east', expires_s=86400),
         line('zone-west', 'zone', zones='west'), line('forcing', 'zone', zones='east', permissions='zone:force'),
         line('both', 'zone', zones='east,west'), line('late', 'admin', expires_s=-86400), line('gone', 'admin'))


def write(path, *lines):
    """Replaces the file."""
    with open(path + '.new', 'w', encoding='utf-8') as file:
        file.write(''.join(lines))
    os.chmod(path + '.new', 0o640)
    os.rename(path + '.new', path)


class Guarded(Server):
    """A server with the tokens above, of which `gone` was revoked while it ran. Requests that state no other token are the administrator's."""

    def __init__(self, directory, *flags):
        self.tokens = os.path.join(directory, 'tokens')
        write(self.tokens, *LINES)
        super().__init__('--tokens', self.tokens, *flags)
        self.authorization = bearer('root')
        self.rewrite(*LINES[:-1])

    def rewrite(self, *lines, says='msg="tokens read"'):
        """Replaces the file, and waits until the server has noticed."""
        import signal
        from harness import eventually
        before = self.log().count(says)
        write(self.tokens, *lines)
        self.process.child.send_signal(signal.SIGHUP)
        eventually(lambda: self.log().count(says) > before)

"""The tokens file: reading it as strictly as the server does, and replacing it whole.

One secret a line, as KEY=VALUE pairs separated by blanks; `sha256` is the digest of the secret's 43 characters, which follow the id in the
token itself: hf_ID_SECRET. Nothing here shows a secret or a digest in a message."""
import fcntl
import hashlib
import os
import re
import secrets
from datetime import datetime, timezone

from .failure import Failure

ROLES = ('read', 'zone', 'admin')
PERMISSIONS = ('zone:force', 'zone:purge', 'zone:maxrelease')
RESERVED = ('anonymous', 'holdfast', 'offline')
ZONES_MAX = 16
MODE = 0o640
_KEYS = ('id', 'role', 'zones', 'permissions', 'created', 'expires', 'sha256')
_HEAD = '# The tokens of Holdfast, one secret a line. `holdfast token` writes this file; the server reads it at its start and at SIGHUP.\n'


def default_path() -> str:
    """Returns the file that the server's variable names, or the package's."""
    return os.environ.get('HOLDFAST_TOKENS') or '/etc/holdfast/tokens'


def is_name(text: str) -> bool:
    """Returns whether a text may be an id or the name of a zone."""
    return re.fullmatch(r'[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?', text, re.A) is not None


def time_text(seconds: int) -> str:
    """Writes a time as the file has it."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def time_of(text: str) -> int:
    """Reads an RFC 3339 time. Raises ValueError."""
    return int(datetime.fromisoformat(text).astimezone(timezone.utc).timestamp())


class Token:
    """A line of the file."""

    def __init__(self, pairs: dict[str, str]):
        self.id, self.role, self.digest = pairs['id'], pairs['role'], pairs['sha256']
        self.zones = pairs['zones'].split(',') if 'zones' in pairs else []
        self.permissions = pairs['permissions'].split(',') if 'permissions' in pairs else []
        self.created = pairs.get('created', '')
        self.expires = time_of(pairs['expires']) if 'expires' in pairs else None

    @staticmethod
    def make(identity: str, role: str, zones: list[str], permissions: list[str], now: int, expires: int | None) -> tuple['Token', str]:
        """Returns a new line and the token itself."""
        if identity in RESERVED or not is_name(identity):
            raise Failure(2, f'"{identity}" cannot name a token; state another --id')
        if len(zones) > ZONES_MAX:
            raise Failure(2, f'a token is for {ZONES_MAX} zones at most')
        secret = secrets.token_urlsafe(32)
        pairs = {'id': identity, 'role': role, 'created': time_text(now), 'sha256': hashlib.sha256(secret.encode()).hexdigest()}
        if zones:
            pairs['zones'] = ','.join(zones)
        if permissions:
            pairs['permissions'] = ','.join(permissions)
        if expires is not None:
            pairs['expires'] = time_text(expires)
        return Token(pairs), f'hf_{identity}_{secret}'

    @staticmethod
    def read(line: str) -> 'Token':
        """Reads a line. Raises ValueError with the reason."""
        pairs: dict[str, str] = {}
        for word in re.split('[ \t]+', line.strip(' \t')):
            key, equals, value = word.partition('=')
            if not equals or key not in _KEYS:
                raise ValueError('it is not KEY=VALUE pairs with known keys')
            if key in pairs:
                raise ValueError(f'{key} is stated twice')
            pairs[key] = value
        if not {'id', 'role', 'sha256'} <= set(pairs):
            raise ValueError('id, role or sha256 is missing')
        if pairs['role'] not in ROLES or not is_name(pairs['id']) or not re.fullmatch('[0-9a-fA-F]{64}', pairs['sha256']):
            raise ValueError('its id, role or sha256 is not valid')
        if (pairs['role'] == 'zone') != ('zones' in pairs) or ('permissions' in pairs and pairs['role'] != 'zone'):
            raise ValueError('role zone has zones, and no other role has zones or permissions')
        token = Token(pairs)
        if not all(map(is_name, token.zones)) or not set(token.permissions) <= set(PERMISSIONS):
            raise ValueError('one of its zones or permissions is not valid')
        return token

    def line(self) -> str:
        """Writes the line."""
        expires = [] if self.expires is None else [f'expires={time_text(self.expires)}']
        return ' '.join([f'id={self.id}', f'role={self.role}', *([f'zones={",".join(self.zones)}'] if self.zones else []),
                         *([f'permissions={",".join(self.permissions)}'] if self.permissions else []),
                         *([f'created={self.created}'] if self.created else []), *expires, f'sha256={self.digest}']) + '\n'

    def shown(self) -> dict:
        """Returns what a list in JSON has of it."""
        return {'id': self.id, 'role': self.role, 'zones': self.zones, 'permissions': self.permissions, 'created': self.created or None,
                'expires': None if self.expires is None else time_text(self.expires)}

    def validity(self, now: int) -> str:
        """Says until when it is valid."""
        if self.expires is None:
            return 'valid for ever'
        return f'{"valid until" if now < self.expires else "expired"} {time_text(self.expires)}'


class TokenFile:
    """The file, as a context in which no other command changes it."""

    def __init__(self, path: str, make: bool = False):
        """`make`: a missing file counts as empty."""
        self.path, self.tokens, self._make, self._folder = path, [], make, -1

    def __enter__(self) -> 'TokenFile':
        try:
            self._folder = os.open(os.path.dirname(self.path) or '.', os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._folder, fcntl.LOCK_EX)
            self._read()
        except (OSError, ValueError) as error:
            self.__exit__()
            raise self._failed(error) from None
        except Failure:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def _failed(self, error: Exception) -> Failure:
        return Failure(2, f'{self.path}: {getattr(error, "strerror", None) or "it is not text, or its path cannot be used"}')

    def _read(self) -> None:
        try:
            with open(self.path, encoding='ascii', newline='\n') as file:
                lines = file.read().split('\n')
        except FileNotFoundError:
            if self._make:
                return
            raise
        for number, line in enumerate(lines, 1):
            line = line.removesuffix('\r')
            if line.strip(' \t') and not line.lstrip(' \t').startswith('#'):
                try:
                    self.tokens.append(Token.read(line))
                except ValueError as error:
                    raise Failure(2, f'{self.path}: line {number}: {error}') from None

    def of(self, identity: str) -> list[Token]:
        """Returns the lines of an id, the newest last."""
        return [token for token in self.tokens if token.id == identity]

    def existing(self, identity: str) -> list[Token]:
        """Returns the lines of an id as of() does; refuses an unknown one."""
        found = self.of(identity)
        if not found:
            raise Failure(1, f'there is no token "{identity}" in {self.path}')
        return found

    def write(self) -> None:
        """Replaces the file: readers see the file before or the whole new one. It keeps its owner and group; a new one is its folder's."""
        temporary = f'{self.path}.{os.getpid()}.new'
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                with os.fdopen(handle, 'w', encoding='ascii') as file:
                    file.write(_HEAD + ''.join(token.line() for token in self.tokens))
                    file.flush()
                    self._give(handle)
                    os.fchmod(handle, MODE)
                    os.fsync(handle)
                os.rename(temporary, self.path)
            except BaseException:
                os.unlink(temporary)
                raise
            os.fsync(self._folder)
        except (OSError, ValueError) as error:
            raise self._failed(error) from None

    def _give(self, handle: int) -> None:
        """Gives a new file the owner and group of the present one, or, if root makes the first, the group of the service."""
        owner, group = -1, -1
        try:
            before = os.stat(self.path)
            owner, group = before.st_uid, before.st_gid
        except FileNotFoundError:
            if os.geteuid() == 0:
                import grp
                try:
                    group = grp.getgrnam('holdfast').gr_gid
                except KeyError:
                    pass
        now = os.fstat(handle)
        if (owner, group) != (now.st_uid, now.st_gid) and (owner, group) != (-1, -1):
            os.fchown(handle, owner, group)

"""Take a backup of a running server, check it, and keep the newest ones"""
import os
import re
import time
from hashlib import sha256

from shared import daemon, screen, signals
from shared.client import Answer, TransferError
from shared.failure import Failure, WrongArguments
from shared.options import parse, whole_number
from shared.server import Server, read_json

USAGE = '''Usage: holdfast backup [--dir DIR] [--keep N] [--no-verify] [--json]
Takes a consistent copy of the database while the server works (GET /v1/backup), compares it with its digest, opens it and checks all invariants,
makes it durable and names it DIR/holdfast-STORE-TIME-rREVISION.backup. If it is cut off or unsound, it is removed, and no older one is.

  --dir DIR     where backups are kept (default: here); created if only its last part is missing
  --keep N      remove this store's backups there except the newest N, once the new one is good; the highest revision is the newest
  --no-verify   compare only the digest; for machines without holdfastd
  --json        print file, bytes, revision, storeEpoch, leases and the removed files as JSON

`holdfast restore FILE` puts one in place.
'''

TEMPORARY = '.holdfast-backup.'
ABANDONED_S = 86400  # an older temporary file belongs to a run that was killed
DIGEST_BYTES = 32    # at the end of a backup: the digest of everything before


class Head:
    """What the answer's headers say about the store."""

    def __init__(self, server: Server, answer: Answer):
        self.store, epoch, revision = (answer.header(f'Holdfast-{name}').strip() for name in ('Store-Id', 'Store-Epoch', 'Revision'))
        if not (re.fullmatch('[0-9a-f]{8,64}', self.store) and re.fullmatch('[0-9]+', epoch) and re.fullmatch('[0-9]+', revision)):
            raise Failure(3, server.strange().words + '; the backup was removed')
        self.epoch, self.revision = int(epoch), int(revision)


class Copy:
    """The new file while it is written, with its digest."""

    def __init__(self, path: str):
        self.path, self.bytes, self._digest, self._tail = path, 0, sha256(), b''
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes) -> None:
        """Appends to the file."""
        self.bytes += len(data)
        held = self._tail + data
        self._digest.update(held[:-DIGEST_BYTES])
        self._tail = held[-DIGEST_BYTES:]
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view):]

    def close(self) -> None:
        """Makes the file durable."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)

    def digest(self) -> str:
        """Returns the digest of everything before the digest at the file's end; empty if the two differ."""
        return self._digest.hexdigest() if self._digest.digest() == self._tail else ''


def make_directory(directory: str) -> None:
    """Creates the directory if only its last part is missing."""
    if os.path.isdir(directory):
        return
    try:
        os.mkdir(directory)
        os.chmod(directory, 0o750)
    except OSError:
        raise Failure(2, f'{directory} cannot be created') from None


def new_copy(directory: str) -> Copy:
    """Creates a file with a new name for an unfinished backup."""
    while True:
        try:
            return Copy(f'{directory}/{TEMPORARY}{os.urandom(3).hex()}')
        except FileExistsError:
            continue
        except OSError:
            raise Failure(2, f'{directory} cannot be written') from None


def clear_remains(directory: str, now: float) -> None:
    """Removes the files of runs that were killed. A file of a live run is still being written."""
    for name in os.listdir(directory):
        path = f'{directory}/{name}'
        try:
            if name.startswith(TEMPORARY) and os.path.isfile(path) and now - os.stat(path).st_mtime > ABANDONED_S:
                os.unlink(path)
        except OSError:
            pass


def download(server: Server, copy: Copy, directory: str) -> Head:
    """Downloads the server's backup into the file."""
    answer = server.open('GET', '/v1/backup', json_only=False)
    if answer.status != 200:
        raise Failure(3 if answer.status >= 500 else 1, server.problem(answer))
    try:
        for chunk in answer.chunks():
            copy.write(chunk)
        copy.close()
    except TransferError as error:
        raise server.failed(error) from None
    except OSError:
        raise Failure(1, f'the backup cannot be written to {directory}, and was removed; is the disk full?') from None
    return Head(server, answer)


def verify(holdfastd: str, copy: Copy, revision: int) -> int:
    """Checks all invariants of the backup. Returns the number of its leases."""
    import subprocess
    with subprocess.Popen([holdfastd, 'verify', '--json', copy.path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        try:
            out = child.communicate()[0]
        except BaseException:
            child.kill()
            raise
    if child.returncode not in (0, 1):
        raise Failure(1, 'the backup cannot be read; it was removed')
    report = read_json(out)
    if child.returncode == 1:
        screen.to_stderr(''.join(f'  {item["table"]}: {item["detail"]}\n' for item in report['items']))
        raise Failure(1, 'the backup breaks invariants, and so does the store: see holdfast verify; the backup was removed')
    if report['revision'] != revision:
        raise Failure(1, 'the backup has another revision than the server stated')
    return report['counts']['leases']


def place(temporary: str, directory: str, name: str) -> str:
    """Gives the file its name, and returns its path. A second file of the same second and revision gets a number; no file is replaced."""
    path, number = f'{directory}/{name}.backup', 1
    try:
        while not rename(temporary, path):
            number += 1
            path = f'{directory}/{name}-{number}.backup'
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(descriptor)
        os.close(descriptor)
    except OSError:
        raise Failure(1, f'{path} cannot be written') from None
    return path


def rename(old: str, new: str) -> bool:
    """Renames a file, unless one of the new name exists. Returns whether it did."""
    if os.path.lexists(new):
        return False
    try:
        os.link(old, new)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        os.rename(old, new)
        return True
    os.unlink(old)
    return True


def ranked(names: list[str], store: str) -> list[str]:
    """Returns the names of the store's backups, the newest first: by revision, which a restore raises too, as the clock may be wrong."""
    form = re.compile(f'holdfast-{store[:8]}-([0-9]{{8}}T[0-9]{{6}}Z)-r([0-9]+)(?:-([0-9]+))?[.]backup')
    found = [(int(match[2]), match[1], int(match[3] or 1), name) for name in names if (match := form.fullmatch(name))]
    return [name for *_, name in sorted(found, reverse=True)]


def rotate(directory: str, path: str, store: str, keep: int) -> list[str]:
    """Removes the store's backups except the newest `keep`; the one just taken always stays. Returns the removed files."""
    removed = []
    others = [name for name in os.listdir(directory) if f'{directory}/{name}' != path and os.path.isfile(f'{directory}/{name}')]
    for name in ranked(others, store)[keep - 1:]:
        old = f'{directory}/{name}'
        try:
            os.unlink(old)
        except OSError:
            raise Failure(1, f'{path} was taken and is good, but {old} cannot be removed') from None
        removed.append(old)
    return removed


def take(server: Server, directory: str, holdfastd: str | None, keep: int | None) -> dict:
    """Takes a backup. Returns the report on it."""
    signals.clean_up_first()
    copy = new_copy(directory)
    try:
        clear_remains(directory, time.time())
        head = download(server, copy, directory)
        digest = copy.digest()
        if not digest:
            raise Failure(1, "the backup does not match its digest; it was removed")
        leases = verify(holdfastd, copy, head.revision) if holdfastd else None
        path = place(copy.path, directory, f'holdfast-{head.store[:8]}-{time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())}-r{head.revision}')
    finally:
        if os.path.exists(copy.path):
            os.unlink(copy.path)
    removed = rotate(directory, path, head.store, keep) if keep else []
    return {'file': path, 'bytes': copy.bytes, 'digest': f'sha256:{digest}', 'storeId': head.store, 'storeEpoch': head.epoch,
            'revision': head.revision, 'leases': leases, 'removed': removed}


def main(arguments: list[str]) -> None:
    options = parse(arguments, values={'--dir': None, '--keep': whole_number}, flags=('--no-verify', '--json'))
    keep, directory = options.get('--keep'), options.get('--dir', '.')
    if keep == 0:
        raise WrongArguments('--keep: must be at least 1')
    server = Server()
    holdfastd = None if '--no-verify' in options else daemon.binary()
    if directory.startswith('-'):
        directory = './' + directory
    make_directory(directory)
    report = take(server, directory, holdfastd, keep)
    if '--json' in options:
        screen.put_json(report)
        return
    good = '' if report['leases'] is None else f', {report["leases"]} leases; every invariant holds'
    screen.put(f'{report["file"]}\n{report["bytes"]} bytes, revision {report["revision"]}, store epoch {report["storeEpoch"]}{good}\n')
    screen.put(''.join(f'removed {path}\n' for path in report['removed']))

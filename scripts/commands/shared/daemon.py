"""Work without a server: holdfastd does it, as a subcommand of the same name on a data directory."""
import os
import re
import shutil
import signal
from typing import NoReturn

from . import screen
from .failure import Failure, WrongArguments
from .options import HelpWanted, split_values

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT_DATA_DIR = 'holdfast-data'


def binary() -> str:
    """The path of holdfastd: $HOLDFASTD, the one that was installed or built with this command, or that of PATH."""
    for path in (os.environ.get('HOLDFASTD'), HERE + '/../../../sbin/holdfastd', HERE + '/../../../build/release/holdfastd'):
        if path and os.access(path, os.X_OK):
            return os.path.realpath(path)
    found = shutil.which('holdfastd')
    if not found:
        raise Failure(2, 'holdfastd is not to be found; build it (scripts/build), or set HOLDFASTD to its path')
    return found


def execute(path: str, *arguments: str) -> NoReturn:
    """Goes on as holdfastd, whose path was found by binary()."""
    screen.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores
    try:
        os.execv(path, [path, *arguments])
    except OSError as error:
        raise Failure(2, f'{path} cannot be run: {error.strerror}') from None


_VALUE = re.compile(r'\s*data-dir\s*[=:]\s*(?:"([^"]*)"|\'([^\']*)\'|(.*?)(?:\s+[;#].*)?\s*$)')


def configured_data_dir(lines) -> str:
    """What a configuration says, as holdfastd reads it: the last line counts, of which a comment is no part."""
    found = ''
    for line in lines:
        match = _VALUE.match(line.rstrip('\n'))
        if match:
            found = next(value for value in match.groups() if value is not None)
    return found


def data_dir() -> str:
    """The data directory unless one is stated: $HOLDFAST_DATA_DIR, else that of $HOLDFAST_CONFIG or of the installed configuration.

    Empty if nothing says it.
    """
    stated = os.environ.get('HOLDFAST_DATA_DIR')
    if stated:
        return stated
    paths = [HERE + '/../../../etc/holdfast/holdfastd.conf', '/etc/holdfast/holdfastd.conf']
    config = os.environ.get('HOLDFAST_CONFIG')
    if config:
        paths = [config]
        if not os.path.exists(config):
            raise Failure(2, f'HOLDFAST_CONFIG: there is no {config}')
    for path in paths:
        if not os.path.exists(path):
            continue
        try:
            with open(path, encoding='utf-8', errors='surrogateescape') as file:
                found = configured_data_dir(file)
        except OSError:
            raise Failure(2, f'{path} cannot be read, so the data directory is not known: state --data-dir') from None
        if found:
            return found
    return ''


def offline(command: str, usage: str, arguments: list[str], flags: tuple[str, ...] = (), makes: bool = False) -> NoReturn:
    """Goes on as holdfastd's subcommand, with the data directory unless one is stated.

    `makes` is whether a data directory that nobody named has to be there already, so that none is made by mistake.
    """
    arguments = split_values(arguments, flags)
    options = arguments[:arguments.index('--')] if '--' in arguments else arguments
    if '-h' in options or '--help' in options:
        raise HelpWanted
    path = binary()
    if '--data-dir' not in options:
        where = data_dir()
        if not where:
            where = DEFAULT_DATA_DIR
            if makes and not os.path.exists(where):
                _refuse_unknown(usage, arguments)
                raise Failure(2, f'no data directory is stated or configured, and there is no {where} here: state --data-dir')
        arguments = ['--data-dir', where, *arguments]
    execute(path, command, *arguments)


def _refuse_unknown(usage: str, arguments: list[str]) -> None:
    """What is wrong with the arguments comes before the missing directory."""
    for argument in arguments:
        if argument.startswith('--') and len(argument) > 2 and argument not in usage:
            raise WrongArguments(f'unknown argument "{argument}"')

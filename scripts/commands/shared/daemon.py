"""Runs holdfastd's offline subcommands, which work on a data directory without a server."""
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
    """Returns the path of holdfastd: $HOLDFASTD, the one installed or built with this command, or the one in PATH."""
    for path in (os.environ.get('HOLDFASTD'), HERE + '/../../../sbin/holdfastd', HERE + '/../../../build/release/holdfastd'):
        if path and os.access(path, os.X_OK):
            return os.path.realpath(path)
    found = shutil.which('holdfastd')
    if not found:
        raise Failure(2, 'holdfastd was not found; build it (scripts/build), or set HOLDFASTD to its path')
    return found


def execute(path: str, *arguments: str) -> NoReturn:
    """Replaces this process by holdfastd, whose path binary() found."""
    screen.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores these
    try:
        os.execv(path, [path, *arguments])
    except OSError as error:
        raise Failure(2, f'{path} cannot be run: {error.strerror}') from None


_VALUE = re.compile(r'\s*data-dir\s*[=:]\s*(?:"([^"]*)"|\'([^\']*)\'|(.*?)(?:\s+[;#].*)?\s*$)')


def configured_data_dir(lines) -> str:
    """Returns a setting of a configuration as holdfastd reads it: the last line counts, without its comment."""
    found = ''
    for line in lines:
        match = _VALUE.match(line.rstrip('\n'))
        if match:
            found = next(value for value in match.groups() if value is not None)
    return found


def data_dir() -> str:
    """Returns the data directory unless it is stated: $HOLDFAST_DATA_DIR, else that of $HOLDFAST_CONFIG or of the installed configuration.

    Empty if none of these names one.
    """
    stated = os.environ.get('HOLDFAST_DATA_DIR')
    if stated:
        return stated
    paths = [HERE + '/../../../etc/holdfast/holdfastd.conf', '/etc/holdfast/holdfastd.conf']
    config = os.environ.get('HOLDFAST_CONFIG')
    if config:
        paths = [config]
        if not os.path.exists(config):
            raise Failure(2, f'HOLDFAST_CONFIG: {config} does not exist')
    for path in paths:
        if not os.path.exists(path):
            continue
        try:
            with open(path, encoding='utf-8', errors='surrogateescape') as file:
                found = configured_data_dir(file)
        except OSError:
            raise Failure(2, f'{path} cannot be read, so the data directory is unknown: state --data-dir') from None
        if found:
            return found
    return ''


def offline(command: str, usage: str, arguments: list[str], flags: tuple[str, ...] = (), makes: bool = False) -> NoReturn:
    """Runs holdfastd's subcommand in place of this process, with the data directory unless it is stated.

    `makes`: the subcommand creates a missing data directory, so one that is not named must exist, lest it be created by mistake.
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
                raise Failure(2, f'no data directory is stated or configured, and {where} does not exist here: state --data-dir')
        arguments = ['--data-dir', where, *arguments]
    execute(path, command, *arguments)


def _refuse_unknown(usage: str, arguments: list[str]) -> None:
    """Reports wrong arguments before a missing directory."""
    for argument in arguments:
        if argument.startswith('--') and len(argument) > 2 and argument not in usage:
            raise WrongArguments(f'unknown argument "{argument}"')

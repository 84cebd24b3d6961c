"""Finds the command, runs it, and ends with its status.

A command is a module beside this package, named like the command, with _ for -. The first line of its docstring is the summary that
`holdfast --help` shows, USAGE the answer to its --help, and main(arguments) runs it and returns its exit status, or nothing for 0."""
import os
import sys

from . import screen
from .failure import Ended, Failure, WrongArguments

_HEAD = '''Usage: holdfast COMMAND [ARGUMENT…]
Operates a Holdfast server, which keeps every mesh service on its virtual IP.

'''
_FOOT = '''
`holdfast COMMAND --help` explains each.

Environment: HOLDFAST_URL   the server, http://127.0.0.1:8241 unless set
             HOLDFAST_TOKEN sent as a bearer token if set; HOLDFAST_TOKEN_FILE a file that has it. Beyond this host only over https

Exit status: 0 done; 1 refused, or something was found; 2 wrong arguments, input that cannot be read, or output that cannot be written;
3 the server cannot be reached, or is in trouble, or is not Holdfast's.
'''
_HELP = ('-h', '--help', 'help')


def open_streams() -> None:
    """Gives each closed standard stream a descriptor number that no other file can get; using the stream still fails."""
    for descriptor, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open('/dev/null', mode)


def commands(folder: str) -> list[str]:
    """Returns the names of all commands."""
    return sorted(name[:-3].replace('_', '-') for name in os.listdir(folder) if name.endswith('.py'))


def summary(folder: str, command: str) -> str:
    """Returns the first line of a command's docstring, read without running the command."""
    with open(f'{folder}/{command.replace("-", "_")}.py', encoding='utf-8') as file:
        return file.readline().strip().strip('"')


def overview(folder: str) -> str:
    """Returns the answer to `holdfast --help`."""
    return _HEAD + ''.join(f'  {name:<12} {summary(folder, name)}\n' for name in commands(folder)) + _FOOT


def _is_command(folder: str, word: str) -> bool:
    return all('a' <= c <= 'z' or c == '-' for c in word) and not word.startswith('-') and word in commands(folder)


def _load(folder: str, command: str):
    """Loads a command's module from its file, under a name that no module of Python's own has (as `token` has)."""
    from importlib.util import module_from_spec, spec_from_file_location
    name = command.replace('-', '_')
    spec = spec_from_file_location(f'command_{name}', f'{folder}/{name}.py')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(folder: str, command: str, arguments: list[str]) -> int:
    from .options import HelpWanted
    screen.command = command
    module = _load(folder, command)
    try:
        return module.main(arguments) or 0
    except HelpWanted:
        screen.put(module.USAGE)
        return 0


def run(folder: str, arguments: list[str]) -> int:
    """Runs `holdfast ARGUMENTS`. Returns the exit status, or raises Failure or Ended."""
    if not arguments or not arguments[0]:
        screen.to_stderr(overview(folder))
        return 2
    word, *rest = arguments
    if word in _HELP:
        if not rest or rest[0] in ('', *_HELP):
            screen.put(overview(folder))
            return 0
        word, rest = rest[0], ['--help']
    if word == '--version':
        from .daemon import binary, execute
        execute(binary(), '--version')
    if not _is_command(folder, word):
        raise Failure(2, f'"{word}" is not a command; see holdfast --help')
    return _run(folder, word, rest)


def main(folder: str, arguments: list[str]) -> None:
    """Runs a command as run() does, and ends the process."""
    open_streams()
    try:
        status = run(folder, arguments)
        screen.flush()
    except Exception as error:  # noqa: B902 - the one place that says how a command ended
        status = _ended(error)
    os._exit(status)  # without waiting for unfinished requests


def _ended(error: Exception) -> int:
    """Writes pending output, and why the command ended. Returns its status."""
    try:
        if isinstance(error, Ended):
            screen.flush()
            return error.status
        if isinstance(error, Failure):
            hint = f'; see holdfast {screen.command} --help' if isinstance(error, WrongArguments) else ''
            screen.say(error.words + hint)
            return error.status
    except (Ended, Failure) as another:
        return _ended(another)
    raise error

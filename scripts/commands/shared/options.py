"""Reads command lines.

A command states which options take a value, each with a function that checks it, and which are flags. Options and words may come in any
order; `--option=value` is the same as `--option value`. The first error is reported, with messages that argparse cannot produce."""
from collections.abc import Callable, Mapping

from .failure import WrongArguments

KINDS = ('MeshService', 'MeshExternalService', 'MeshMultiZoneService')
OVERLAP_MAX_DAYS = 366
Check = Callable[[str, str], object]  # (option, text) -> value; raises WrongArguments


class HelpWanted(Exception):
    """--help was given."""


class Arguments:
    """The options in the order in which they were given, and the words that are not options."""

    def __init__(self):
        self.pairs: list[tuple[str, object]] = []
        self.words: list[str] = []

    def __contains__(self, option: str) -> bool:
        return any(name == option for name, _ in self.pairs)

    def get(self, option: str, default=None):
        """Returns the value that was given last."""
        return next((value for name, value in reversed(self.pairs) if name == option), default)

    def all(self, option: str) -> list:
        """Returns every value of an option that may be given more than once."""
        return [value for name, value in self.pairs if name == option]

    def names(self) -> list[str]:
        """Returns the options that were given, including flags."""
        return [name for name, _ in self.pairs]

    def word(self, i: int) -> str:
        """Returns a word, or None."""
        return self.words[i] if i < len(self.words) else ''

    def no_more_words(self, after: int) -> None:
        """Refuses words after the first `after`."""
        if len(self.words) > after:
            raise WrongArguments(f'"{self.words[after]}" is one argument too many')


def split_values(arguments: list[str], flags) -> list[str]:
    """Splits --option=value into two arguments, up to `--`. A flag takes no value."""
    result = []
    for i, argument in enumerate(arguments):
        if argument == '--':
            return result + arguments[i:]
        option, equals, value = argument.partition('=')
        if equals and (option in flags or option == '--help'):
            raise WrongArguments(f'{option} takes no value')
        if equals and option[:2] == '--' and 'a' <= option[2:3] <= 'z':
            result += [option, value]
        else:
            result.append(argument)
    return result


def parse(arguments: list[str], values: Mapping[str, Check | None] = {}, flags: tuple[str, ...] = (), aliases: Mapping[str, str] = {},
          is_word: Callable[[str], bool] | None = None, noun: str = 'argument') -> Arguments:
    """Reads a command line.

    `values` are the options that take a value, each with its check (None: any non-empty text), `flags` those that take none, and `aliases`
    short forms. `is_word` decides which arguments are words; without it, no word is accepted. `noun` names an unknown argument in messages.
    After `--`, everything is a word for a command that accepts words and has '--' among its flags.
    Raises HelpWanted, and WrongArguments for the first error.
    """
    result, rest = Arguments(), iter(split_values(arguments, flags))
    for argument in rest:
        option = aliases.get(argument, argument)
        if option in ('-h', '--help'):
            raise HelpWanted
        if option in values:
            text = next(rest, '')
            if not text:
                raise WrongArguments(f'{argument}: a value is missing')
            check = values[option]
            result.pairs.append((option, check(argument, text) if check else text))
        elif option == '--' and '--' in flags:
            result.words += rest
        elif option in flags:
            result.pairs.append((option, True))
        elif is_word and is_word(argument):
            result.words.append(argument)
        else:
            raise WrongArguments(f'unknown {noun} "{argument}"')
    return result


def no_dash(argument: str) -> bool:
    """Accepts any argument that does not begin with a dash as a word."""
    return not argument.startswith('-')


def whole_number(option: str, text: str) -> int:
    """Checks a number that consists only of digits."""
    if not (text.isascii() and text.isdigit()):
        raise WrongArguments(f'{option}: "{text}" is not a whole number')
    if len(text) > 18:
        raise WrongArguments(f'{option}: "{text}" is too large')
    return int(text)


_UNITS = {'s': 1, 'm': 60, 'h': 3600, 'd': 86400}


def seconds(option: str, text: str) -> int:
    """Checks a time such as 90s, 30m, 1h or 2d; returns it in seconds."""
    number = text[:-1] if text[-1:] in _UNITS else text
    if not (number.isascii() and number.isdigit()):
        raise WrongArguments(f'{option}: "{text}" is not a time such as 90s, 30m, 1h or 2d')
    if len(number) > 9:
        raise WrongArguments(f'{option}: "{text}" is too long')
    return int(number) * _UNITS.get(text[-1], 1)


def percentage(option: str, text: str) -> int:
    """Checks a whole number from 0 to 100."""
    number = whole_number(option, text)
    if number > 100:
        raise WrongArguments(f'{option}: "{text}" is more than 100')
    return number


def one_of(*words: str) -> Check:
    """Returns a check that the value is one of these words."""
    def check(option: str, text: str) -> str:
        if text not in words:
            raise WrongArguments(f'{option}: "{text}" is not one of {" ".join(words)}')
        return text
    return check


kind = one_of(*KINDS)
"""Checks a kind of service."""


def at_least_one(option: str, text: str) -> int:
    """Checks a whole number other than 0."""
    number = whole_number(option, text)
    if number == 0:
        raise WrongArguments(f'{option}: must be at least 1')
    return number


def overlap(option: str, text: str) -> int:
    """Checks how long an address that a lease leaves works as well, in seconds."""
    number = seconds(option, text)
    if number > OVERLAP_MAX_DAYS * 86400:
        raise WrongArguments(f'{option}: at most {OVERLAP_MAX_DAYS}d')
    return number


def only(arguments: Arguments, allowed: tuple[str, ...], action: str) -> None:
    """Refuses options that do not go with the action; --json goes with every action."""
    for option in arguments.names():
        if option not in allowed and option != '--json':
            raise WrongArguments(f'{option} does not go with {action}')

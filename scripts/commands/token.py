"""Create, list, rotate and revoke the tokens of a server's tokens file"""
import time

from shared import screen
from shared.failure import Failure, WrongArguments
from shared.options import Arguments, no_dash, only, parse, seconds
from shared.tokenfile import PERMISSIONS, ROLES, Token, TokenFile, default_path, is_name
from shared.words import many

USAGE = '''Usage: holdfast token create --role read|zone|admin [--id ID] [--zone ZONE…] [--permission PERMISSION…] [--expires TIME] [--tokens FILE]
       holdfast token [list] [--tokens FILE] [--json]
       holdfast token rotate ID [--expires TIME] [--overlap TIME] [--tokens FILE]
       holdfast token revoke ID [--old] [--tokens FILE]
Writes the file that `holdfastd --tokens FILE` reads. It holds digests of the tokens, which cannot be turned back into them: a token is printed
once, alone on standard output, when it is made. The server reads the file at its start and at SIGHUP (`systemctl reload holdfast`).

  create   make a token. Role read: everything that is read; zone: that, and what the control plane of these zones does; admin: everything
  list     the tokens, without their secrets
  rotate   make a second secret for a token; the present one is valid for the overlap
  revoke   remove a token; with --old only its older secret

  --id ID            how the token is named in the log and in the change feed; the role, and -ZONE for a zone's, unless stated
  --zone ZONE        a zone that a token of role zone is for; may be repeated
  --permission PERMISSION
                     what role zone may not do without it: zone:force, zone:purge, zone:maxrelease (above the default); may be repeated
  --expires TIME     how long the token is valid, such as 90d; for ever unless stated
  --overlap TIME     how long the present secret is valid after a rotation: 1d unless stated
  --tokens FILE      the file: HOLDFAST_TOKENS, or /etc/holdfast/tokens, unless stated
  --json             print the list as JSON

Exit status: 0 done; 1 refused; 2 wrong arguments, or the file cannot be read or written.
'''
OPTIONS = {'create': ('--role', '--id', '--zone', '--permission', '--expires', '--tokens'), 'list': ('--tokens',),
           'rotate': ('--expires', '--overlap', '--tokens'), 'revoke': ('--old', '--tokens')}
DAY_S = 86400


def name(option: str, text: str) -> str:
    """Checks a name of an id or a zone."""
    if not is_name(text):
        raise WrongArguments(f'{option}: "{text}" is not a name of 1 to 63 characters of a-z 0-9 . _ -')
    return text


def choice(words):
    """Returns a check that the value is one of these words."""
    def check(option: str, text: str) -> str:
        if text not in words:
            raise WrongArguments(f'{option}: "{text}" is not one of {" ".join(words)}')
        return text
    return check


def created(options: Arguments, now: int) -> tuple[Token, str]:
    """Makes the token that the options describe."""
    role, zones, permissions = options.get('--role'), options.all('--zone'), options.all('--permission')
    if not role:
        raise WrongArguments('--role is missing')
    if role == 'zone' and not zones:
        raise WrongArguments('--zone is missing: a token of role zone is for at least one')
    if role != 'zone' and (zones or permissions):
        raise WrongArguments('--zone and --permission go with --role zone alone')
    identity = options.get('--id') or '-'.join((role, *zones[:1]))
    return Token.make(identity, role, sorted(set(zones)), sorted(set(permissions)), now, lifetime(options, now))


def lifetime(options: Arguments, now: int) -> int | None:
    """Returns when the token expires."""
    span = options.get('--expires')
    if span == 0:
        raise WrongArguments('--expires: must be at least 1s')
    return None if span is None else now + span


def create(options: Arguments, path: str) -> None:
    now = int(time.time())
    token, secret = created(options, now)
    with TokenFile(path, make=True) as file:
        if file.of(token.id):
            raise Failure(1, f'"{token.id}" exists already; `holdfast token rotate {token.id}` gives it another secret, --id another name')
        file.tokens.append(token)
        file.write()
    screen.put_line(secret)


def rotate(options: Arguments, path: str) -> None:
    now = int(time.time())
    with TokenFile(path) as file:
        *_, last = file.existing(options.word(1))
        token, secret = Token.make(last.id, last.role, last.zones, last.permissions, now, lifetime(options, now))
        overlap = options.get('--overlap', DAY_S)
        last.expires = min(now + overlap, last.expires if last.expires is not None else now + overlap)
        file.tokens = [one for one in file.tokens if one.id != last.id or (one is last and overlap > 0)] + [token]
        file.write()
    screen.put_line(secret)


def revoke(options: Arguments, path: str) -> None:
    with TokenFile(path) as file:
        of = file.existing(options.word(1))
        if '--old' in options and len(of) < 2:
            raise Failure(1, f'"{options.word(1)}" has only one secret; without --old the token itself is revoked')
        gone = of[:1] if '--old' in options else of
        file.tokens = [one for one in file.tokens if one not in gone]
        file.write()
    screen.say(f'{many(len(gone), "secret")} revoked; the server knows when it has read the file again')


def show(options: Arguments, path: str) -> None:
    with TokenFile(path) as file:
        tokens = file.tokens
    if '--json' in options:
        screen.put_json({'items': [token.shown() for token in tokens]})
        return
    now = int(time.time())
    for token in tokens:
        words = [token.id, token.role, *(['of ' + ','.join(token.zones)] if token.zones else []), *token.permissions]
        screen.put_line(' '.join(words) + f', created {token.created or "at an unknown time"}, {token.validity(now)}')
    if not tokens:
        screen.put_line('no tokens')


ACTIONS = {'create': create, 'list': show, 'rotate': rotate, 'revoke': revoke}


def main(arguments: list[str]) -> None:
    options = parse(arguments, values={'--role': choice(ROLES), '--id': name, '--zone': name, '--permission': choice(PERMISSIONS),
                                       '--expires': seconds, '--overlap': seconds, '--tokens': None},
                    flags=('--old', '--json'), is_word=no_dash)
    action = options.word(0) or 'list'
    if action not in ACTIONS:
        raise WrongArguments(f'"{action}" is not create, list, rotate or revoke')
    only(options, OPTIONS[action], action)
    if '--json' in options and action != 'list':
        raise WrongArguments(f'--json does not go with {action}')
    takes_id = action in ('rotate', 'revoke')
    if takes_id and not options.word(1):
        raise WrongArguments(f'{action} needs an ID')
    options.no_more_words(2 if takes_id else 1)
    ACTIONS[action](options, options.get('--tokens') or default_path())

"""The arguments that the commands for Kuma share, and reading all inputs that they name."""
import os
import re
from collections.abc import Mapping

from shared import screen
from shared.failure import Failure, WrongArguments
from shared.options import Arguments, Check, parse
from .reading import NotJson, Reading, values_in

USAGE = '''Input: FILE…, - for standard input, or Kuma's API, in any of these forms:
  - the answer to GET /meshes/{mesh}/meshservices (or meshexternalservices, meshmultizoneservices)
  - the output of kubectl get meshservices -A -o json; single resources; NDJSON
  - the ConfigMaps kuma-<mesh>-dns-vips of older versions (kubectl get configmap -n kuma-system -o json), or the bare content of their
    "config" with --mesh. The service is then the value of the tag kuma.io/service, which the map names.
A document's zone is its label kuma.io/zone; "global" if its origin is global and it has none; else --zone.

  --kuma-url URL         all pages of all kinds from Kuma's API, such as http://127.0.0.1:5681; of all meshes unless --mesh is stated
  --kuma-token-file FILE the token for it, sent only to that address
  --zone ZONE            the zone of documents that do not name theirs
  --mesh MESH            only this mesh
'''
STDIN = 'standard input'
NAME = re.compile(r'[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?')


def a_name(option: str, text: str) -> str:
    """Returns a check that the value is a valid name of a zone or mesh."""
    if not NAME.fullmatch(text):
        raise WrongArguments(f'{option}: "{text}" is not a name: 1 to 63 of a-z 0-9 . _ -, first and last a letter or digit')
    return text


OPTIONS: Mapping[str, Check | None] = {'--zone': a_name, '--mesh': a_name, '--kuma-url': None, '--kuma-token-file': None}


def parse_arguments(arguments: list[str], *flags: str) -> Arguments:
    """Reads a command line whose words are the files; `flags` are the command's own flags besides --json."""
    return parse(arguments, OPTIONS, ('--json', *flags), is_word=lambda word: word == '-' or word != '' and not word.startswith('-'))


def check_url(url: str) -> str:
    """Checks the address of Kuma's API, and returns it without slashes at its end."""
    if any(c.isspace() or not c.isprintable() or c in '"\\?#@' for c in url):
        raise WrongArguments('--kuma-url: it contains an invalid character')
    if not url.startswith(('http://', 'https://')) or url in ('http://', 'https://'):
        raise WrongArguments(f'--kuma-url: "{url}" begins with neither http:// nor https://')
    return url.rstrip('/')


def check_files(files: list[str]) -> None:
    """Refuses unreadable inputs before any is read."""
    for file in files:
        if file != '-' and (os.path.isdir(file) or not os.access(file, os.R_OK)):
            raise unreadable(file)
    if files.count('-') > 1:
        raise WrongArguments('- is stated more than once')


def unreadable(file: str) -> Failure:
    """Returns the failure for a file that is missing or unreadable."""
    return Failure(2, f'{file}: the file does not exist or cannot be read')


def read(options: Arguments, whole: bool = False, keeping: bool = False) -> Reading:
    """Reads all inputs, which must contain something to work on.

    `whole`: refuse a part of a list. `keeping`: something that has a VIP but is not a service counts, too.
    """
    url, token_file, mesh = options.get('--kuma-url'), options.get('--kuma-token-file'), options.get('--mesh')
    if not options.words and not url:
        raise WrongArguments('nothing to read: state files, - for standard input, or --kuma-url')
    if token_file and not url:
        raise WrongArguments('--kuma-token-file is for --kuma-url')
    url = check_url(url) if url else None
    check_files(options.words)
    reading = Reading(mesh)
    if url:
        read_api(reading, url, token_file)
    for source, data in [read_file(file) for file in options.words]:
        add(reading, source, data)
    check_reading(reading, whole, keeping)
    return reading


def read_api(reading: Reading, url: str, token_file: str | None) -> None:
    """Reads everything from Kuma's API."""
    from .api import SOURCE, KumaApi
    for page in KumaApi(url, token_file).pages(reading.mesh):
        reading.add(page, SOURCE)


def read_file(file: str) -> tuple[str, bytes]:
    """Returns a file's name for messages, and its content, which must not be empty."""
    source = STDIN if file == '-' else file
    try:
        with open(0 if file == '-' else file, 'rb', closefd=file != '-') as stream:
            data = stream.read()
    except OSError:
        raise unreadable(source) from None
    if not data:
        raise Failure(2, f'{source} is empty')
    return source, data


def add(reading: Reading, source: str, data: bytes) -> None:
    """Reads all values of an input."""
    try:
        for value in values_in(data):
            reading.add(value, source)
    except NotJson as error:
        raise Failure(2, f'{source} is not JSON: {error}') from None


def check_reading(reading: Reading, whole: bool, keeping: bool) -> None:
    """Refuses an unusable input, and warns of a partial one."""
    if reading.is_part:
        words = 'the input is incomplete: it states that more pages follow'
        if whole:
            raise Failure(2, words)
        screen.say(f'careful: {words}')
    if reading.bad:
        raise Failure(2, reading.bad)
    if not reading.has_work(keeping):
        raise Failure(2, f'the input has no service{f" of mesh {reading.mesh}" if reading.mesh else ""}: is it the right one?')

"""Bring a store of an older format to this version's"""
from typing import NoReturn

from shared.daemon import offline

USAGE = '''Usage: holdfast migrate [--data-dir DIR] [--json]
Brings a store of an older format to the format of this version, in one transaction; a copy of the old file is kept beside it. The server does
the same when it starts, so this is for looking first, with the server stopped.

  --data-dir DIR    default: $HOLDFAST_DATA_DIR, else what $HOLDFAST_CONFIG or /etc/holdfast/holdfastd.conf says,
                    else ./holdfast-data, if it is there
  --json            report what was done as JSON
'''


def main(arguments: list[str]) -> NoReturn:
    offline('migrate', USAGE, arguments, flags=('--json',), makes=True)

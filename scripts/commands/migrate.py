"""Migrate a store of an older format to the current one"""
from typing import NoReturn

from shared.daemon import offline

USAGE = '''Usage: holdfast migrate [--data-dir DIR] [--json]
Migrates a store of an older format to the format of this version, in one transaction; a copy of the old file is kept beside it. The server does
the same when it starts; this command does it in advance, with the server stopped.

  --data-dir DIR    default: $HOLDFAST_DATA_DIR, else what $HOLDFAST_CONFIG or /etc/holdfast/holdfastd.conf says,
                    else ./holdfast-data, if it exists
  --json            report what was done as JSON
'''


def main(arguments: list[str]) -> NoReturn:
    offline('migrate', USAGE, arguments, flags=('--json',), makes=True)

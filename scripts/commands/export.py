"""Write everything that a store holds as lines of JSON"""
from typing import NoReturn

from shared.daemon import offline

USAGE = '''Usage: holdfast export [PATH] [--data-dir DIR] [--output FILE] [--json]
Writes pools, zones, leases, history and changes as NDJSON, from one snapshot and always in the same order. docs/export.md describes each line.
The server may be running. `holdfast import` creates the same store from the export.

  PATH             a data directory, or a file such as a backup
  --data-dir DIR   the data directory if PATH is absent; default: $HOLDFAST_DATA_DIR, else what $HOLDFAST_CONFIG or the installed configuration says, else
                   ./holdfast-data
  --output FILE    the file to write, which appears whole or not at all. Default: standard output
  --json           has no effect: an export is always lines of JSON

Exit status: 0 done; 1 the disk is full; 2 wrong arguments, or the store cannot be read.
'''


def main(arguments: list[str]) -> NoReturn:
    offline('export', USAGE, [argument for argument in arguments if argument != '--json'], flags=('--json',))

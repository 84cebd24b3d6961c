"""Make the store of an export, or add its leases to one in use"""
from typing import NoReturn

from shared.daemon import offline

USAGE = '''Usage: holdfast import FILE [--data-dir DIR] [--on-conflict keep|replace] [--restored] [--store-epoch N] [--dry-run] [--json]
Reads what `holdfast export` wrote (FILE, or - for standard input). The server must be stopped. Every line is checked, and the whole is verified,
before anything is changed. A directory without a store, or with one that nobody used yet, gets the very store of the export. Any other store
gets the leases that it does not have; each conflict is reported, and nothing is changed unless --on-conflict settles it.

  --data-dir DIR    default: $HOLDFAST_DATA_DIR, else what $HOLDFAST_CONFIG or /etc/holdfast/holdfastd.conf says,
                    else ./holdfast-data, if it is there
  --on-conflict HOW keep: what is there stays. replace: a lease takes the place of the same service's, which may get another VIP; an
                    address that another service holds, or held when the run began, is never taken
  --restored        the store went on after the export: begin a new store epoch, as a restore does
  --store-epoch N   the same, but to N at least: for lost data whose epoch was higher than the export's
  --dry-run         report what would be done, and change nothing
  --json            report it as JSON

Exit status: 0 done; 1 conflicts that are not settled, a server is running, or the disk is full; 2 wrong arguments, or a line is wrong.
'''


def main(arguments: list[str]) -> NoReturn:
    offline('import', USAGE, arguments, flags=('--json', '--restored', '--dry-run'), makes=True)

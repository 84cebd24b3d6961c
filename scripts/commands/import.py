"""Create a store from an export, or add its leases to a store in use"""
from typing import NoReturn

from shared.daemon import offline

USAGE = '''Usage: holdfast import FILE [--data-dir DIR] [--on-conflict keep|replace] [--restored] [--store-epoch N] [--dry-run] [--json]
Reads what `holdfast export` wrote (FILE, or - for standard input). The server must be stopped. Every line is checked, and the whole is verified,
before anything is changed. A directory without a store, or with an unused one, gets exactly the store of the export. Any other store gets the
leases that it does not have; each conflict is reported, and nothing is changed unless --on-conflict settles it.

  --data-dir DIR    default: $HOLDFAST_DATA_DIR, else what $HOLDFAST_CONFIG or /etc/holdfast/holdfastd.conf says,
                    else ./holdfast-data, if it exists
  --on-conflict HOW keep: existing records stay. replace: a lease replaces the same service's existing one, whose VIP may change; an
                    address that another service holds, or held when the run began, is never taken
  --restored        the store was in use after the export: begin a new store epoch, as a restore does
  --store-epoch N   the same, but at least N: for lost data whose epoch was higher than the export's
  --dry-run         report what would be done, and change nothing
  --json            report it as JSON

Exit status: 0 done; 1 conflicts that are not settled, a server is running, or the disk is full; 2 wrong arguments, or a line is wrong.
'''


def main(arguments: list[str]) -> NoReturn:
    offline('import', USAGE, arguments, flags=('--json', '--restored', '--dry-run'), makes=True)

"""Rebuild the parts of a store that can be derived from its other records"""
from typing import NoReturn

from shared.daemon import offline

USAGE = '''Usage: holdfast repair [--data-dir DIR] [--apply] [--json]
Verifies a store, and rebuilds what follows from its leases, history and pools: free extents, the index of addresses, deadlines, counters and
digests. The server must be stopped. Without --apply, the repair is only tried and reported. Damage to anything else (a lease, a pool, two leases
with one address) cannot be repaired: then nothing is changed, and only a backup helps (`holdfast restore`).

  --data-dir DIR   default: $HOLDFAST_DATA_DIR, else what $HOLDFAST_CONFIG or /etc/holdfast/holdfastd.conf says,
                   else ./holdfast-data, if it exists
  --apply          repair the store; the old database is kept aside
  --json           report what was found and done as JSON

Exit status: 0 the store is sound, or was repaired; 1 violations were found (without --apply) or remain, a server is running, or the disk
is full; 2 wrong arguments, or unreadable.
'''


def main(arguments: list[str]) -> NoReturn:
    offline('repair', USAGE, arguments, flags=('--apply', '--json'), makes=True)

"""Put a backup in place of a data directory's database"""
from typing import NoReturn

from shared.daemon import offline

USAGE = '''Usage: holdfast restore FILE [--data-dir DIR] [--store-epoch N] [--other-store] [--json]
Puts a backup (from `holdfast backup`, or the data.mdb made by mdb_copy) in place of the database in DIR. The server must be stopped. The backup is
verified first, and the old database is kept aside. A new store epoch begins: late writes of earlier control planes are refused, and a service that
presents its VIP gets it back, even if the backup does not know it. Pools in which a new service could get that VIP first are listed.

  --data-dir DIR    default: $HOLDFAST_DATA_DIR, else what $HOLDFAST_CONFIG or /etc/holdfast/holdfastd.conf says,
                    else ./holdfast-data, if it exists
  --store-epoch N   raise the store epoch to at least N; for data that are lost, or cannot be read, and had a
                    higher epoch
  --other-store     DIR may hold another store than the backup's
  --json            report what was done as JSON
'''


def main(arguments: list[str]) -> NoReturn:
    offline('restore', USAGE, arguments, flags=('--other-store', '--json'), makes=True)

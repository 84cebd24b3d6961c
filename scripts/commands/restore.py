"""Put a backup in place of a data directory's database"""
from typing import NoReturn

from shared.daemon import offline

USAGE = '''Usage: holdfast restore FILE [--data-dir DIR] [--store-epoch N] [--other-store] [--json]
Puts a backup (of `holdfast backup`, or the data.mdb that mdb_copy made) in place of the database in DIR. The server must be stopped. The backup is
verified first, and what is in DIR is kept aside. A new store epoch begins: what control planes of before still send is fenced off, and who presents
the VIP that it holds gets it back, also if the backup does not know it. Pools in which somebody new could be given it first are named.

  --data-dir DIR    default: $HOLDFAST_DATA_DIR, else what $HOLDFAST_CONFIG or /etc/holdfast/holdfastd.conf says,
                    else ./holdfast-data, if it is there
  --store-epoch N   raise the store epoch to N at least; for data that are lost, or cannot be read, and had a
                    higher epoch
  --other-store     DIR may hold another store than the backup's
  --json            report what was done as JSON
'''


def main(arguments: list[str]) -> NoReturn:
    offline('restore', USAGE, arguments, flags=('--other-store', '--json'), makes=True)

"""Damages a store's files on purpose: data.mdb's records, and lock.mdb's reader slots.

Records are found by bytes that only they have; every copy is patched, since LMDB keeps older pages. LMDB maps the file, so a running
server sees the damage at once, as it would see a failing disk.
"""
import datetime
import fcntl
import ipaddress
import os
import struct

KINDS = {'MeshService': 1, 'MeshExternalService': 2, 'MeshMultiZoneService': 3}
BAD = 0x7f  # a version that no record has
READER_SLOTS, READER_BYTES = 1024, 64
NUMBER_OF_READERS_AT = {128: 56, 192: 64}  # by the length of lock.mdb's head, which follows from that of a mutex


def patch(data_dir, pattern, offset, value, expected=None):
    """Sets the byte at `offset` from each occurrence of `pattern`; fails if there is none, or if `expected` is not there."""
    path = os.path.join(data_dir, 'data.mdb')
    with open(path, 'rb') as file:
        data = file.read()
    count, at = 0, data.find(pattern)
    with open(path, 'r+b', buffering=0) as file:
        while at >= 0:
            assert expected is None or data[at + offset] == expected, f'{data[at + offset]} at {at + offset}'
            os.pwrite(file.fileno(), bytes([value]), at + offset)
            count, at = count + 1, data.find(pattern, at + 1)
    assert count, f'no {pattern!r} in {path}'


def ms_of(time):
    """A time of an answer, as milliseconds since 1970."""
    at = datetime.datetime.strptime(time, '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=datetime.timezone.utc)
    return round(at.timestamp() * 1000)


def mapped(ip):
    """An address as the store writes it: 16 bytes, IPv4 mapped."""
    address = ipaddress.ip_address(ip)
    return address.packed if address.version == 6 else b'\0' * 10 + b'\xff\xff' + address.packed


def scope(lease):
    return lease['zone'].encode() + b'\0' + lease['mesh'].encode() + b'\0' + bytes([KINDS[lease['kind']]])


def damage_lease(data_dir, lease):
    """The lease's record: its version lies 44 bytes before its fingerprint."""
    patch(data_dir, bytes.fromhex(lease['fingerprint'][len('sha256:'):]), -44, BAD, 1)


def damage_history(data_dir, lease):
    """The history entry of the first address of a lease that is gone; `lease` as it was created."""
    key = mapped(lease['vips'][0]['ip']) + struct.pack('>Q', lease['revision'])
    patch(data_dir, key, len(key), BAD, 1)


def damage_deadline(data_dir, lease):
    """The key of the end of a quarantine: its kind."""
    key = struct.pack('>Q', ms_of(lease['quarantinedUntil'])) + scope(lease)
    patch(data_dir, key, len(key) - 1, BAD)


def damage_pool(data_dir, name):
    patch(data_dir, name.encode() + b'\x02', len(name), BAD)


def damage_zone(data_dir, name):
    """The record of a zone that is online."""
    patch(data_dir, name.encode() + b'\x01\x02', len(name), BAD, 1)


def damage_meta(data_dir, store_id):
    key = b'store\x02' + bytes.fromhex(store_id)
    patch(data_dir, key, len('store'), BAD)


def set_format(data_dir, number):
    """The four bytes behind the key "format"."""
    for i, byte in enumerate(struct.pack('>I', number)):
        patch(data_dir, b'format', len('format') + i, byte)


def _add_readers(data_dir, count, snapshot):
    """Takes free reader slots of lock.mdb, as other programs that read the database would: with a lock on the byte of their process
    number, for as long as these tests run. Without it they are dead, and the server takes their slots back within a second."""
    path = os.path.join(data_dir, 'lock.mdb')
    held = os.open(path, os.O_RDWR)
    fcntl.fcntl(held, fcntl.F_OFD_SETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, os.getpid(), 1, 0))
    with open(path, 'r+b', buffering=0) as file:
        fd, head = file.fileno(), os.path.getsize(path) - READER_SLOTS * READER_BYTES
        number = struct.unpack('=I', os.pread(fd, 4, NUMBER_OF_READERS_AT[head]))[0]
        taken = range(number, min(number + count, READER_SLOTS))
        for i in taken:
            os.pwrite(fd, struct.pack('=Qi', snapshot, os.getpid()), head + i * READER_BYTES)
        os.pwrite(fd, struct.pack('=I', taken.stop), NUMBER_OF_READERS_AT[head])


def readers(data_dir):
    """The processes that have a reader slot."""
    path = os.path.join(data_dir, 'lock.mdb')
    with open(path, 'rb') as file:
        data = file.read()
    head = len(data) - READER_SLOTS * READER_BYTES
    number = struct.unpack_from('=I', data, NUMBER_OF_READERS_AT[head])[0]
    return {struct.unpack_from('=Qi', data, head + i * READER_BYTES)[1] for i in range(number)} - {0}


def take_all_readers(data_dir):
    """No reader can be opened any more."""
    _add_readers(data_dir, READER_SLOTS, 2**64 - 1)


def hold_snapshot(data_dir):
    """A reader that stays on an old snapshot: no page is used again, and the database grows with every write."""
    _add_readers(data_dir, 1, 1)

"""PostgreSQL as a peer: a plpgsql function acquires a lease; every change is committed, and its log synced, before its answer."""
import os
import pwd
import signal
import socket
import stat
import struct
import subprocess
import time

from common import ANSWER_S, KEY, Peer, PeerError, find_program, free_ports

PLACES = "/usr/lib/postgresql/*/bin"
# Digests are PostgreSQL's own SHA-256. What is unchanged is only read: no row is locked, nothing is logged, no commit is waited for.
# A lease that somebody else made between the look and the insert is looked at again. Revisions and addresses are sequences: they
# have gaps where a transaction failed.
SCHEMA = """
CREATE SEQUENCE allocated MINVALUE 0 MAXVALUE 16777215;
CREATE SEQUENCE revision;
CREATE TABLE lease (
    service text PRIMARY KEY,
    address inet NOT NULL UNIQUE,
    digest bytea NOT NULL,
    generation integer NOT NULL DEFAULT 1,
    revision bigint NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    modified timestamptz NOT NULL DEFAULT now());
CREATE TABLE change (revision bigint PRIMARY KEY, service text NOT NULL, address inet NOT NULL, generation integer NOT NULL);
CREATE FUNCTION acquire(wanted text, body text, OUT outcome text, OUT address inet, OUT generation integer, OUT revision bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    given CONSTANT bytea := sha256(convert_to(body, 'UTF8'));
    known bytea;
BEGIN
    LOOP
        SELECT l.digest, l.address, l.generation, l.revision INTO known, address, generation, revision
            FROM lease l WHERE l.service = wanted;
        IF known = given THEN
            outcome := 'unchanged';
            RETURN;
        ELSIF known IS NULL THEN
            INSERT INTO lease AS l (service, address, digest, revision)
                VALUES (wanted, inet '241.0.0.0' + nextval('allocated'), given, nextval('revision'))
                ON CONFLICT (service) DO NOTHING
                RETURNING 'created', l.address, l.generation, l.revision INTO outcome, address, generation, revision;
        ELSE
            UPDATE lease l SET digest = given, generation = l.generation + 1, revision = nextval('revision'), modified = now()
                WHERE l.service = wanted AND l.digest <> given
                RETURNING 'updated', l.address, l.generation, l.revision INTO outcome, address, generation, revision;
        END IF;
        IF outcome IS NOT NULL THEN
            INSERT INTO change VALUES (revision, wanted, address, generation);
            RETURN;
        END IF;
    END LOOP;
END $$;
"""
# Of a bulk, what differs is found by one join and written by one statement, in the transaction that copied it.
ACQUIRE_ALL = """
BEGIN;
COPY incoming FROM STDIN;
WITH given AS (
    SELECT service, sha256(convert_to(body, 'UTF8')) AS digest FROM incoming
), differing AS (
    SELECT given.service, given.digest, nextval('revision') AS revision,
        coalesce(l.address, inet '241.0.0.0' + nextval('allocated')) AS address
    FROM given LEFT JOIN lease l ON l.service = given.service WHERE l.digest IS DISTINCT FROM given.digest
), written AS (
    INSERT INTO lease AS l (service, address, digest, revision) SELECT service, address, digest, revision FROM differing
    ON CONFLICT (service) DO UPDATE
        SET digest = excluded.digest, generation = l.generation + 1, revision = excluded.revision, modified = now()
        WHERE l.digest <> excluded.digest
    RETURNING service, address, generation, revision
), told AS (
    INSERT INTO change (service, address, generation, revision) SELECT service, address, generation, revision FROM written
)
SELECT service, address, generation FROM written;
COMMIT;
"""
SETTINGS = {  # durable, and no checkpoint during a run, which would cost it more
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_level": "minimal", "max_wal_senders": "0",
    "shared_buffers": "256MB", "max_wal_size": "8GB", "checkpoint_timeout": "1h", "max_connections": "1100", "jit": "off",
    "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}


def message(kind, payload):
    """A message of the frontend protocol, version 3."""
    return kind + struct.pack("!I", 4 + len(payload)) + payload


class Postgres(Peer):
    name = "PostgreSQL"
    protocol = "pg"
    stop_signal = signal.SIGINT  # a fast shutdown; SIGTERM waits for clients
    connection, answers, opened = None, None, None

    def start(self):
        owner = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            above = os.path.dirname(self.directory)
            self.opened = above, stat.S_IMODE(os.stat(above).st_mode)
            os.chmod(above, self.opened[1] | stat.S_IXOTH)
        data = os.path.join(self.directory, "data")
        made = subprocess.run([find_program("initdb", PLACES), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", check=False, **owner)
        if made.returncode != 0:
            raise PeerError(f"initdb fails: {made.stdout.decode(errors='replace')[-2000:]}")
        self.port = free_ports(1)[0]
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self.spawn([find_program("postgres", PLACES), "-D", data, "-p", str(self.port), *settings], cwd="/", **owner)
        self.until(self.connect)
        for name in ("fsync", "synchronous_commit"):
            if self.ask(f"SHOW {name}") != [[b"on"]]:
                raise PeerError(f"PostgreSQL runs without {name}")
        self.ask(SCHEMA)
        self.ask("CREATE TEMPORARY TABLE incoming (service text, body text) ON COMMIT DELETE ROWS")

    def connect(self):
        """Opens the connection of its own; as long as the server is starting, that is refused in one way or another."""
        self.close()
        self.connection = socket.create_connection(("127.0.0.1", self.port), ANSWER_S)
        self.answers = self.connection.makefile("rb")
        self.connection.sendall(self.startup())
        try:
            self.rows()
        except PeerError as error:
            raise ConnectionError(str(error)) from error

    def close(self):
        if self.connection:
            self.answers.close()
            self.connection.close()
            self.connection = None

    def stop(self):
        super().stop()
        if self.opened:
            os.chmod(*self.opened)
            self.opened = None

    @staticmethod
    def startup():
        return message(b"", struct.pack("!I", 3 << 16) + b"user\0postgres\0database\0postgres\0\0")

    def hello(self):
        """Also lets the backend compile the function, as it does once for each connection of a pool."""
        warm = message(b"Q", b"BEGIN; SELECT acquire('', ''); ROLLBACK\0")
        parse = message(b"P", b"acquire\0SELECT acquire($1, $2)\0" + struct.pack("!HII", 2, 25, 25))  # 25: text
        return [self.startup(), warm, parse + message(b"S", b"")]

    def rows(self):
        """The rows until the server is ready for the next query, or for data."""
        rows, error = [], None
        while True:
            head = self.answers.read(5)
            if len(head) < 5:
                raise PeerError("PostgreSQL closed the connection") from error
            payload = self.answers.read(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == b"D":
                rows.append(self.row(payload))
            elif head[:1] == b"E":
                error = PeerError(f"PostgreSQL answers {payload!r}")
            elif head[:1] in (b"Z", b"G"):
                if error:
                    raise error
                return rows

    @staticmethod
    def row(payload):
        fields, at = [], 2
        for _ in range(struct.unpack("!H", payload[:2])[0]):
            size = struct.unpack("!i", payload[at:at + 4])[0]
            fields.append(None if size < 0 else payload[at + 4:at + 4 + size])
            at += 4 + max(size, 0)
        return fields

    def ask(self, query):
        self.connection.sendall(message(b"Q", query.encode() + b"\0"))
        return self.rows()

    def acquire(self, zone):
        service = f"default/{zone}/gateway-api-".encode()
        values = struct.pack("!I", len(service) + 10) + service + b"0123456789" + struct.pack("!I", len(self.body)) + self.body
        bind = message(b"B", b"\0acquire\0" + struct.pack("!HH", 0, 2) + values + struct.pack("!H", 0))
        head, tail = bind.split(b"0123456789", 1)
        return [head, KEY, tail + message(b"E", b"\0" + struct.pack("!I", 0)) + message(b"S", b"")]

    def acquire_request(self, zone):
        return self.acquire(zone), "(created,"

    def known_request(self, zone):
        return self.acquire(zone), "(unchanged,"

    def acquire_all(self, zone, first, count, created):
        """One transaction: COPY into a temporary table, and a statement that writes what differs and returns it."""
        body = self.body
        for plain, escaped in ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t")):
            body = body.replace(plain, escaped)
        lines = b"".join(b"default/%s/gateway-api-%010d\t%s\n" % (zone.encode(), i * 2654435761 % 2**32 + 2**32, body)
                         for i in range(first, first + count))
        data = message(b"d", lines) + message(b"c", b"")
        started = time.perf_counter()
        self.ask(ACQUIRE_ALL)
        self.connection.sendall(data)
        rows = self.rows()
        seconds = time.perf_counter() - started
        if len(rows) != created or any(generation != b"1" for _, _, generation in rows):
            raise PeerError(f"PostgreSQL wrote {len(rows)} of {count}, not {created}: {rows[:3]}")
        return seconds

    def count(self):
        """Each lease has an address of its own by the table's constraint; its creation must be in the feed."""
        [[leases, changes]] = self.ask("SELECT (SELECT count(*) FROM lease), (SELECT count(*) FROM change)")
        if leases != changes:
            raise PeerError(f"PostgreSQL has {int(leases)} leases and {int(changes)} changes")
        return int(leases)

"""Redis as a peer: a Lua script acquires a lease; every change is in the append-only file, on disk, before its answer."""
import socket
import threading
import time

from common import ANSWER_S, KEY, Peer, PeerError, find_program, flatten, free_ports

# KEYS: the lease. ARGV: its body. A hash for each lease, a hash from address to lease, and a stream as the change feed, whose ids are
# revisions. What is unchanged is only read, so that the append-only file does not grow and nobody waits for the disk.
SCRIPT = b"""
local lease, digest = KEYS[1], redis.sha1hex(ARGV[1])
local known = redis.call('HMGET', lease, 'digest', 'address', 'generation', 'revision')
if known[1] == digest then
  return redis.status_reply(string.format('unchanged %s %s %s', known[2], known[3], known[4]))
end
local address, generation, outcome = known[2], 1, 'created'
if known[1] then
  generation, outcome = known[3] + 1, 'updated'
else
  local n = redis.call('INCR', 'allocated') - 1
  if n >= 16777216 then
    return redis.error_reply('POOLEXHAUSTED no address is left')
  end
  address = string.format('241.%d.%d.%d', math.floor(n / 65536), math.floor(n / 256) % 256, n % 256)
end
local time, revision = redis.call('TIME'), redis.call('INCR', 'revision')
local now = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
if known[1] then
  redis.call('HSET', lease, 'digest', digest, 'generation', generation, 'revision', revision, 'modified', now)
else
  redis.call('HSET', lease, 'address', address, 'digest', digest, 'generation', generation, 'revision', revision,
             'created', now, 'modified', now)
  redis.call('HSET', 'addresses', address, lease)
end
redis.call('XADD', 'changes', revision .. '-0', 'lease', lease, 'address', address, 'generation', generation)
return redis.status_reply(string.format('%s %s %d %d', outcome, address, generation, revision))
"""
OTHER_KEYS = [b"allocated", b"revision", b"addresses", b"changes"]


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Redis(Peer):
    name = "Redis"
    protocol = "resp"
    connection, answers, script = None, None, b""

    def start(self):
        self.port = free_ports(1)[0]
        # The file is not rewritten during a run, which would cost Redis more.
        self.spawn([find_program("redis-server"), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.directory, "--save", "",
                    "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0", "--daemonize", "no"])
        self.connection = self.until(lambda: socket.create_connection(("127.0.0.1", self.port), ANSWER_S))
        self.answers = self.connection.makefile("rb")
        if self.ask(b"CONFIG", b"GET", b"appendfsync") != [b"appendfsync", b"always"]:
            raise PeerError("Redis does not write every change to disk")
        self.script = self.ask(b"SCRIPT", b"LOAD", SCRIPT)

    def close(self):
        if self.connection:
            self.answers.close()
            self.connection.close()
            self.connection = None

    def ask(self, *words):
        self.connection.sendall(command(*words))
        return self.answer()

    def answer(self):
        line = self.answers.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        if kind == b"$":
            return self.answers.read(int(rest) + 2)[:-2]
        if kind not in (b"+", b":"):
            raise PeerError(f"Redis answers {line!r}")
        return int(rest) if kind == b":" else rest

    def acquire(self, zone):
        lease = b"lease:default/%s/gateway-api-" % zone.encode()
        words = command(b"EVALSHA", self.script, b"1", lease + b"0123456789", self.body)
        head, tail = words.split(b"0123456789\r\n", 1)
        return [head, KEY, b"\r\n" + tail]

    def acquire_request(self, zone):
        return self.acquire(zone), "+created "

    def known_request(self, zone):
        return self.acquire(zone), "+unchanged "

    def acquire_all(self, zone, first, count, created):
        """One pipeline of one transaction, which is written and synced once."""
        parts = self.acquire(zone)
        pipeline = command(b"MULTI") + b"".join(flatten(parts, first + i) for i in range(count)) + command(b"EXEC")
        started = time.perf_counter()
        sender = threading.Thread(target=self.connection.sendall, args=(pipeline,))  # Redis may wait until its answers are read
        sender.start()
        told, lines, wanted = [], 0, 1 + count + 1 + count  # OK, QUEUED of each, how many, and each outcome
        while lines < wanted and not (told and b"\r\n-" in told[-1]):
            told.append(self.connection.recv(1 << 20) or b"\r\n-closed")
            lines += told[-1].count(b"\n")
        seconds = time.perf_counter() - started
        sender.join()
        told = b"".join(told)
        if [told.count(b"+" + word) for word in (b"QUEUED\r\n", b"created ", b"unchanged ")] != [count, created, count - created]:
            raise PeerError(f"Redis answers {told[-300:]!r}")
        return seconds

    def count(self):
        """Leases are the keys that are nothing else; each has an address, and each one's creation is in the feed."""
        leases = self.ask(b"DBSIZE") - self.ask(b"EXISTS", *OTHER_KEYS)
        addresses, changes = self.ask(b"HLEN", b"addresses"), self.ask(b"XLEN", b"changes")
        if not leases == addresses == changes:
            raise PeerError(f"Redis has {leases} leases, {addresses} addresses and {changes} changes")
        return leases

"""What the tests of moves and transfers share."""
import json

from harness import lease_path
from syncing import NDJSON, SyncCase

HOUR = {'overlap': '1h'}


def named(service, zone, mesh='default', **more):
    """An identity as a request names it."""
    return {'mesh': mesh, 'zone': zone, 'service': service, **more}


def to_another(service, zone, other, to_zone=None, **more):
    """An item of a transfer."""
    return {'from': named(service, zone, **more), 'to': named(other, to_zone or zone, **more)}


def previous(lease):
    """The addresses that a lease had before."""
    return [entry['ip'] for entry in lease.get('previousVips', [])]


class MoveCase(SyncCase):
    def move(self, zone, service='a', headers=None, server=None, kind='MeshService', **query):
        """A request to move a lease; a parameter may be a list."""
        pairs = [(name, value) for name, given in query.items() for value in (given if isinstance(given, list) else [given])]
        target = lease_path(service, zone, kind=kind) + '/move' + ''.join(
            f'{"&" if i else "?"}{name}={value}' for i, (name, value) in enumerate(pairs))
        return (server or self.server).post(target, headers=headers)

    def moved(self, zone, service='a', **query):
        answer = self.move(zone, service, **query)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def transfer(self, items, query='', epoch=None, form='list', server=None):
        """A request to transfer leases."""
        body = ''.join(json.dumps(item) + '\n' for item in items) if form == 'ndjson' else json.dumps({'items': items})
        headers = {'Content-Type': NDJSON if form == 'ndjson' else 'application/json'}
        if epoch is not None:
            headers['Holdfast-Zone-Epoch'] = str(epoch)
        return (server or self.server).post('/v1/transfers' + query, body, headers)

    def transferred(self, items, query='', **more):
        answer = self.transfer(items, query, **more)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual((answer.json()['transferred'], answer.json()['dryRun']), (len(items), 'dryRun=true' in query))
        return answer.json()

    def assertUntouched(self, act):
        """Runs `act`; neither the revision nor a byte of the file may change."""
        before = self.file_digest()
        result = self.assertWritesNothing(act)
        self.assertEqual(self.file_digest(), before, 'the file changed')
        return result

    def changes(self, since, zone=None, wait='0s', server=None):
        query = f'?since={since}&wait={wait}' + (f'&zone={zone}' if zone else '')
        answer = (server or self.server).get('/v1/changes' + query)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()['changes']

    def address(self, ip, server=None):
        """The state of an address, and the service that has it."""
        found = (server or self.server).get(f'/v1/addresses/{ip}').json()
        return found['state'], found['lease'] and found['lease']['service']

    def holders(self, ip, server=None):
        """Who held an address, newest first, and whether it still does."""
        found = (server or self.server).get(f'/v1/addresses/{ip}/history').json()['items']
        return [(holder['service'], holder['to'] is None) for holder in found]

    def assertVerified(self, server=None):
        answer = (server or self.server).post('/v1/verify').json()
        self.assertEqual((answer['violations'], answer['items']), (0, []))

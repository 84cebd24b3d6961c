"""A wall clock that is wrong: what the server says of it, and what it does not do."""
import os
import time
import unittest
from datetime import datetime

from faulty import FaultyCase
from harness import config, eventually, lease_path, vip

DAY, YEAR = 86400, 365 * 86400


class Clocks(FaultyCase):
    def wrong_by(self, seconds):
        """The clock is wrong from now on; replaced at once, so that it is never read by half."""
        path = os.path.join(self.faults, 'clock')
        with open(path + '.new', 'w', encoding='utf-8') as file:
            file.write(str(seconds))
        os.rename(path + '.new', path)

    def steps(self, direction):
        return self.server.metric(f'holdfast_clock_steps_total{{direction="{direction}"}}')

    def wait_for_step(self, seconds, direction, count):
        self.wrong_by(seconds)
        eventually(lambda: self.steps(direction) == count)

    def release(self, service):
        return self.server.delete(lease_path(service)).json()

    def left(self, lease):
        """Seconds that are left of its quarantine, by a clock that is right."""
        return datetime.fromisoformat(lease['quarantinedUntil']).timestamp() - time.time()

    def test_a_step_ends_no_quarantine_and_cuts_nothing(self):
        self.start()
        address = vip(self.server.put(lease_path('a'), config()))
        self.release('a')
        self.wait_for_step(3 * DAY, 'forward', 1)
        self.server.lines('level=warn msg="the wall clock stepped" seconds=+259')
        self.assertProblem(self.server.put(lease_path('b') + f'?address={address}', config()), 409, 'address-taken')
        self.wrong_by(0)  # soon enough not to be followed, or not: both is right
        eventually(lambda: 'stepped back again' in self.server.log() or self.steps('backward') == 1)
        self.assertEqual(vip(self.server.put(lease_path('a'), config())), address)
        self.assertEqual(self.server.get('/v1/changes?since=0').status, 200)

    def test_what_is_released_while_the_clock_is_years_ahead_ends_in_time(self):
        self.start()
        for service in 'ab':
            self.server.put(lease_path(service), config())
        self.release('a')
        self.server.stop()
        self.wrong_by(5 * YEAR)
        self.server.start()  # which follows at once
        self.assertIn('level=warn msg="the wall clock stepped" seconds=+1576', self.server.log())
        self.assertGreater(self.left(self.release('b')), 5 * YEAR)
        self.wait_for_step(0, 'backward', 1)
        self.assertLess(self.server.get('/v1/status').json()['uptimeSeconds'], 600)
        for service in 'ab':
            self.assertAlmostEqual(self.left(self.server.get(lease_path(service)).json()), 3600, delta=600)

    def test_started_before_the_clock_is_set(self):
        self.start()
        self.server.put(lease_path('a'), config())
        self.release('a')
        self.server.stop()
        self.wrong_by(100 - int(time.time()))
        self.server.start()
        eventually(lambda: 'msg="the wall clock is not set"' in self.server.log())
        self.assertLess(self.server.metric('holdfast_clock_offset_seconds'), -40 * YEAR)
        created = self.server.put(lease_path('b'), config()).json()['createdAt']
        self.assertGreater(created, '2020')
        self.wrong_by(0)
        status = self.server.get('/v1/status').json()
        self.assertLess(status['uptimeSeconds'], 600)
        self.assertGreater(status['startedAt'], '2020')
        self.assertLess(abs(self.server.metric('holdfast_clock_offset_seconds')), 2)
        self.assertEqual(self.server.get(lease_path('a')).json()['state'], 'quarantined')


if __name__ == '__main__':
    unittest.main()

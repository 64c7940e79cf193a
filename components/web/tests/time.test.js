// Times in the zone Europe/Berlin, with a change to winter time on 25 October 2026.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';

const { briefTime, clock, dayHeading, dayOf } = await import('../assets/time.js');

/** @param {string} at */
const setNow = (at) => mock.timers.enable({ apis: ['Date'], now: Date.parse(at) });

afterEach(() => mock.timers.reset());

it('a day is a day of the local time zone', () => {
  assert.equal(clock('2026-01-01T22:59:59Z'), '23:59');
  assert.notEqual(dayOf('2026-01-01T22:59:59Z'), dayOf('2026-01-01T23:00:00Z'));
  assert.equal(dayOf('2026-01-01T23:00:00Z'), dayOf('2026-01-02T22:59:59Z'));
});

describe('the heading of a day', () => {
  it('is Today and Yesterday by the calendar', () => {
    setNow('2026-03-10T12:00:00Z');
    assert.equal(dayHeading('2026-03-09T23:00:00Z'), 'Today');
    assert.equal(dayHeading('2026-03-09T22:59:59Z'), 'Yesterday');
    assert.match(dayHeading('2026-03-08T22:59:59Z'), /^Sunday,? 8 March 2026$/);
  });

  it('is right on a day of 25 hours', () => {
    setNow('2026-10-25T22:30:00Z');
    assert.equal(dayHeading('2026-10-25T22:00:00Z'), 'Today');
    assert.equal(dayHeading('2026-10-24T12:00:00Z'), 'Yesterday');
  });

  it('is right after a day of 23 hours', () => {
    setNow('2026-03-29T22:30:00Z');
    assert.equal(dayHeading('2026-03-29T12:00:00Z'), 'Yesterday');
    assert.match(dayHeading('2026-03-28T12:00:00Z'), /^Saturday,? 28 March 2026$/);
  });
});

it('a short time is a clock time, then a weekday, then a date', () => {
  setNow('2026-03-10T12:00:00Z');
  assert.equal(briefTime('2026-03-10T07:05:00Z'), '08:05');
  assert.equal(briefTime('2026-03-09T07:05:00Z'), 'Yesterday');
  assert.equal(briefTime('2026-03-05T07:05:00Z'), 'Thursday');
  assert.equal(briefTime('2026-03-01T07:05:00Z'), '1 Mar');
});

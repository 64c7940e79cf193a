// The feed reconnects with backoff and resumes after the last event.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { openFeed } from '../assets/feed.js';
import { settled } from './support.js';

/** @import { FeedEvent } from '../types/service.d.ts' */

/** An `EventSource` that a test drives. */
class FakeEventSource extends EventTarget {
  static CLOSED = 2;
  /** @type {FakeEventSource[]} */
  static all = [];

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    this.readyState = 0;
    this.onopen = () => {};
    this.onerror = () => {};
    FakeEventSource.all.push(this);
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  /** @param {FeedEvent} event @param {string} [lastEventId] */
  send({ type, ...data }, lastEventId = '') {
    this.dispatchEvent(Object.assign(new Event(type), { data: JSON.stringify(data), lastEventId }));
  }

  close() {
    this.readyState = 2;
  }
}

const LONGEST_PAUSE_MS = 8_000;
const newest = () => FakeEventSource.all[FakeEventSource.all.length - 1];
const count = () => FakeEventSource.all.length;

/** @param {(lastEventId: string) => Promise<string>} [url] */
async function open(url = async (lastEventId) => `/events?${lastEventId}`) {
  /** @type {FeedEvent[]} */
  const events = [];
  /** @type {string[]} */
  const changes = [];
  const feed = openFeed({
    open: async (lastEventId) => new EventSource(await url(lastEventId)),
    onEvent: (event) => events.push(event),
    onUp: () => changes.push('up'),
    onDown: () => changes.push('down'),
  });
  await settled();
  return { feed, events, changes };
}

/** @param {number} ms */
async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

describe('the feed', () => {
  beforeEach(() => {
    FakeEventSource.all = [];
    Object.defineProperty(globalThis, 'EventSource', { value: FakeEventSource, configurable: true });
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  });
  afterEach(() => mock.timers.reset());

  it('resumes after the last event', async () => {
    const { events, changes } = await open();
    newest().open();
    newest().send({ type: 'online', userId: 2 }, '5-0');
    newest().send({ type: 'resync' });
    newest().onerror();
    await pass(LONGEST_PAUSE_MS);
    newest().open();
    assert.equal(newest().url, '/events?5-0');
    assert.deepEqual(events, [{ type: 'online', userId: 2 }, { type: 'resync' }]);
    assert.deepEqual(changes, ['up', 'down', 'up']);
  });

  it('ignores what a replaced stream still delivers', async () => {
    const { feed, events, changes } = await open();
    const old = newest();
    old.open();
    feed.replace();
    await settled();
    old.send({ type: 'online', userId: 2 }, '5-0');
    old.onerror();
    old.onopen();
    assert.equal(old.readyState, FakeEventSource.CLOSED);
    assert.equal(count(), 2);
    assert.deepEqual([events, changes], [[], ['up']]);
  });

  it('backs off for longer with each failure, and anew after a success', async () => {
    await open();
    newest().open();
    for (let n = 0; n < 8; n++) {
      newest().onerror();
      await pass(LONGEST_PAUSE_MS);
    }
    newest().onerror();
    await pass(LONGEST_PAUSE_MS / 2 - 1);
    assert.equal(count(), 9);
    await pass(LONGEST_PAUSE_MS / 2 + 1);
    newest().open();
    newest().onerror();
    await pass(400);
    assert.equal(count(), 11);
  });

  it('gives up a connection without a response after 15 s', async () => {
    const { changes } = await open();
    await pass(14_999);
    assert.deepEqual(changes, []);
    await pass(1);
    assert.deepEqual(changes, ['down']);
    await pass(LONGEST_PAUSE_MS);
    newest().open();
    await pass(60_000);
    assert.deepEqual([changes, count()], [['down', 'up'], 2]);
  });

  it('tries again when its URL cannot be made, at once if asked to', async () => {
    let failures = 2;
    const { feed, changes } = await open(async () => {
      if (failures-- > 0) throw new Error('no ticket');
      return '/events';
    });
    await pass(LONGEST_PAUSE_MS);
    feed.reconnectNow();
    await settled();
    newest().open();
    assert.deepEqual(changes, ['down', 'down', 'up']);
  });

  it('leaves an open stream alone when asked to reconnect now', async () => {
    const { feed } = await open();
    newest().open();
    feed.reconnectNow();
    await settled();
    assert.equal(count(), 1);
  });

  it('opens a new stream after the machine slept', async () => {
    await open();
    newest().open();
    await pass(60_000);
    assert.equal(count(), 1);
    mock.timers.setTime(Date.now() + 3_600_000);
    await pass(5_000);
    assert.equal(count(), 2);
  });

  it('stays closed', async () => {
    const { feed } = await open();
    newest().open();
    feed.close();
    feed.reconnectNow();
    feed.replace();
    await pass(3_600_000);
    assert.equal(count(), 1);
    assert.equal(newest().readyState, FakeEventSource.CLOSED);
  });
});

// The end of a session, seen by this tab or another one.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createGuard } from '../assets/guard.js';
import { ApiError } from '../assets/http.js';
import { deferred, ME, OTHER, session, settled } from './support.js';

/**
 * A guarded page, whose browser has the session of a user, or none.
 *
 * @param {{ hasSession?: boolean }} [settings]
 */
function open({ hasSession = true } = {}) {
  /** @type {string[]} */
  const seen = [];
  const browser = { user: /** @type {number | undefined} */ (ME), failure: /** @type {ApiError | undefined} */ (undefined) };
  /** @type {((event: MessageEvent) => void)[]} */
  const listeners = [];
  /** @type {ReturnType<typeof deferred<number>>} */
  let dialog = deferred();
  const guard = createGuard({
    identity: { user: ME, hasSession },
    sessions: {
      async list() {
        if (browser.failure) throw browser.failure;
        if (!browser.user) throw new ApiError(401);
        return [session({ userId: browser.user, current: true })];
      },
    },
    tabs: {
      postMessage: (report) => void seen.push(`reports ${report}`),
      addEventListener: (/** @type {string} */ _type, /** @type {any} */ listener) => void listeners.push(listener),
    },
    signIn() {
      seen.push('asks');
      dialog = deferred();
      return dialog.promise;
    },
    onLock: () => void seen.push('locks'),
    onUnlock: () => void seen.push('unlocks'),
    leave: () => void seen.push('leaves'),
  });
  return {
    guard,
    seen,
    browser,
    /** @param {string} data */
    hear: (data) => listeners.forEach((listener) => listener(/** @type {MessageEvent} */ ({ data }))),
    /** @param {number} user */
    async signIn(user) {
      dialog.resolve(user);
      await settled();
    },
  };
}

it('a page whose session ended is locked until the same user signs in', async () => {
  const { guard, seen, signIn } = open();
  guard.expire();
  assert.deepEqual([guard.isOpen(), seen], [false, ['locks', 'asks']]);
  await signIn(ME);
  assert.deepEqual([guard.isOpen(), seen], [true, ['locks', 'asks', 'unlocks']]);
});

it('another user gets a page of their own', async () => {
  const { guard, seen, signIn } = open();
  guard.expire();
  await signIn(OTHER);
  assert.deepEqual([guard.isOpen(), seen], [false, ['locks', 'asks', 'leaves']]);
});

it('many refusals ask once', () => {
  const { guard, seen } = open();
  for (let n = 0; n < 3; n++) guard.expire();
  assert.deepEqual(seen, ['locks', 'asks']);
});

it('a sign-out is reported to the other tabs, and they leave too', () => {
  const one = open();
  one.guard.signedOut();
  assert.deepEqual(one.seen, ['reports signed-out', 'locks', 'leaves']);
  const two = open();
  two.hear('signed-out');
  assert.deepEqual([two.guard.isOpen(), two.seen], [false, ['locks', 'leaves']]);
});

it('a sign-in in another tab matters only if it is of another user', async () => {
  const { browser, hear, seen } = open();
  hear('signed-in');
  await settled();
  assert.deepEqual(seen, []);
  browser.user = OTHER;
  hear('signed-in');
  await settled();
  assert.deepEqual(seen, ['locks', 'leaves']);
});

it('the feed is not opened without the session of the user', async () => {
  const { guard, browser, seen } = open();
  await guard.verify();
  browser.failure = new ApiError(503);
  await assert.rejects(guard.verify(), { status: 503 });
  assert.deepEqual(seen, []);
  browser.failure = undefined;
  browser.user = undefined;
  await assert.rejects(guard.verify(), { status: 401 });
  assert.deepEqual(seen, ['locks', 'asks']);
});

it('with auth_mode open nothing is asked, and no other tab matters', async () => {
  const { guard, browser, hear, seen } = open({ hasSession: false });
  browser.user = undefined;
  await guard.verify();
  hear('signed-out');
  assert.deepEqual([guard.isOpen(), seen], [true, []]);
});

it('a service that came to ask for tokens gets a page anew', async () => {
  const { guard, seen, signIn } = open({ hasSession: false });
  guard.expire();
  await signIn(ME);
  assert.deepEqual(seen, ['locks', 'asks', 'leaves']);
});

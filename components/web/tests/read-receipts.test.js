// The newest message is reported as read once it is in view of a focused page.

import './browser.js';
import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import { createReadReceipts } from '../assets/read-receipts.js';
import { createStore } from '../assets/store.js';
import { after, ME, message, messages, newMessage, opened, ROOM, settled, threadLoaded } from './support.js';

const page = { visibilityState: 'visible', isFocused: true, isAtEnd: true };

beforeEach(() => {
  Object.assign(page, { visibilityState: 'visible', isFocused: true, isAtEnd: true });
  const fakeDocument = {
    get visibilityState() {
      return page.visibilityState;
    },
    hasFocus: () => page.isFocused,
    addEventListener() {},
  };
  Object.defineProperty(globalThis, 'document', { value: fakeDocument, configurable: true });
  Object.defineProperty(globalThis, 'addEventListener', { value() {}, configurable: true });
});

function open() {
  const store = createStore(after(opened(), threadLoaded(messages(1, 4))));
  /** @type {number[]} */
  const reported = [];
  const failures = /** @type {Error[]} */ ([]);
  const api = {
    /** @param {number} id */
    async read(id) {
      reported.push(id);
      const failure = failures.pop();
      if (failure) throw failure;
    },
  };
  const receipts = createReadReceipts({ api: /** @type {any} */ (api), store, isAtEnd: () => page.isAtEnd });
  return { store, receipts, reported, failures };
}

it('the newest message of another sender is reported once', async () => {
  const { store, receipts, reported } = open();
  receipts.check();
  receipts.check();
  await settled();
  assert.deepEqual(reported, [103]);
  assert.equal(store.get().reads.get(ROOM)?.get(ME), 3);
  assert.equal(store.get().newestInView, true);
  store.dispatch(newMessage(message(5)));
  receipts.check();
  assert.deepEqual(reported, [103, 105]);
});

it('nothing is reported while the page is hidden, not focused, or scrolled up', () => {
  for (const change of [{ visibilityState: 'hidden' }, { isFocused: false }, { isAtEnd: false }]) {
    const { store, receipts, reported } = open();
    const before = { ...page };
    Object.assign(page, change);
    receipts.check();
    Object.assign(page, before);
    assert.deepEqual([reported, store.get().newestInView], [[], false], JSON.stringify(change));
  }
});

it('a report that failed is repeated by the next check', async () => {
  const { receipts, reported, failures } = open();
  failures.push(new Error('lost'));
  receipts.check();
  await settled();
  receipts.check();
  await settled();
  receipts.check();
  assert.deepEqual(reported, [103, 103]);
});

// Messages are sent in order, once each, through failures and reloads.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import { ApiError } from '../assets/http.js';
import { removeLeftovers } from '../assets/leftovers.js';
import { createOutbox } from '../assets/outbox.js';
import { createStore, initialState } from '../assets/store.js';
import { ME, memoryStorage, message, ROOM, settled } from './support.js';

/** @import { PendingMessage } from '../types/state.d.ts' */

const unavailable = () => new ApiError(503, undefined, '1');
/** The service accepts the message, and the response does not arrive. */
const LOST = /** @type {const} */ ('lost response');
const LONGEST_PAUSE_MS = 8_000;

/**
 * A service that answers requests with these outcomes, and then accepts every message.
 *
 * @param {(Error | typeof LOST)[]} outcomes
 */
function service(...outcomes) {
  /** @type {PendingMessage[]} */
  const requests = [];
  /** @type {Map<string, number>} */
  const accepted = new Map();
  /** @param {PendingMessage} pending */
  async function send(pending) {
    requests.push(pending);
    const outcome = outcomes.shift();
    if (outcome instanceof Error) throw outcome;
    const ordinal = accepted.get(pending.clientMessageId) ?? accepted.size + 1;
    accepted.set(pending.clientMessageId, ordinal);
    if (outcome === LOST) throw new ApiError(0);
    const { content, clientMessageId } = pending;
    return message(ordinal, { senderId: ME, content, clientMessageId });
  }
  return { send, requests, accepted };
}

/** @param {ReturnType<typeof service>} api */
function open(api, storage = memoryStorage(), isOpen = () => true) {
  const store = createStore(initialState(ME));
  const outbox = createOutbox({ api, store, storage, isOpen });
  const contents = () => store.get().threads.get(ROOM)?.messages.map(({ content }) => content);
  return { store, outbox, storage, contents };
}

/** @param {number} times */
async function passTime(times) {
  for (let n = 0; n < times; n++) {
    await settled();
    mock.timers.tick(LONGEST_PAUSE_MS);
  }
  await settled();
}

describe('the outbox', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('sends messages one after another, each once and in order, whatever fails', async () => {
    const outcome = fc.constantFrom(unavailable(), new ApiError(0), new ApiError(429), LOST);
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { maxLength: 12 }), fc.integer({ min: 1, max: 6 }), async (outcomes, count) => {
        const api = service(...outcomes);
        const { store, outbox, contents } = open(api);
        const texts = Array.from({ length: count }, (_, index) => `Message ${index}`);
        texts.forEach((text) => outbox.send(ROOM, text));
        await passTime(outcomes.length + count);
        assert.deepEqual(contents(), texts);
        assert.equal(api.accepted.size, count);
        assert.deepEqual(store.get().pending, []);
      }),
      { numRuns: 50 },
    );
  });

  it('has one request under way at a time', async () => {
    let underWay = 0;
    let most = 0;
    const api = service();
    const slow = {
      ...api,
      /** @param {PendingMessage} pending */
      async send(pending) {
        most = Math.max(most, ++underWay);
        await settled();
        underWay--;
        return api.send(pending);
      },
    };
    const { outbox } = open(slow);
    for (let n = 0; n < 5; n++) outbox.send(ROOM, `${n}`);
    await passTime(12);
    assert.equal(api.accepted.size, 5);
    assert.equal(most, 1);
  });

  it('backs off, and waits for at least the time of Retry-After', async () => {
    const api = service(new ApiError(429, undefined, '30'));
    const { outbox } = open(api);
    outbox.send(ROOM, 'One');
    await settled();
    mock.timers.tick(29_000);
    await settled();
    assert.equal(api.requests.length, 1);
    mock.timers.tick(1_000);
    await settled();
    assert.equal(api.requests.length, 2);
  });

  it('does not send again what a refresh has brought after a lost response', async () => {
    const api = service(LOST);
    const { store, outbox, contents } = open(api);
    outbox.send(ROOM, 'One');
    outbox.send(ROOM, 'Two');
    await settled();
    const [{ clientMessageId }] = api.requests;
    const loaded = message(1, { senderId: ME, content: 'One', clientMessageId });
    store.dispatch({ type: 'thread-loaded', conversationId: ROOM, messages: [loaded], prev: undefined });
    await passTime(1);
    assert.deepEqual(api.requests.map(({ content }) => content), ['One', 'Two']);
    assert.deepEqual(contents(), ['One', 'Two']);
  });

  it('retries at once when it is asked to', async () => {
    const api = service(unavailable());
    const { outbox, contents } = open(api);
    outbox.send(ROOM, 'One');
    await settled();
    outbox.retryNow();
    await settled();
    assert.deepEqual(contents(), ['One']);
  });

  it('goes on behind a refused message, which can be sent again', async () => {
    const api = service(new ApiError(422, { errors: [{ field: 'content', message: 'is too long' }] }));
    const { store, outbox, contents } = open(api);
    outbox.send(ROOM, 'Refused');
    outbox.send(ROOM, 'Accepted');
    await passTime(2);
    assert.deepEqual(contents(), ['Accepted']);
    const [{ clientMessageId, error }] = store.get().pending;
    assert.equal(error, 'content is too long.');
    outbox.retry(clientMessageId);
    await passTime(1);
    assert.deepEqual(contents(), ['Accepted', 'Refused']);
    assert.equal(api.requests[0].clientMessageId, api.requests[2].clientMessageId);
  });

  it('sends what was pending when the page was reloaded, under the same clientMessageId', async () => {
    const down = service(...Array.from({ length: 9 }, unavailable));
    const before = open(down);
    before.outbox.send(ROOM, 'One');
    before.outbox.send(ROOM, 'Two');
    await settled();
    const up = service();
    const reloaded = open(up, before.storage);
    await settled();
    assert.deepEqual(reloaded.contents(), ['One', 'Two']);
    assert.equal(up.requests[0].clientMessageId, down.requests[0].clientMessageId);
    await settled();
    assert.deepEqual(open(service(), before.storage).store.get().pending, []);
  });

  it('leaves nothing in the storage once everything is sent', async () => {
    const { outbox, storage } = open(service(unavailable()));
    outbox.send(ROOM, 'One');
    assert.equal(storage.length, 1);
    await passTime(2);
    assert.equal(storage.length, 0);
  });

  it('stores nothing while the user is signed out, and goes on afterwards', async () => {
    let isOpen = true;
    const { outbox, storage, contents } = open(service(new ApiError(401)), memoryStorage(), () => isOpen);
    outbox.send(ROOM, 'One');
    await settled();
    isOpen = false;
    removeLeftovers(storage);
    outbox.send(ROOM, 'Two');
    assert.equal(storage.length, 0);
    isOpen = true;
    outbox.resume();
    assert.equal(storage.length, 1);
    await passTime(2);
    assert.deepEqual(contents(), ['One', 'Two']);
    assert.equal(storage.length, 0);
  });

  it('sends messages also when the storage is full', async () => {
    const storage = memoryStorage();
    storage.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    const { outbox, contents } = open(service(), storage);
    outbox.send(ROOM, 'One');
    await settled();
    assert.deepEqual(contents(), ['One']);
  });

  it('makes a version 4 UUID for each message', async () => {
    const api = service();
    const { outbox } = open(api);
    outbox.send(ROOM, 'One');
    outbox.send(ROOM, 'Two');
    await settled();
    const ids = api.requests.map(({ clientMessageId }) => clientMessageId);
    for (const id of ids) assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    assert.notEqual(ids[0], ids[1]);
  });
});

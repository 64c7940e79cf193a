// The outbox: pending messages, sent in order and retried until the service has accepted them.
//
// Each message keeps its `clientMessageId`, its idempotency key, over all retries: after a restart
// or a lost response it is still one message. Pending messages survive a reload of the page in the
// session storage of this tab.

import { backoff } from './backoff.js';
import { ApiError } from './http.js';
import { outboxKey } from './leftovers.js';

/**
 * @import { PendingMessage, Store } from '../types/state.d.ts'
 * @import { Api } from './api.js'
 * @typedef {ReturnType<typeof createOutbox>} Outbox
 */

/** @param {{ api: Pick<Api, 'send'>, store: Store, storage?: Storage, isOpen?: () => boolean }} context */
export function createOutbox({ api, store, storage = sessionStorage, isOpen = () => true }) {
  const key = outboxKey(store.get().me);
  let isRunning = false;
  let endPause = () => {};

  const next = () => store.get().pending.find(({ error }) => !error);
  /** @param {PendingMessage} item */
  const isPending = ({ clientMessageId }) =>
    store.get().pending.some((item) => item.clientMessageId === clientMessageId);

  /** Sends one message at a time, so that they arrive in order. */
  async function run() {
    if (isRunning) return;
    isRunning = true;
    for (let item = next(), failures = 0; item; item = next()) {
      failures = (await deliver(item, failures)) ? 0 : failures + 1;
    }
    isRunning = false;
  }

  /**
   * Whether the next message may be sent without a pause.
   *
   * @param {PendingMessage} item
   * @param {number} failures
   */
  async function deliver(item, failures) {
    try {
      const message = await api.send(item);
      store.dispatch({ type: 'new-message', conversationId: item.conversationId, message });
      return true;
    } catch (error) {
      const refusal = error instanceof ApiError ? error : new ApiError(0);
      if (refusal.isPermanent) {
        store.dispatch({ type: 'refused', clientMessageId: item.clientMessageId, error: refusal.reason });
      } else if (isPending(item)) {
        await pause(Math.max(backoff(failures), refusal.retryAfterMs || 0));
      }
      return refusal.isPermanent;
    }
  }

  /** @type {(ms: number) => Promise<void>} */
  const pause = (ms) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  function restore() {
    /** @type {PendingMessage[]} */
    const items = JSON.parse(storage.getItem(key) ?? '[]');
    items.forEach((item) => store.dispatch({ type: 'queued', item }));
  }

  function persist() {
    const { pending } = store.get();
    if (!isOpen()) return;
    try {
      if (pending.length) storage.setItem(key, JSON.stringify(pending));
      else storage.removeItem(key);
    } catch {
      // The storage is full: the messages are still sent, but do not survive a reload.
    }
  }

  restore();
  let persisted = store.get().pending;
  store.subscribe(({ pending }) => {
    if (pending === persisted) return;
    persisted = pending;
    persist();
  });
  run();

  return {
    /**
     * @param {number} conversationId
     * @param {string} content
     * @param {number} [replyToId]
     */
    send(conversationId, content, replyToId) {
      const clientMessageId = uuid();
      const createdAt = new Date().toISOString();
      store.dispatch({ type: 'queued', item: { clientMessageId, conversationId, content, replyToId, createdAt } });
      run();
    },
    /**
     * Sends a refused message again, with the same `clientMessageId`.
     *
     * @param {string} clientMessageId
     */
    retry(clientMessageId) {
      store.dispatch({ type: 'requeued', clientMessageId });
      run();
    },
    /** Retries now instead of after the backoff. */
    retryNow: () => endPause(),
    /** Stores what is pending again, and sends it, after the user has signed in again. */
    resume() {
      persist();
      endPause();
    },
  };
}

/** A version 4 UUID; `crypto.randomUUID` exists only in secure contexts. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

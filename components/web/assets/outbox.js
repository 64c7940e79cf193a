// Messages on their way.
//
// A message goes out under one `clientMessageId` until the service has it: sent again
// after a restart or a lost answer, it is still one message. What is on its way survives
// a reload of the page, in the storage of this tab alone.

import { delay } from './delay.js';

export function createOutbox({ api, store, storage = sessionStorage }) {
  const key = `lexiflow.outbox.${store.get().me}`;
  let isRunning = false;
  let wakeUp = () => {};

  const next = () => store.get().pending.find(({ error }) => !error);
  const isPending = ({ clientMessageId }) =>
    store.get().pending.some((item) => item.clientMessageId === clientMessageId);

  /** One after another, so that they arrive in order. */
  async function run() {
    if (isRunning) return;
    isRunning = true;
    for (let item = next(), failures = 0; item; item = next()) {
      failures = (await deliver(item, failures)) ? 0 : failures + 1;
    }
    isRunning = false;
  }

  async function deliver(item, failures) {
    try {
      const message = await api.send(item);
      store.dispatch({ type: 'new-message', conversationId: item.conversationId, message });
      return true;
    } catch (error) {
      if (error.isPermanent) {
        store.dispatch({ type: 'refused', clientMessageId: item.clientMessageId, error: error.reason });
      } else if (isPending(item)) {
        await pause(Math.max(delay(failures), error.retryAfterMs || 0));
      }
      return error.isPermanent;
    }
  }

  const pause = (ms) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  function restore() {
    const items = JSON.parse(storage.getItem(key) ?? '[]');
    items.forEach((item) => store.dispatch({ type: 'queued', item }));
  }

  restore();
  store.subscribe(({ pending }, { type }) => {
    if (['queued', 'new-message', 'refused', 'requeued', 'discarded'].includes(type)) {
      storage.setItem(key, JSON.stringify(pending));
    }
  });
  run();

  return {
    send(conversationId, content, replyToId) {
      const clientMessageId = uuid();
      const createdAt = new Date().toISOString();
      store.dispatch({ type: 'queued', item: { clientMessageId, conversationId, content, replyToId, createdAt } });
      run();
    },
    /** Tries a refused message again: the same message still. */
    retry(clientMessageId) {
      store.dispatch({ type: 'requeued', clientMessageId });
      run();
    },
    /** Tries at once what waits for its next try. */
    wake: () => wakeUp(),
  };
}

/** `crypto.randomUUID` is only there on https and localhost. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

// The user's typing indicator.

/**
 * @import { Api } from './api.js'
 * @typedef {ReturnType<typeof createTyping>} Typing
 */

/** The service's `typing_ttl` is ten seconds by default. */
const REFRESH_MS = 4_000;

/** @param {{ api: Api }} context */
export function createTyping({ api }) {
  /** @type {number | undefined} */
  let conversation;
  let sentAt = 0;

  // A lost indicator is harmless: the next one follows.
  /** @type {(id: number, isTyping: boolean) => Promise<unknown>} */
  const send = (id, isTyping) => api.setTyping(id, isTyping).catch(() => {});

  function stop() {
    if (conversation) send(conversation, false);
    conversation = undefined;
  }

  return {
    stop,
    /** @param {number} id */
    typed(id) {
      if (conversation !== id) stop();
      if (conversation === id && Date.now() - sentAt < REFRESH_MS) return;
      conversation = id;
      sentAt = Date.now();
      send(id, true);
    },
  };
}

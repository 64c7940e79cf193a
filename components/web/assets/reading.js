// Tells the service what was read: the newest message, once it is in view of somebody.

import { newestForeign } from './selectors.js';

export function createReading({ api, store, isAtEnd }) {
  /** By conversation, the ordinal up to which the service was told. */
  const told = new Map();

  const isWatched = () => document.visibilityState === 'visible' && document.hasFocus();

  function look() {
    const { open, threads } = store.get();
    const thread = threads.get(open);
    const value = thread?.status === 'ready' && isWatched() && isAtEnd();
    store.dispatch({ type: 'attentive', value });
    const message = value && newestForeign(store.get(), thread);
    if (message && message.ordinal > (told.get(open) ?? 0)) tell(open, message);
  }

  async function tell(conversation, message) {
    const before = told.get(conversation);
    told.set(conversation, message.ordinal);
    try {
      await api.read(message.id);
      const { me } = store.get();
      store.dispatch({ type: 'message-read', conversationId: conversation, message, userId: me });
    } catch {
      // Told again by the next look, which at the latest follows the reconnection.
      told.set(conversation, before);
    }
  }

  ['focus', 'blur'].forEach((type) => addEventListener(type, look));
  document.addEventListener('visibilitychange', look);
  return { look };
}

// Read receipts: reports the newest message as read once it is in view of a focused page.

import { newestForeign } from './selectors.js';

export function createReadReceipts({ api, store, isAtEnd }) {
  /** By conversation: the ordinal up to which reading was reported. */
  const reported = new Map();

  const isFocused = () => document.visibilityState === 'visible' && document.hasFocus();

  function check() {
    const { open, threads } = store.get();
    const thread = threads.get(open);
    const value = thread?.status === 'ready' && isFocused() && isAtEnd();
    store.dispatch({ type: 'newest-in-view', value });
    const message = value && newestForeign(store.get(), thread);
    if (message && message.ordinal > (reported.get(open) ?? 0)) report(open, message);
  }

  async function report(conversation, message) {
    const before = reported.get(conversation);
    reported.set(conversation, message.ordinal);
    try {
      await api.read(message.id);
      const { me } = store.get();
      store.dispatch({ type: 'message-read', conversationId: conversation, message, userId: me });
    } catch {
      // The next check reports it again, at the latest after the reconnection.
      reported.set(conversation, before);
    }
  }

  ['focus', 'blur'].forEach((type) => addEventListener(type, check));
  document.addEventListener('visibilitychange', check);
  return { check };
}

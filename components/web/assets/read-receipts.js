// Read receipts: reports the newest message as read once it is in view of a focused page.

import { newestForeign, openThread } from './selectors.js';

/**
 * @import { Message } from '../types/service.d.ts'
 * @import { Store } from '../types/state.d.ts'
 * @import { Api } from './api.js'
 */

/** @param {{ api: Api, store: Store, isAtEnd: () => boolean }} context */
export function createReadReceipts({ api, store, isAtEnd }) {
  /** By conversation: the ordinal up to which reading was reported. @type {Map<number, number>} */
  const reported = new Map();

  const isFocused = () => document.visibilityState === 'visible' && document.hasFocus();

  function check() {
    const { open } = store.get();
    const thread = openThread(store.get());
    const isInView = thread?.status === 'ready' && isFocused() && isAtEnd();
    store.dispatch({ type: 'newest-in-view', value: isInView });
    if (!open || !thread || !isInView) return;
    const message = newestForeign(store.get(), thread);
    if (message && message.ordinal > (reported.get(open) ?? 0)) report(open, message);
  }

  /**
   * @param {number} conversation
   * @param {Message} message
   */
  async function report(conversation, message) {
    const before = reported.get(conversation) ?? 0;
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

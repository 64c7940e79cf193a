// Messages further up in an open conversation: the pages around one of them, in place of the newest ones.

import { PAGE_SIZE } from './api.js';
import { ApiError } from './http.js';

/**
 * @import { Store } from '../types/state.d.ts'
 * @import { Api } from './api.js'
 */

/** How many pages a refresh loads at most. Later ones are loaded again when they are scrolled to. */
const REFRESHED_PAGES = 6;

/**
 * @param {{
 *   api: Api,
 *   store: Store,
 *   ensureListed: (id: number) => Promise<void>,
 *   loadRest: (id: number) => Promise<unknown>,
 *   refreshThread: (id: number) => Promise<void>,
 *   failThread: (id: number, error: unknown) => void,
 * }} context
 */
export function createThreadWindow({ api, store, ensureListed, loadRest, refreshThread, failThread }) {
  const { dispatch } = store;
  /** @param {number} id */
  const messagesOf = (id) => store.get().threads.get(id)?.messages ?? [];
  /** @param {number} id */
  const isOpen = (id) => Boolean(store.get().threads.get(id)?.hasLater);

  /** The number of the newest jump: a later answer to an earlier one does not count. */
  let jumps = 0;

  /**
   * Opens a conversation at a message: loads the pages around it, or the newest if there is no such message.
   *
   * @param {number} id
   * @param {number} messageId
   */
  async function openAt(id, messageId) {
    const jump = ++jumps;
    if (messagesOf(id).some((message) => message.id === messageId)) {
      await refreshThread(id);
      return;
    }
    dispatch({ type: 'thread-loading', conversationId: id });
    try {
      await ensureListed(id);
      const around = await pagesAround(id, messageId);
      if (jump !== jumps) return;
      dispatch({ type: 'thread-around', conversationId: id, ...around });
      await loadRest(id);
    } catch (error) {
      if (jump !== jumps) return;
      if (error instanceof ApiError && error.isGone) await refreshThread(id);
      else failThread(id, error);
    }
  }

  /**
   * @param {number} id
   * @param {number} messageId
   */
  async function pagesAround(id, messageId) {
    const [message, before, after] = await Promise.all([
      api.message(messageId), api.messagesBefore(id, messageId), api.messagesAfter(id, messageId),
    ]);
    if (message.conversationId !== id) throw new ApiError(404);
    const messages = [...before.items, message, ...after.items];
    return { messages, prev: before.prev, hasLater: after.items.length === PAGE_SIZE };
  }

  /**
   * Loads again what is loaded, unless the user goes elsewhere in the conversation in the time.
   *
   * @param {number} id
   */
  async function reload(id) {
    const [first, last] = [messagesOf(id)[0], messagesOf(id).at(-1)];
    const prev = store.get().threads.get(id)?.prev;
    const messages = [await api.message(first.id)];
    let isLast = false;
    for (let page = 0; !isLast && page < REFRESHED_PAGES && messages.at(-1)?.id !== last?.id; page++) {
      const { items } = await api.messagesAfter(id, messages.at(-1)?.id ?? first.id);
      messages.push(...items);
      isLast = items.length < PAGE_SIZE;
    }
    const isSame = isOpen(id) && messagesOf(id)[0]?.id === first.id;
    if (isSame) dispatch({ type: 'thread-around', conversationId: id, messages, prev, hasLater: !isLast });
  }

  /** @param {number} id */
  async function loadLater(id) {
    const newest = messagesOf(id).at(-1);
    if (!newest || !isOpen(id)) return;
    const { items } = await api.messagesAfter(id, newest.id);
    dispatch({ type: 'thread-continued', conversationId: id, messages: items, hasLater: items.length === PAGE_SIZE });
    await loadRest(id);
  }

  /**
   * Leaves the pages around a message further up for the newest ones.
   *
   * @param {number} id
   */
  async function toNewest(id) {
    jumps++;
    if (!isOpen(id)) return;
    dispatch({ type: 'newest-wanted', conversationId: id });
    await refreshThread(id);
  }

  return {
    /** Whether a conversation shows messages further up, with later ones that are not loaded. */
    isOpen,
    openAt,
    reload,
    loadLater,
    toNewest,
    /** The answer to a jump that is under way does not count. */
    stay: () => void jumps++,
  };
}

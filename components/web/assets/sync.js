// Loads what the page shows, and refreshes it when events may have been missed.

import { backoff } from './backoff.js';
import { ApiError } from './http.js';
import { firstGap } from './messages.js';
import { newestOwn, openThread } from './selectors.js';
import { createThreadWindow } from './thread-window.js';

/**
 * @import { FeedEvent } from '../types/service.d.ts'
 * @import { MessagePage, Store } from '../types/state.d.ts'
 * @import { Api } from './api.js'
 */

/** How many pages of a list a refresh loads at most. Later ones are loaded again when they are scrolled to. */
const REFRESHED_PAGES = 6;
/** The events that put a conversation into the loaded part of the list. */
const LISTING_EVENTS = new Set(['conversation-created', 'new-message', 'participant-joined']);

/** @param {{ api: Api, store: Store }} context */
export function createSync({ api, store }) {
  const { dispatch } = store;
  /** @param {number} id */
  const messagesOf = (id) => store.get().threads.get(id)?.messages ?? [];

  /** How many pages of the list are loaded. */
  let listPages = 1;

  /** Loads as many pages as were loaded, so that a list that was scrolled down stays as long as it is. */
  async function loadList() {
    try {
      let { items, next } = await api.conversations();
      let pages = 1;
      for (; next && pages < Math.min(listPages, REFRESHED_PAGES); pages++) {
        const following = await api.conversations(next);
        items = [...items, ...following.items];
        next = following.next;
      }
      listPages = pages;
      dispatch({ type: 'list-loaded', conversations: items, next });
    } catch (error) {
      dispatch({ type: 'list-failed' });
      retryLater(error);
    }
  }

  async function loadMoreOfList() {
    const { items, next } = await api.conversations(store.get().list.next);
    listPages++;
    dispatch({ type: 'list-extended', conversations: items, next });
  }

  /** @param {number} id */
  async function loadThread(id) {
    dispatch({ type: 'thread-loading', conversationId: id });
    try {
      await ensureListed(id);
      await (threadWindow.isOpen(id) ? threadWindow.reload(id) : reloadNewest(id));
      await loadRest(id);
    } catch (error) {
      failThread(id, error);
    }
  }

  /** @param {number} id */
  async function reloadNewest(id) {
    const oldest = messagesOf(id).at(0)?.ordinal ?? Infinity;
    const loaded = await pagesBackTo(id, oldest);
    // While they were loaded, the user may have gone to a message further up.
    if (!threadWindow.isOpen(id)) dispatch({ type: 'thread-loaded', conversationId: id, ...loaded });
  }

  /** @param {number} id */
  const loadRest = (id) => Promise.allSettled([loadReceipts(id), loadTyping(id), loadQuoted(id)]);

  /**
   * @param {number} id
   * @param {unknown} error
   */
  function failThread(id, error) {
    dispatch({ type: 'thread-failed', conversationId: id, isGone: error instanceof ApiError && error.isGone });
    retryLater(error);
  }

  /**
   * Loads pages from the newest message back to the oldest that was loaded, so that no gap is left.
   *
   * @param {number} id
   * @param {number} ordinal
   * @returns {Promise<MessagePage>}
   */
  async function pagesBackTo(id, ordinal) {
    let { items, prev } = await api.messages(id);
    for (let page = 1; prev && items[0].ordinal > ordinal && page < REFRESHED_PAGES; page++) {
      const older = await api.messages(id, prev);
      items = [...older.items, ...items];
      prev = older.prev;
    }
    return { messages: items, prev };
  }

  /**
   * A conversation that was opened by its URL may not be in the loaded part of the list.
   *
   * @param {number} id
   */
  async function ensureListed(id) {
    if (!store.get().conversations.has(id)) await loadConversation(id);
  }

  /** @param {number} id */
  async function loadConversation(id) {
    dispatch({ type: 'conversation-loaded', conversation: await api.conversation(id) });
  }

  /** @param {number} id */
  async function loadOlder(id) {
    const { items, prev } = await api.messages(id, store.get().threads.get(id)?.prev);
    dispatch({ type: 'thread-extended', conversationId: id, messages: items, prev });
    await loadQuoted(id);
  }

  /** @param {number} id */
  async function loadReceipts(id) {
    const thread = store.get().threads.get(id);
    const own = thread && newestOwn(store.get(), thread);
    if (!own) return;
    const { readBy } = await api.receipts(own.id);
    const users = readBy.map(({ userId }) => userId);
    dispatch({ type: 'receipts-loaded', conversationId: id, ordinal: own.ordinal, users });
  }

  /** @param {number} id */
  async function loadTyping(id) {
    const { users } = await api.typing(id);
    dispatch({ type: 'typing-loaded', conversationId: id, users, at: Date.now() });
  }

  /** @param {number} id */
  async function loadQuoted(id) {
    const messages = messagesOf(id);
    const known = new Set([...messages.map((message) => message.id), ...store.get().quoted.keys()]);
    const missing = new Set(messages.flatMap(({ replyToId }) => (replyToId && !known.has(replyToId) ? [replyToId] : [])));
    /** @param {number} reply */
    const load = async (reply) => dispatch({ type: 'quoted-loaded', message: await api.message(reply) });
    await Promise.allSettled([...missing].map(load));
  }

  async function loadPresence() {
    try {
      dispatch({ type: 'presence-loaded', users: (await api.onlineUsers()).users });
    } catch (error) {
      retryLater(error);
    }
  }

  async function loadAll() {
    const { open } = store.get();
    const before = failures;
    await Promise.all([refreshList(), loadPresence(), open && refreshThread(open)]);
    if (failures === before) failures = 0;
  }

  const refreshList = coalesced(loadList);
  const refreshThread = coalesced(loadThread);
  const threadWindow = createThreadWindow({ api, store, ensureListed, loadRest, refreshThread, failThread });
  const refresh = coalesced(loadAll);

  let failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;

  /**
   * A failed load is repeated after a backoff: no event follows that would trigger it. While the
   * feed is down there is no need, since everything is loaded once it is up.
   *
   * @param {unknown} error
   */
  function retryLater(error) {
    failures++;
    const isHopeless = error instanceof ApiError && (error.isPermanent || error.status === 401);
    if (isHopeless || store.get().connection !== 'live') return;
    clearTimeout(retry);
    retry = setTimeout(refresh, backoff(failures));
  }

  /** A gap is filled by a refresh at once, but only once: what it does not fill is left to later ones. */
  let knownGap = '';
  store.subscribe((state) => {
    const { open } = state;
    const thread = openThread(state);
    const missing = thread?.status === 'ready' ? firstGap(thread) : undefined;
    const gap = missing ? `${open}:${missing}` : '';
    if (gap === knownGap) return;
    knownGap = gap;
    if (open && gap) refreshThread(open);
  });

  /**
   * Loads what an event refers to and the page does not have.
   *
   * @param {FeedEvent} event
   */
  function onEvent(event) {
    const { conversations, me, open } = store.get();
    if (event.type === 'resync') refresh();
    if (!('conversationId' in event)) return;
    const { type, conversationId } = event;
    if (LISTING_EVENTS.has(type) && !conversations.has(conversationId)) refreshList();
    if (type === 'conversation-changed' && conversations.has(conversationId)) {
      // The next refresh of the list has it too.
      loadConversation(conversationId).catch(() => {});
    }
    const isReturn = type === 'participant-joined' && event.userId === me;
    if (isReturn && conversationId === open) refreshThread(conversationId);
  }

  return {
    onEvent,
    openAt: threadWindow.openAt,
    toNewest: threadWindow.toNewest,
    loadLater: exclusive(threadWindow.loadLater),
    /** Loads everything that is shown again. */
    refresh,
    refreshList,
    loadMoreOfList: exclusive(loadMoreOfList),
    /** @param {number} id */
    openThread(id) {
      threadWindow.stay();
      return refreshThread(id);
    },
    loadOlder: exclusive(loadOlder),
  };
}

/**
 * Runs a task at most once at a time for each argument. Calls during a run are coalesced into one
 * more run, since they may follow a later change.
 *
 * @template {[number?]} Args
 * @param {(...args: Args) => Promise<void>} task
 * @returns {(...args: Args) => Promise<void>}
 */
function coalesced(task) {
  /** @type {Map<number | undefined, Promise<void>>} */
  const running = new Map();
  /** @type {Set<number | undefined>} */
  const queued = new Set();
  return async function run(...args) {
    const [id] = args;
    const current = running.get(id);
    if (current) queued.add(id);
    else running.set(id, task(...args));
    await running.get(id);
    if (current) return;
    running.delete(id);
    if (queued.delete(id)) await run(...args);
  };
}

/**
 * Runs a task at most once at a time; calls during a run, and failures, are ignored.
 *
 * @template {unknown[]} Args
 * @param {(...args: Args) => Promise<void>} task
 * @returns {(...args: Args) => Promise<void>}
 */
function exclusive(task) {
  let running = false;
  return async (...args) => {
    if (running) return;
    running = true;
    try {
      await task(...args);
    } catch {
      // The next scroll event tries again.
    } finally {
      running = false;
    }
  };
}

// Loads what the page shows, and refreshes it when events may have been missed.

import { hasGap, newestOwn } from './selectors.js';

/** How many pages a refresh loads at most. Older ones are loaded again when they are scrolled to. */
const REFRESHED_PAGES = 6;
const GONE_STATUSES = new Set([403, 404]);

export function createSync({ api, store }) {
  const { dispatch } = store;
  const thread = (id) => store.get().threads.get(id);

  async function loadList() {
    try {
      const { items, next } = await api.conversations();
      dispatch({ type: 'list-loaded', conversations: items, next, isFirstPage: true });
    } catch {
      dispatch({ type: 'list-failed' });
    }
  }

  async function loadMoreOfList() {
    const { items, next } = await api.conversations(store.get().list.next);
    dispatch({ type: 'list-loaded', conversations: items, next, isFirstPage: false });
  }

  /** Loads pages from the newest message back to the oldest that was loaded, so that no gap is left. */
  async function loadThread(id) {
    dispatch({ type: 'thread-loading', conversationId: id });
    try {
      await ensureListed(id);
      dispatch({ type: 'thread-loaded', conversationId: id, ...(await pagesBackTo(id, oldest(id))) });
      await Promise.allSettled([loadReceipts(id), loadTyping(id), loadQuoted(id)]);
    } catch (error) {
      dispatch({ type: 'thread-failed', conversationId: id, isGone: GONE_STATUSES.has(error.status) });
    }
  }

  const oldest = (id) => thread(id)?.messages[0]?.ordinal ?? Infinity;

  async function pagesBackTo(id, ordinal) {
    let { items, prev } = await api.messages(id);
    for (let page = 1; prev && items[0].ordinal > ordinal && page < REFRESHED_PAGES; page++) {
      const older = await api.messages(id, prev);
      items = [...older.items, ...items];
      prev = older.prev;
    }
    return { messages: items, prev };
  }

  /** A conversation that was opened by its URL may not be in the loaded part of the list. */
  async function ensureListed(id) {
    if (!store.get().conversations.has(id)) {
      dispatch({ type: 'conversation-loaded', conversation: await api.conversation(id) });
    }
  }

  async function loadOlder(id) {
    const { items, prev } = await api.messages(id, thread(id).prev);
    dispatch({ type: 'thread-extended', conversationId: id, messages: items, prev });
    await loadQuoted(id);
  }

  async function loadReceipts(id) {
    const own = newestOwn(store.get(), thread(id));
    if (!own) return;
    const { readBy } = await api.receipts(own.id);
    const users = readBy.map(({ userId }) => userId);
    dispatch({ type: 'receipts-loaded', conversationId: id, ordinal: own.ordinal, users });
  }

  async function loadTyping(id) {
    const { users } = await api.typing(id);
    dispatch({ type: 'typing-loaded', conversationId: id, users, at: Date.now() });
  }

  async function loadQuoted(id) {
    const { messages } = thread(id);
    const known = new Set([...messages.map((message) => message.id), ...store.get().quoted.keys()]);
    const missing = new Set(messages.map(({ replyToId }) => replyToId).filter((reply) => reply && !known.has(reply)));
    const load = async (reply) => dispatch({ type: 'quoted-loaded', message: await api.message(reply) });
    await Promise.allSettled([...missing].map(load));
  }

  async function loadPresence() {
    try {
      dispatch({ type: 'presence-loaded', users: (await api.onlineUsers()).users });
    } catch {
      // The last known presence stays; the next refresh loads it again.
    }
  }

  const refreshAll = () => {
    const { open } = store.get();
    return Promise.all([refreshList(), loadPresence(), open && refreshThread(open)]);
  };

  const refreshList = coalesced(loadList);
  const refreshThread = coalesced(loadThread);
  store.subscribe((state) => {
    const open = state.threads.get(state.open);
    if (open?.status === 'ready' && hasGap(open)) refreshThread(state.open);
  });

  return {
    /** Loads everything that is shown again. */
    refresh: coalesced(refreshAll),
    refreshList,
    loadMoreOfList: exclusive(loadMoreOfList),
    openThread: refreshThread,
    loadOlder: exclusive(loadOlder),
  };
}

/**
 * Runs a task at most once at a time for each argument. Calls during a run are coalesced into one
 * more run, since they may follow a later change.
 */
function coalesced(task) {
  const running = new Map();
  const queued = new Set();
  return async function run(id) {
    if (running.has(id)) {
      queued.add(id);
      return running.get(id);
    }
    running.set(id, task(id));
    await running.get(id);
    running.delete(id);
    if (queued.delete(id)) await run(id);
  };
}

/** Runs a task at most once at a time; calls during a run, and failures, are ignored. */
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

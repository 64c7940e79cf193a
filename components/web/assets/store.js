// The state of the page, and how each event changes it: no DOM, no clock, no network.
//
// Events arrive duplicated, late or out of order: from the feed, from responses, from a refresh
// after a reconnection. A message is identified by its id and ordered by its ordinal, so it is
// shown once and in its place whatever the order of arrival.

/** The state before the first event. */
export const initialState = (me) => ({
  me,
  /** 'connecting', 'live' or 'reconnecting' */
  connection: 'connecting',
  /** The list of conversations: 'loading', 'ready' or 'failed', and the link to its next page. */
  list: { status: 'loading', next: undefined },
  conversations: new Map(),
  /**
   * By conversation: its `status`, `messages` (oldest first, without a gap), the link to the page before
   * (`prev`), and the ordinal of the first message that was unread when it was opened (`unreadFrom`).
   */
  threads: new Map(),
  /** Messages that the service has not accepted yet: `{clientMessageId, conversationId, content, replyToId, createdAt, error?}`. */
  pending: [],
  /** By id: messages that are replied to and that no thread contains. */
  quoted: new Map(),
  /** By conversation, by user: the ordinal up to which they have read. */
  reads: new Map(),
  /** By conversation, by user: when the typing indicator ends, in Unix milliseconds. */
  typing: new Map(),
  online: new Set(),
  /** The id of the open conversation. */
  open: undefined,
  /** Whether the newest message of the open conversation is in view of a focused page. */
  newestInView: false,
});

/** The state after an event. */
export const reduce = (state, event) => handlers[event.type]?.(state, event) ?? state;

/** A store whose state changes by events only; it notifies its listeners of each change. */
export function createStore(state) {
  const listeners = new Set();
  return {
    get: () => state,
    dispatch(event) {
      const next = reduce(state, event);
      if (next === state) return;
      state = next;
      listeners.forEach((listener) => listener(state, event));
    },
    subscribe: (listener) => listeners.add(listener),
  };
}

/** How long a typing indicator is shown without a `typing-stop`. */
const TYPING_MS = 12_000;

const handlers = {
  // From the feed.

  'new-message': (state, { conversationId, message }) => ({
    ...withMessage(state, conversationId, message),
    pending: state.pending.filter((item) => !isSameMessage(item, message, state.me)),
    typing: without(state.typing, conversationId, message.senderId),
  }),
  'message-edited': (state, { conversationId, message }) => withMessage(state, conversationId, message),
  'message-deleted': (state, { conversationId, message }) => withMessage(state, conversationId, message),
  'message-read': (state, { conversationId, message, userId }) =>
    withRead(state, conversationId, userId, message.ordinal),
  'unread-count': (state, { conversationId, count }) =>
    withConversation(state, conversationId, () => ({ unreadCount: count })),
  'typing-start': (state, { conversationId, userId, at }) => ({
    ...state,
    typing: nested(state.typing, conversationId, userId, at + TYPING_MS),
  }),
  'typing-stop': (state, { conversationId, userId }) => ({
    ...state,
    typing: without(state.typing, conversationId, userId),
  }),
  online: (state, { userId }) => ({ ...state, online: new Set(state.online).add(userId) }),
  offline: (state, { userId }) => ({
    ...state,
    online: new Set([...state.online].filter((user) => user !== userId)),
  }),
  'participant-joined': (state, { conversationId, userId }) =>
    withConversation(state, conversationId, ({ participantIds }) => ({
      participantIds: [...new Set([...participantIds, userId])].sort((a, b) => a - b),
    })),
  'participant-left': (state, { conversationId, userId }) =>
    userId === state.me
      ? withoutConversation(state, conversationId)
      : withConversation(state, conversationId, ({ participantIds }) => ({
          participantIds: participantIds.filter((user) => user !== userId),
        })),

  // From responses.

  'list-loaded': (state, { conversations, next, isFirstPage }) => ({
    ...state,
    list: { status: 'ready', next },
    conversations: withPage(state, conversations, isFirstPage),
  }),
  'list-failed': (state) =>
    state.list.status === 'ready' ? state : { ...state, list: { ...state.list, status: 'failed' } },
  'conversation-loaded': (state, { conversation: { id, ...loaded } }) => ({
    ...state,
    conversations: set(state.conversations, id, mergeConversation(state.conversations.get(id), { id, ...loaded })),
  }),
  'thread-loading': (state, { conversationId }) =>
    state.threads.get(conversationId)?.status === 'ready'
      ? state
      : withThread(state, conversationId, (thread) => ({ ...thread, status: 'loading' })),
  /** The newest pages. Messages that are older than these are dropped: a gap may lie between. */
  'thread-loaded': (state, { conversationId, messages, prev }) =>
    withThread(state, conversationId, (thread) => {
      const from = messages[0]?.ordinal ?? 0;
      const kept = thread.messages.filter(({ ordinal }) => ordinal >= from);
      return withUnreadMark(state.me, { ...thread, status: 'ready', prev, messages: merge(kept, messages) });
    }),
  'thread-extended': (state, { conversationId, messages, prev }) =>
    withThread(state, conversationId, (thread) =>
      withUnreadMark(state.me, { ...thread, prev, messages: merge(thread.messages, messages) })),
  'thread-failed': (state, { conversationId, isGone }) =>
    withThread(state, conversationId, (thread) =>
      isGone ? { ...thread, status: 'gone' } : thread.status === 'ready' ? thread : { ...thread, status: 'failed' }),
  'receipts-loaded': (state, { conversationId, ordinal, users }) =>
    users.reduce((result, user) => withRead(result, conversationId, user, ordinal), state),
  'typing-loaded': (state, { conversationId, users, at }) => ({
    ...state,
    typing: set(state.typing, conversationId, new Map(users.map((user) => [user, at + TYPING_MS]))),
  }),
  'presence-loaded': (state, { users }) => ({ ...state, online: new Set(users) }),
  'quoted-loaded': (state, { message }) => ({ ...state, quoted: set(state.quoted, message.id, message) }),

  // From the user.

  opened: (state, { conversationId }) => {
    const unread = state.conversations.get(conversationId)?.unreadCount ?? 0;
    const open = { ...state, open: conversationId, newestInView: false };
    return conversationId
      ? withThread(open, conversationId, (thread) =>
          withUnreadMark(state.me, { ...thread, unread, searchedTo: undefined, unreadFrom: undefined }))
      : open;
  },
  'newest-in-view': (state, { value }) => (state.newestInView === value ? state : { ...state, newestInView: value }),
  queued: (state, { item }) => ({
    ...withThread(state, item.conversationId, (thread) => ({ ...thread, unread: undefined, unreadFrom: undefined })),
    pending: [...state.pending, item],
  }),
  refused: (state, { clientMessageId, error }) => withPending(state, clientMessageId, { error }),
  requeued: (state, { clientMessageId }) => withPending(state, clientMessageId, { error: undefined }),
  discarded: (state, { clientMessageId }) => ({
    ...state,
    pending: state.pending.filter((item) => item.clientMessageId !== clientMessageId),
  }),

  // From the connection and the clock.

  connection: (state, { status }) => (state.connection === status ? state : { ...state, connection: status }),
  tick: (state, { at }) => {
    const hasExpired = [...state.typing.values()].some((users) => [...users.values()].some((until) => until <= at));
    return hasExpired ? { ...state, typing: stillTyping(state.typing, at) } : state;
  },
};

const set = (map, key, value) => new Map(map).set(key, value);
const nested = (map, key, inner, value) => set(map, key, set(map.get(key) ?? new Map(), inner, value));

function without(map, key, inner) {
  if (!map.get(key)?.has(inner)) return map;
  const users = new Map(map.get(key));
  users.delete(inner);
  return set(map, key, users);
}

function stillTyping(typing, at) {
  const live = (users) => new Map([...users].filter(([, until]) => until > at));
  return new Map([...typing].map(([conversation, users]) => [conversation, live(users)]));
}

/** Merges messages by id, each in its newest version, ordered by ordinal. */
export function merge(messages, incoming) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  incoming.forEach((message) => byId.set(message.id, newest(byId.get(message.id), message)));
  return [...byId.values()].sort((a, b) => a.ordinal - b.ordinal);
}

function newest(known, incoming) {
  // A tombstone is final, and timestamps in UTC sort as text.
  const version = ({ deletedAt, editedAt }) => (deletedAt ? '~' : (editedAt ?? ''));
  return known && version(known) > version(incoming) ? known : incoming;
}

const isSameMessage = (item, message, me) =>
  message.senderId === me && message.clientMessageId === item.clientMessageId;

const emptyThread = { status: 'loading', messages: [], prev: undefined, unreadFrom: undefined };

/**
 * Finds the first message that was unread when the conversation was opened (`unreadFrom`): it is the
 * message `unread` places back, which may be pages away. `searchedTo` is the ordinal down to which the
 * loaded messages have been counted.
 */
function withUnreadMark(me, thread) {
  const { unread, messages, prev, searchedTo = Infinity } = thread;
  if (unread === undefined || thread.status !== 'ready') return thread;
  const counts = ({ ordinal, senderId, deletedAt }) => ordinal < searchedTo && senderId !== me && !deletedAt;
  const found = messages.filter(counts);
  if (found.length < unread && prev) {
    return { ...thread, unread: unread - found.length, searchedTo: messages[0].ordinal };
  }
  const first = unread > 0 ? (found.at(-unread) ?? found[0]) : undefined;
  return { ...thread, unread: undefined, searchedTo: undefined, unreadFrom: first?.ordinal };
}

const withThread = (state, id, change) => ({
  ...state,
  threads: set(state.threads, id, change(state.threads.get(id) ?? emptyThread)),
});

function withConversation(state, id, change) {
  const known = state.conversations.get(id);
  return known ? { ...state, conversations: set(state.conversations, id, { ...known, ...change(known) }) } : state;
}

function withoutConversation(state, id) {
  const conversations = new Map(state.conversations);
  conversations.delete(id);
  const left = { ...state, conversations };
  return state.threads.has(id) ? withThread(left, id, (thread) => ({ ...thread, status: 'gone' })) : left;
}

function withMessage(state, id, message) {
  const listed = withConversation(state, id, (known) => withLastMessage(known, message));
  return state.threads.has(id)
    ? withThread(listed, id, (thread) => ({ ...thread, messages: insertLoaded(thread, message) }))
    : listed;
}

/** A message that is older than the loaded pages is left out: a gap would lie between. */
const insertLoaded = ({ messages, prev }, message) =>
  prev && message.ordinal < messages[0].ordinal ? messages : merge(messages, [message]);

function withLastMessage({ lastMessage, lastActivityAt }, message) {
  if (lastMessage && message.ordinal < lastMessage.ordinal) return {};
  if (lastMessage?.id === message.id) return { lastMessage: newest(lastMessage, message) };
  return { lastMessage: message, lastActivityAt: later(lastActivityAt, message.createdAt) };
}

const later = (a, b) => ((a ?? '') > b ? a : b);

/** A page may be older than an event that has been applied already. */
function mergeConversation(known, loaded) {
  if (!known?.lastMessage || known.lastMessage.ordinal <= (loaded.lastMessage?.ordinal ?? 0)) {
    return { lastMessage: null, unreadCount: 0, ...known, ...loaded };
  }
  const { lastMessage, lastActivityAt, unreadCount } = known;
  return { ...loaded, lastMessage, lastActivityAt, unreadCount };
}

/** The first page replaces the whole list except the open conversation. */
function withPage({ conversations, open }, page, isFirstPage) {
  const kept = isFirstPage ? [...conversations].filter(([id]) => id === open) : [...conversations];
  return new Map([...kept, ...page.map((loaded) => [loaded.id, mergeConversation(conversations.get(loaded.id), loaded)])]);
}

function withRead(state, id, user, ordinal) {
  const known = state.reads.get(id)?.get(user) ?? 0;
  return ordinal > known ? { ...state, reads: nested(state.reads, id, user, ordinal) } : state;
}

const withPending = (state, clientMessageId, change) => ({
  ...state,
  pending: state.pending.map((item) => (item.clientMessageId === clientMessageId ? { ...item, ...change } : item)),
});

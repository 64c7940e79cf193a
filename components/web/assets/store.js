// The state of the page, and how each event changes it: no DOM, no clock, no network.
//
// Events arrive duplicated, late or out of order: from the feed, from responses, from a refresh
// after a reconnection. A message is identified by its id and ordered by its ordinal, so it is
// shown once and in its place whatever the order of arrival.

import { remove, removeIn, set, setIn } from './maps.js';
import { insertLoaded, isAdjacent, isConfirmedBy, merge, newerVersion, withUnreadMark } from './messages.js';
import { noSearch, searchHandlers, withFoundMessage, withoutFoundIn } from './search-state.js';

/**
 * @import { Conversation, Message } from '../types/service.d.ts'
 * @import { Handlers, ListedConversation, PendingMessage, State, Store } from '../types/state.d.ts'
 * @import { StoreEvent, Thread, UsersByConversation } from '../types/state.d.ts'
 */

/**
 * The state before the first event.
 *
 * @param {number} me
 * @returns {State}
 */
export const initialState = (me) => ({
  me,
  connection: 'connecting',
  list: { status: 'loading', next: undefined },
  conversations: new Map(),
  threads: new Map(),
  pending: [],
  quoted: new Map(),
  reads: new Map(),
  typing: new Map(),
  online: new Set(),
  open: undefined,
  newestInView: false,
  search: noSearch,
});

/**
 * The state after an event.
 *
 * @param {State} state
 * @param {StoreEvent} event
 */
export function reduce(state, event) {
  const handle = /** @type {((state: State, event: StoreEvent) => State) | undefined} */ (handlers[event.type]);
  return handle?.(state, event) ?? state;
}

/**
 * A store whose state changes by events only; it notifies its listeners of each change.
 *
 * @param {State} state
 * @returns {Store}
 */
export function createStore(state) {
  /** @type {Set<(state: State, event: StoreEvent) => void>} */
  const listeners = new Set();
  return {
    get: () => state,
    dispatch(event) {
      const next = reduce(state, event);
      if (next === state) return;
      state = next;
      listeners.forEach((listener) => listener(state, event));
    },
    subscribe(listener) {
      listeners.add(listener);
    },
  };
}

/** How long a typing indicator is shown without a `typing-stop`. */
const TYPING_MS = 12_000;

/** @type {Handlers} */
const handlers = {
  // From the feed.

  'new-message': (state, { conversationId, message }) => ({
    ...withMessage(state, conversationId, message),
    typing: withoutTyping(state, conversationId, message.senderId),
  }),
  'message-edited': (state, { conversationId, message }) => withMessage(state, conversationId, message),
  'message-deleted': (state, { conversationId, message }) => withMessage(state, conversationId, message),
  'message-read': (state, { conversationId, message, userId }) =>
    withRead(state, conversationId, userId, message.ordinal),
  'unread-count': (state, { conversationId, count }) =>
    withConversation(state, conversationId, () => ({ unreadCount: count })),
  'typing-start': (state, { conversationId, userId, at }) => ({
    ...state,
    typing: setIn(state.typing, conversationId, userId, at + TYPING_MS),
  }),
  'typing-stop': (state, { conversationId, userId }) => ({
    ...state,
    typing: removeIn(state.typing, conversationId, userId),
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

  /** The first pages; they replace the whole list except the open conversation. */
  'list-loaded': (state, { conversations, next }) =>
    withList(state, conversations, next, new Map([...state.conversations].filter(([id]) => id === state.open))),
  'list-extended': (state, { conversations, next }) => withList(state, conversations, next, state.conversations),
  'list-failed': (state) =>
    state.list.status === 'ready' ? state : { ...state, list: { ...state.list, status: 'failed' } },
  'conversation-loaded': (state, { conversation }) => ({
    ...state,
    conversations: set(state.conversations, conversation.id, mergeLoaded(state, conversation)),
  }),
  'thread-loading': (state, { conversationId }) =>
    state.threads.get(conversationId)?.status === 'ready'
      ? state
      : withThread(state, conversationId, (thread) => ({ ...thread, status: 'loading' })),
  /** The newest pages. Messages that are older than these are dropped: a gap may lie between. */
  'thread-loaded': (state, { conversationId, messages, prev }) =>
    withThread(confirmedBy(state, messages), conversationId, (thread) => {
      const from = messages[0]?.ordinal ?? 0;
      const kept = thread.messages.filter(({ ordinal }) => ordinal >= from);
      const loaded = { ...thread, status: /** @type {const} */ ('ready'), prev, hasLater: false };
      return withUnreadMark(state.me, { ...loaded, messages: merge(kept, messages) });
    }),
  /** A page before the loaded ones, unless others have been loaded since. */
  'thread-extended': (state, { conversationId, messages, prev }) =>
    withThread(confirmedBy(state, messages), conversationId, (thread) =>
      isAdjacent(thread.messages, messages)
        ? withUnreadMark(state.me, { ...thread, prev, messages: merge(thread.messages, messages) })
        : thread),
  /** The pages around a message. Messages that are not on them are dropped: a gap may lie between. */
  'thread-around': (state, { conversationId, messages, prev, hasLater }) =>
    withThread(confirmedBy(state, messages), conversationId, (thread) => {
      const loaded = new Set(messages.map(({ id }) => id));
      const kept = thread.messages.filter(({ id }) => loaded.has(id));
      return upTo(state, { ...thread, status: 'ready', prev, messages: merge(kept, messages) }, hasLater);
    }),
  /** A page behind the loaded ones, unless others have been loaded since. */
  'thread-continued': (state, { conversationId, messages, hasLater }) =>
    withThread(confirmedBy(state, messages), conversationId, (thread) =>
      thread.hasLater && isAdjacent(thread.messages, messages)
        ? upTo(state, { ...thread, messages: merge(thread.messages, messages) }, hasLater)
        : thread),
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

  /** A conversation is opened at its newest message, or at one further up. */
  opened: (state, { conversationId, messageId }) => {
    const opened = { ...state, open: conversationId, newestInView: false };
    if (conversationId === undefined) return opened;
    const unread = state.conversations.get(conversationId)?.unreadCount ?? 0;
    return withThread(opened, conversationId, (thread) => {
      const shown = messageId === undefined ? withoutWindow(thread) : thread;
      return withUnreadMark(state.me, { ...shown, unread, searchedTo: undefined, unreadFrom: undefined });
    });
  },
  'newest-wanted': (state, { conversationId }) => withThread(state, conversationId, withoutWindow),
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

  ...searchHandlers,

  // From the connection and the clock.

  connection: (state, { status }) => (state.connection === status ? state : { ...state, connection: status }),
  tick: (state, { at }) => {
    const hasExpired = [...state.typing.values()].some((users) => [...users.values()].some((until) => until <= at));
    return hasExpired ? { ...state, typing: stillTyping(state.typing, at) } : state;
  },
};

/**
 * A message that arrives, by whatever way, is no longer pending: the response to it may be lost.
 *
 * @param {State} state
 * @param {Message[]} messages
 * @returns {State}
 */
function confirmedBy(state, messages) {
  const { pending, me } = state;
  const rest = pending.filter((item) => !messages.some((message) => isConfirmedBy(item, message, me)));
  return rest.length < pending.length ? { ...state, pending: rest } : state;
}

/**
 * @param {State} state
 * @param {number} conversationId
 * @param {number | null} user
 */
const withoutTyping = ({ typing }, conversationId, user) =>
  user === null ? typing : removeIn(typing, conversationId, user);

/**
 * @param {UsersByConversation} typing
 * @param {number} at
 */
function stillTyping(typing, at) {
  /** @param {ReadonlyMap<number, number>} users */
  const live = (users) => new Map([...users].filter(([, until]) => until > at));
  return new Map([...typing].map(([conversation, users]) => [conversation, live(users)]));
}

/** @type {Thread} */
const emptyThread = { status: 'loading', messages: [], prev: undefined, hasLater: false, unreadFrom: undefined };

/**
 * A thread without the pages around a message further up: the newest ones are to be loaded.
 *
 * @param {Thread} thread
 * @returns {Thread}
 */
const withoutWindow = (thread) => (thread.hasLater ? { ...emptyThread, unread: thread.unread } : thread);

/**
 * A thread whose pages reach up to a message. A later one may have come while they were loaded.
 *
 * @param {State} state
 * @param {Omit<Thread, 'hasLater'>} thread
 * @param {boolean} hasLater
 * @returns {Thread}
 */
function upTo({ me, conversations }, thread, hasLater) {
  const newest = thread.messages.at(-1);
  const known = newest && conversations.get(newest.conversationId)?.lastMessage;
  return withUnreadMark(me, { ...thread, hasLater: hasLater || (known?.ordinal ?? 0) > (newest?.ordinal ?? 0) });
}

/**
 * @param {State} state
 * @param {number} id
 * @param {(thread: Thread) => Thread} change
 * @returns {State}
 */
const withThread = (state, id, change) => ({
  ...state,
  threads: set(state.threads, id, change(state.threads.get(id) ?? emptyThread)),
});

/**
 * @param {State} state
 * @param {number} id
 * @param {(known: ListedConversation) => Partial<ListedConversation>} change
 * @returns {State}
 */
function withConversation(state, id, change) {
  const known = state.conversations.get(id);
  return known ? { ...state, conversations: set(state.conversations, id, { ...known, ...change(known) }) } : state;
}

/**
 * @param {State} state
 * @param {number} id
 * @returns {State}
 */
function withoutConversation(state, id) {
  const left = { ...withoutFoundIn(state, id), conversations: remove(state.conversations, id) };
  return state.threads.has(id) ? withThread(left, id, (thread) => ({ ...thread, status: 'gone' })) : left;
}

/**
 * @param {State} state
 * @param {number} id
 * @param {Message} message
 * @returns {State}
 */
function withMessage(state, id, message) {
  const quoted = state.quoted.has(message.id)
    ? set(state.quoted, message.id, newerVersion(state.quoted.get(message.id), message))
    : state.quoted;
  const confirmed = withFoundMessage({ ...confirmedBy(state, [message]), quoted }, message);
  const listed = withConversation(confirmed, id, (known) => withLastMessage(known, message));
  return state.threads.has(id)
    ? withThread(listed, id, (thread) => ({ ...thread, messages: insertLoaded(thread, message) }))
    : listed;
}

/**
 * @param {ListedConversation} conversation
 * @param {Message} message
 * @returns {Partial<ListedConversation>}
 */
function withLastMessage({ lastMessage, lastActivityAt }, message) {
  if (lastMessage && message.ordinal < lastMessage.ordinal) return {};
  if (lastMessage?.id === message.id) return { lastMessage: newerVersion(lastMessage, message) };
  return { lastMessage: message, lastActivityAt: later(lastActivityAt, message.createdAt) };
}

/**
 * @param {string | undefined} a
 * @param {string} b
 */
const later = (a, b) => (a && a > b ? a : b);

/**
 * A page may be older than an event that has been applied already.
 *
 * @param {State} state
 * @param {Conversation} loaded
 * @returns {ListedConversation}
 */
function mergeLoaded({ conversations }, loaded) {
  const known = conversations.get(loaded.id);
  if (!known?.lastMessage || known.lastMessage.ordinal <= (loaded.lastMessage?.ordinal ?? 0)) {
    return { lastMessage: null, unreadCount: 0, ...known, ...loaded };
  }
  const { lastMessage, lastActivityAt, unreadCount } = known;
  return { ...loaded, lastMessage, lastActivityAt, unreadCount };
}

/**
 * @param {State} state
 * @param {Conversation[]} loaded
 * @param {string | undefined} next
 * @param {State['conversations']} kept
 * @returns {State}
 */
function withList(state, loaded, next, kept) {
  const conversations = new Map(kept);
  loaded.forEach((conversation) => conversations.set(conversation.id, mergeLoaded(state, conversation)));
  return { ...state, list: { status: 'ready', next }, conversations };
}

/**
 * @param {State} state
 * @param {number} id
 * @param {number} user
 * @param {number} ordinal
 */
function withRead(state, id, user, ordinal) {
  const known = state.reads.get(id)?.get(user) ?? 0;
  return ordinal > known ? { ...state, reads: setIn(state.reads, id, user, ordinal) } : state;
}

/**
 * @param {State} state
 * @param {string} clientMessageId
 * @param {Partial<PendingMessage>} change
 */
const withPending = (state, clientMessageId, change) => ({
  ...state,
  pending: state.pending.map((item) => (item.clientMessageId === clientMessageId ? { ...item, ...change } : item)),
});

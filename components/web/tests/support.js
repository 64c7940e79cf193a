// What several tests share: made-up messages, a state with an open conversation, and a fake browser.

import fc from 'fast-check';
import { initialState, reduce } from '../assets/store.js';

/**
 * @import { Conversation, Message, Session } from '../types/service.d.ts'
 * @import { State, StoreEvent } from '../types/state.d.ts'
 */

export const ME = 1;
export const OTHER = 2;
export const ROOM = 7;

/**
 * A moment so many seconds after a fixed one.
 *
 * @param {number} seconds
 */
export const time = (seconds) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

/**
 * A message; those with an odd ordinal are of `OTHER`.
 *
 * @param {number} ordinal
 * @param {Partial<Message>} [change]
 * @returns {Message}
 */
export const message = (ordinal, change) => ({
  id: 100 + ordinal,
  conversationId: ROOM,
  ordinal,
  senderId: ordinal % 2 ? OTHER : ME,
  kind: 'user',
  content: `${ordinal}`,
  createdAt: time(ordinal),
  ...change,
});

/**
 * Messages with the ordinals from one number to another.
 *
 * @param {number} from
 * @param {number} to
 */
export const messages = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => message(from + index));

/**
 * @param {Partial<Conversation>} [change]
 * @returns {Conversation}
 */
export const conversation = (change) => ({
  id: ROOM,
  title: null,
  participantIds: [ME, OTHER],
  createdAt: time(0),
  lastActivityAt: time(0),
  lastMessage: null,
  unreadCount: 0,
  ...change,
});

/**
 * @param {Partial<Session>} [change]
 * @returns {Session}
 */
export const session = (change) => ({
  id: 1,
  userId: ME,
  device: 'Firefox on Linux',
  createdAt: time(0),
  lastSeenAt: time(0),
  expiresAt: time(3_600),
  current: false,
  ...change,
});

/**
 * The state after events.
 *
 * @param {State} state
 * @param {StoreEvent[]} events
 */
export const after = (state, ...events) => events.reduce(reduce, state);

/** A state in which the conversation is listed, open and loading. */
export const opened = () =>
  after(
    initialState(ME),
    { type: 'list-loaded', conversations: [conversation()], next: undefined },
    { type: 'opened', conversationId: ROOM },
    { type: 'thread-loading', conversationId: ROOM },
  );

/**
 * @param {Message[]} loaded
 * @param {string} [prev]
 * @returns {StoreEvent}
 */
export const threadLoaded = (loaded, prev) => ({ type: 'thread-loaded', conversationId: ROOM, messages: loaded, prev });

/**
 * @param {Message} posted
 * @returns {StoreEvent}
 */
export const newMessage = (posted) => ({ type: 'new-message', conversationId: ROOM, message: posted });

/** @param {State} state */
export function thread(state) {
  const found = state.threads.get(ROOM);
  if (!found) throw new Error('the conversation was not opened');
  return found;
}

/** @param {State} state */
export const ordinals = (state) => thread(state).messages.map(({ ordinal }) => ordinal);

/**
 * All items in some order, and some of them twice.
 *
 * @template T
 * @param {T[]} items
 */
export const shuffledWithDuplicates = (items) =>
  fc
    .tuple(fc.subarray(items), fc.infiniteStream(fc.nat()))
    .map(([duplicates, ranks]) => [...items, ...duplicates].map((item) => ({ item, rank: ranks.next().value ?? 0 })))
    .map((ranked) => ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item));

/** Lets promises that are settled run their continuations. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A promise that a test settles when it wants. @template T */
export function deferred() {
  /** @type {(value: T) => void} */
  let resolve = () => {};
  /** @type {(error: unknown) => void} */
  let reject = () => {};
  const promise = /** @type {Promise<T>} */ (new Promise((...settle) => ([resolve, reject] = settle)));
  return { promise, resolve, reject };
}

/** A `Storage` in memory. @returns {Storage} */
export function memoryStorage() {
  /** @type {Map<string, string>} */
  const items = new Map();
  return {
    get length() {
      return items.size;
    },
    clear: () => items.clear(),
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

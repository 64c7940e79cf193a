// What the page shows, derived from the state. No DOM, no network.

import { dayOf } from './time.js';

/**
 * @import { Conversation, Message } from '../types/service.d.ts'
 * @import { ListedConversation, State, Thread, ThreadItem } from '../types/state.d.ts'
 */

/** Consecutive messages of one sender within this time share one heading. */
const GROUP_MS = 5 * 60_000;

/**
 * The practice software has the names; this service knows users by number.
 *
 * @param {number} user
 */
export const nameOf = (user) => `User ${user}`;

/** @param {Pick<Message, 'senderId'>} message */
export const senderName = ({ senderId }) => (senderId === null ? 'LexiFlow' : nameOf(senderId));

const listFormat = new Intl.ListFormat('en', { type: 'conjunction' });
/** @param {number[]} users */
export const namesOf = (users) => listFormat.format(users.map(nameOf));

/** @param {State} state */
export const conversationsByActivity = ({ conversations }) =>
  [...conversations.values()].sort((a, b) => activity(b).localeCompare(activity(a)) || b.id - a.id);

/** @param {Conversation} conversation */
const activity = ({ lastActivityAt, createdAt }) => lastActivityAt ?? createdAt ?? '';

/**
 * The other participants.
 *
 * @param {State} state
 * @param {Conversation} conversation
 */
export const others = ({ me }, { participantIds }) => participantIds.filter((user) => user !== me);

/**
 * @param {State} state
 * @param {Conversation} conversation
 */
export function titleOf(state, conversation) {
  if (conversation.title) return conversation.title;
  return others(state, conversation).map(nameOf).join(', ') || 'Only you';
}

/**
 * @param {State} state
 * @param {Conversation} conversation
 */
export const isAnyoneOnline = (state, conversation) =>
  others(state, conversation).some((user) => state.online.has(user));

/**
 * The unread count; 0 while the newest message of the conversation is in view.
 *
 * @param {State} state
 * @param {ListedConversation} conversation
 */
export const unreadOf = ({ open, newestInView }, { id, unreadCount }) => (newestInView && open === id ? 0 : unreadCount);

/** @param {State} state */
export const totalUnread = (state) =>
  [...state.conversations.values()].reduce((sum, conversation) => sum + unreadOf(state, conversation), 0);

/** @param {State} state */
export const openThread = ({ open, threads }) => (open === undefined ? undefined : threads.get(open));

/**
 * A message as one line.
 *
 * @param {State} state
 * @param {Message} message
 */
export function summaryOf({ me }, message) {
  if (message.deletedAt) return 'Message deleted';
  if (message.unreadable) return 'Message unreadable';
  if (message.senderId === null) return message.content ?? '';
  return `${message.senderId === me ? 'You' : nameOf(message.senderId)}: ${message.content}`;
}

/**
 * The other users who are typing.
 *
 * @param {State} state
 * @param {number} id
 */
export const typingIn = ({ typing, me }, id) => [...(typing.get(id)?.keys() ?? [])].filter((user) => user !== me);

/**
 * @param {State} state
 * @param {number} conversationId
 * @param {number} id
 */
export function findMessage({ threads, quoted }, conversationId, id) {
  return threads.get(conversationId)?.messages.find((message) => message.id === id) ?? quoted.get(id);
}

/**
 * The newest message of another sender; reading it reads all before it.
 *
 * @param {State} state
 * @param {Thread} thread
 */
export const newestForeign = (state, { messages }) => messages.findLast(({ senderId }) => senderId !== state.me);

/**
 * @param {State} state
 * @param {Thread} thread
 */
export const newestOwn = (state, { messages }) =>
  messages.findLast(({ senderId, deletedAt }) => senderId === state.me && !deletedAt);

/**
 * By message id: the users who have read up to it. Each user is at the newest own message that they have read.
 *
 * @param {State} state
 * @param {number} id
 * @param {readonly Message[]} messages
 * @returns {Map<number, number[]>}
 */
export function readMarks(state, id, messages) {
  const marks = new Map();
  for (const [user, ordinal] of state.reads.get(id) ?? []) {
    if (user === state.me) continue;
    /** @param {Message} message */
    const isRead = (message) => message.ordinal <= ordinal && message.senderId === state.me && !message.deletedAt;
    const message = messages.findLast(isRead);
    if (message) marks.set(message.id, [...(marks.get(message.id) ?? []), user]);
  }
  return marks;
}

/**
 * What an open conversation shows, top to bottom: days, the unread mark, messages, pending messages.
 *
 * @param {State} state
 * @param {number} id
 * @returns {ThreadItem[]}
 */
export function threadItems(state, id) {
  const thread = state.threads.get(id);
  if (!thread) return [];
  const marks = readMarks(state, id, thread.messages);
  const lastOwn = newestOwn(state, thread);
  /** @type {ThreadItem[]} */
  const items = [];
  /** @type {Message | undefined} */
  let before;
  for (const message of thread.messages) {
    const isNewDay = !before || dayOf(before.createdAt) !== dayOf(message.createdAt);
    const isFirstUnread = message.ordinal === thread.unreadFrom;
    if (isNewDay) items.push({ kind: 'day', key: `day-${dayOf(message.createdAt)}`, at: message.createdAt });
    if (isFirstUnread) items.push({ kind: 'unread', key: 'unread' });
    const isContinued = !isNewDay && !isFirstUnread && continues(before, message);
    const readBy = marks.get(message.id) ?? [];
    const isLastOwn = message === lastOwn;
    items.push({ kind: 'message', key: keyOf(state, message), message, isContinued, readBy, isLastOwn });
    before = message;
  }
  const pending = state.pending.filter(({ conversationId }) => conversationId === id);
  for (const item of pending) items.push({ kind: 'pending', key: item.clientMessageId, item });
  return items;
}

/**
 * A sent message keeps the key of the pending one, so that its element is reused.
 *
 * @param {State} state
 * @param {Message} message
 */
const keyOf = ({ me }, { id, senderId, clientMessageId }) =>
  (senderId === me && clientMessageId) || `message-${id}`;

/**
 * @param {Message | undefined} before
 * @param {Message} message
 */
const continues = (before, message) =>
  before !== undefined &&
  message.senderId !== null &&
  before.senderId === message.senderId &&
  Date.parse(message.createdAt) - Date.parse(before.createdAt) < GROUP_MS;

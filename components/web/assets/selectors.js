// What the page shows, derived from the state. No DOM, no network.

import { dayOf } from './time.js';

/** Consecutive messages of one sender within this time share one heading. */
const GROUP_MS = 5 * 60_000;

/** The practice software has the names; this service knows users by number. */
export const nameOf = (user) => `User ${user}`;

export const conversationsByActivity = ({ conversations }) =>
  [...conversations.values()].sort((a, b) => activity(b).localeCompare(activity(a)) || b.id - a.id);

const activity = ({ lastActivityAt, createdAt }) => lastActivityAt ?? createdAt ?? '';

export const others = ({ me }, { participantIds }) => participantIds.filter((user) => user !== me);

export function titleOf(state, conversation) {
  if (conversation.title) return conversation.title;
  return others(state, conversation).map(nameOf).join(', ') || 'Only you';
}

export const isAnyoneOnline = (state, conversation) =>
  others(state, conversation).some((user) => state.online.has(user));

/** The unread count; 0 while the newest message of the conversation is in view. */
export const unreadOf = ({ open, newestInView }, { id, unreadCount }) => (newestInView && open === id ? 0 : unreadCount);

export const totalUnread = (state) =>
  [...state.conversations.values()].reduce((sum, conversation) => sum + unreadOf(state, conversation), 0);

/** A message as one line. */
export function summaryOf({ me }, message) {
  if (!message) return '';
  if (message.deletedAt) return 'Message deleted';
  const who = message.senderId === me ? 'You: ' : message.senderId ? `${nameOf(message.senderId)}: ` : '';
  return who + message.content;
}

export const typingIn = ({ typing, me }, id) => [...(typing.get(id)?.keys() ?? [])].filter((user) => user !== me);

export function findMessage({ threads, quoted }, conversationId, id) {
  return threads.get(conversationId)?.messages.find((message) => message.id === id) ?? quoted.get(id);
}

/** Whether messages are missing between those that are loaded, or before the first. */
export const hasGap = ({ messages, prev }) =>
  messages.some(({ ordinal }, index) => ordinal > (index > 0 ? messages[index - 1].ordinal : prev ? ordinal : 0) + 1);

/** The newest message of another sender; reading it reads all before it. */
export const newestForeign = (state, { messages }) => messages.findLast(({ senderId }) => senderId !== state.me);

export const newestOwn = (state, { messages }) =>
  messages.findLast(({ senderId, deletedAt }) => senderId === state.me && !deletedAt);

/** By message id: the users who have read up to it. Each user is at the newest own message that they have read. */
export function readMarks(state, id, messages) {
  const marks = new Map();
  for (const [user, ordinal] of state.reads.get(id) ?? []) {
    if (user === state.me) continue;
    const isRead = (message) => message.ordinal <= ordinal && message.senderId === state.me && !message.deletedAt;
    const message = messages.findLast(isRead);
    if (message) marks.set(message.id, [...(marks.get(message.id) ?? []), user]);
  }
  return marks;
}

/** What an open conversation shows, top to bottom: days, the unread mark, messages, pending messages. */
export function threadItems(state, id) {
  const thread = state.threads.get(id);
  if (!thread) return [];
  const marks = readMarks(state, id, thread.messages);
  const lastOwn = newestOwn(state, thread);
  const items = [];
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
  return [...items, ...pending.map((item) => ({ kind: 'pending', key: item.clientMessageId, item }))];
}

/** A sent message keeps the key of the pending one, so that its element is reused. */
const keyOf = ({ me }, { id, senderId, clientMessageId }) =>
  (senderId === me && clientMessageId) || `message-${id}`;

const continues = (before, message) =>
  message.senderId !== null &&
  before.senderId === message.senderId &&
  Date.parse(message.createdAt) - Date.parse(before.createdAt) < GROUP_MS;

// The messages of a thread: versions, order, gaps, and the unread mark. No DOM, no network.

/**
 * @import { Message } from '../types/service.d.ts'
 * @import { PendingMessage, Thread } from '../types/state.d.ts'
 */

/**
 * Merges messages by id, each in its newest version, ordered by ordinal.
 *
 * @param {readonly Message[]} messages
 * @param {readonly Message[]} incoming
 */
export function merge(messages, incoming) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  incoming.forEach((message) => byId.set(message.id, newerVersion(byId.get(message.id), message)));
  return [...byId.values()].sort((a, b) => a.ordinal - b.ordinal);
}

/**
 * @param {Message | undefined} known
 * @param {Message} incoming
 */
export const newerVersion = (known, incoming) => (known && version(known) > version(incoming) ? known : incoming);

/**
 * A tombstone is final, and timestamps in UTC sort as text.
 *
 * @param {Message} message
 */
const version = ({ deletedAt, editedAt }) => (deletedAt ? '~' : (editedAt ?? ''));

/**
 * Whether a pending message has become this message of the service.
 *
 * @param {PendingMessage} pending
 * @param {Message} message
 * @param {number} me
 */
export const isConfirmedBy = (pending, message, me) =>
  message.senderId === me && message.clientMessageId === pending.clientMessageId;

/**
 * Adds a message to a thread. One that is older or later than the loaded pages is left out: a gap would lie
 * between.
 *
 * @param {Thread} thread
 * @param {Message} message
 */
export function insertLoaded({ messages, prev, hasLater }, message) {
  const oldest = messages.at(0);
  const newest = messages.at(-1);
  const isBefore = prev && oldest && message.ordinal < oldest.ordinal;
  const isBehind = hasLater && newest && message.ordinal > newest.ordinal;
  return isBefore || isBehind ? messages : merge(messages, [message]);
}

/**
 * Whether a page follows the loaded messages without a gap, or precedes them.
 *
 * @param {readonly Message[]} messages
 * @param {readonly Message[]} page
 */
export function isAdjacent(messages, page) {
  const [from, to] = [messages.at(0)?.ordinal ?? 0, messages.at(-1)?.ordinal ?? 0];
  const [first, last] = [page.at(0)?.ordinal ?? from, page.at(-1)?.ordinal ?? from];
  return !messages.length || (first <= to + 1 && last >= from - 1);
}

/**
 * The first ordinal that is missing between the loaded messages, or before the first.
 *
 * @param {Thread} thread
 */
export function firstGap({ messages, prev }) {
  let expected = prev ? messages.at(0)?.ordinal : 1;
  for (const { ordinal } of messages) {
    if (ordinal !== expected) return expected;
    expected = ordinal + 1;
  }
  return undefined;
}

/**
 * Finds the first message that was unread when the conversation was opened (`unreadFrom`): it is the
 * message `unread` places back, which may be pages away. `searchedTo` is the ordinal down to which the
 * loaded messages have been counted.
 *
 * @param {number} me
 * @param {Thread} thread
 * @returns {Thread}
 */
export function withUnreadMark(me, thread) {
  const { unread, messages, prev, searchedTo = Infinity } = thread;
  if (unread === undefined || thread.status !== 'ready' || thread.hasLater) return thread;
  const found = messages.filter(
    ({ ordinal, senderId, deletedAt }) => ordinal < searchedTo && senderId !== me && !deletedAt,
  );
  if (found.length < unread && prev) {
    return { ...thread, unread: unread - found.length, searchedTo: messages[0].ordinal };
  }
  const first = unread > 0 ? (found.at(-unread) ?? found[0]) : undefined;
  return { ...thread, unread: undefined, searchedTo: undefined, unreadFrom: first?.ordinal };
}

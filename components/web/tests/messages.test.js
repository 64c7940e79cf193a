// Merging, gaps and the unread mark.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { firstGap, merge } from '../assets/messages.js';
import { after, ME, message, messages, newMessage, opened, ROOM, thread, threadLoaded, time } from './support.js';

/** Any subset of the versions of 20 messages, in any order. */
const versions = fc.shuffledSubarray(
  messages(1, 20).flatMap((posted) => [posted, { ...posted, content: 'edited', editedAt: time(posted.ordinal + 50) }]),
);

/**
 * @param {import('../types/service.d.ts').Message[]} loaded
 * @param {string} [prev]
 */
const threadOf = (loaded, prev) => thread(after(opened(), threadLoaded(loaded, prev)));

describe('merge', () => {
  it('is idempotent, commutative and associative', () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        const ab = merge(merge([], a), b);
        assert.deepEqual(merge(ab, b), ab);
        assert.deepEqual(merge(merge([], b), a), ab);
        assert.deepEqual(merge(ab, c), merge(merge([], a), merge(merge([], b), c)));
      }),
    );
  });

  it('never replaces a tombstone', () => {
    const tombstone = message(1, { content: null, deletedAt: time(9) });
    const edited = message(1, { editedAt: time(99) });
    assert.deepEqual(merge([tombstone], [edited]), [tombstone]);
    assert.deepEqual(merge([edited], [tombstone]), [tombstone]);
  });
});

describe('a gap', () => {
  it('is at the first missing ordinal, but not before the oldest page that is loaded', () => {
    fc.assert(
      fc.property(fc.subarray(messages(1, 12)), fc.boolean(), (loaded, isCutOff) => {
        const present = new Set(loaded.map(({ ordinal }) => ordinal));
        const [first, last] = [isCutOff ? Math.min(...present) : 1, Math.max(...present)];
        const missing = messages(1, 12).find(({ ordinal }) => ordinal >= first && ordinal < last && !present.has(ordinal));
        assert.equal(firstGap(threadOf(loaded, isCutOff ? 'older' : undefined)), missing?.ordinal);
      }),
    );
  });
});

describe('the unread mark', () => {
  /**
   * The thread of a conversation that is opened again with so many unread messages.
   *
   * @param {number} count
   */
  const openedWithUnread = (count) =>
    after(
      opened(),
      threadLoaded(messages(5, 9), 'older'),
      { type: 'unread-count', conversationId: ROOM, count },
      { type: 'opened', conversationId: ROOM },
    );

  it('is at the first unread message of another sender', () => {
    assert.equal(thread(openedWithUnread(2)).unreadFrom, 7);
    assert.equal(thread(openedWithUnread(0)).unreadFrom, undefined);
  });

  it('waits for the page that has the message', () => {
    const state = openedWithUnread(4);
    assert.equal(thread(state).unreadFrom, undefined);
    const extended = after(state, newMessage(message(11)), {
      type: 'thread-extended', conversationId: ROOM, messages: messages(2, 4), prev: 'older',
    });
    assert.equal(thread(extended).unreadFrom, 3);
  });

  it('is at the first message when the count is too high', () => {
    const state = after(openedWithUnread(9), {
      type: 'thread-extended', conversationId: ROOM, messages: messages(1, 4), prev: undefined,
    });
    assert.equal(thread(state).unreadFrom, 1);
  });

  it('disappears when this user writes', () => {
    const item = { clientMessageId: 'mine', conversationId: ROOM, content: '10', createdAt: time(10) };
    assert.equal(thread(after(openedWithUnread(2), { type: 'queued', item })).unreadFrom, undefined);
  });

  it('does not count deleted and own messages', () => {
    const loaded = messages(1, 9).map((one) => (one.ordinal === 9 ? { ...one, content: null, deletedAt: time(99) } : one));
    const state = after(
      opened(),
      threadLoaded(loaded),
      { type: 'unread-count', conversationId: ROOM, count: 1 },
      { type: 'opened', conversationId: ROOM },
    );
    assert.equal(thread(state).unreadFrom, 7);
    assert.equal(thread(state).messages.filter(({ senderId }) => senderId === ME).length, 4);
  });
});

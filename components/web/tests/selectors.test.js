// What the page shows.

import './browser.js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  after, conversation, ME, message, messages, newMessage, opened, OTHER, ROOM, threadLoaded, time,
} from './support.js';

const { conversationsByActivity, findMessage, readMarks, summaryOf, threadItems, titleOf, totalUnread, typingIn } =
  await import('../assets/selectors.js');

/** @import { State } from '../types/state.d.ts' */

/** @param {State} state */
const kinds = (state) => threadItems(state, ROOM).map(({ kind }) => kind);

describe('an open conversation', () => {
  it('has a heading for each day in the local time zone', () => {
    const beforeMidnight = message(1, { createdAt: '2026-01-01T22:59:59.000Z' });
    const afterMidnight = message(2, { createdAt: '2026-01-01T23:00:00.000Z' });
    const state = after(opened(), threadLoaded([beforeMidnight, afterMidnight]));
    assert.deepEqual(kinds(state), ['day', 'message', 'day', 'message']);
  });

  it('groups the messages of one sender within five minutes', () => {
    const from = /** @param {number} ordinal @param {number} seconds @param {number} senderId */ (ordinal, seconds, senderId) =>
      message(ordinal, { senderId, createdAt: time(seconds) });
    const posted = [from(1, 0, OTHER), from(2, 299, OTHER), from(3, 599, OTHER), from(4, 600, ME)];
    const items = threadItems(after(opened(), threadLoaded(posted)), ROOM);
    assert.deepEqual(
      items.flatMap((item) => (item.kind === 'message' ? [item.isContinued] : [])),
      [false, true, false, false],
    );
  });

  it('shows pending messages last, and reuses their key once they are sent', () => {
    const item = { clientMessageId: 'mine', conversationId: ROOM, content: '3', createdAt: time(3) };
    const queued = after(opened(), threadLoaded(messages(1, 2)), { type: 'queued', item });
    assert.deepEqual(kinds(queued), ['day', 'message', 'message', 'pending']);
    const sent = after(queued, newMessage(message(3, { senderId: ME, clientMessageId: 'mine' })));
    assert.deepEqual(kinds(sent), ['day', 'message', 'message', 'message']);
    assert.equal(threadItems(sent, ROOM).at(-1)?.key, threadItems(queued, ROOM).at(-1)?.key);
  });

  it('shows the unread mark before the first unread message', () => {
    const state = after(
      opened(),
      threadLoaded(messages(1, 3)),
      { type: 'unread-count', conversationId: ROOM, count: 1 },
      { type: 'opened', conversationId: ROOM },
    );
    assert.deepEqual(kinds(state), ['day', 'message', 'message', 'unread', 'message']);
  });
});

describe('read receipts', () => {
  it('are at the newest own message that was read', () => {
    const read = after(
      opened(),
      threadLoaded(messages(1, 9)),
      { type: 'message-read', conversationId: ROOM, message: message(7), userId: OTHER },
      { type: 'message-read', conversationId: ROOM, message: message(9), userId: ME },
    );
    assert.deepEqual(readMarks(read, ROOM, messages(1, 9)), new Map([[106, [OTHER]]]));
  });
});

describe('the list of conversations', () => {
  const listed = after(opened(), {
    type: 'list-extended',
    conversations: [
      conversation({ id: 8, lastActivityAt: time(20), unreadCount: 2 }),
      conversation({ id: 9, lastActivityAt: time(20), unreadCount: 1 }),
    ],
    next: undefined,
  });

  it('has the most recent activity first', () => {
    assert.deepEqual(conversationsByActivity(listed).map(({ id }) => id), [9, 8, ROOM]);
    const active = after(listed, newMessage(message(30)));
    assert.deepEqual(conversationsByActivity(active).map(({ id }) => id), [ROOM, 9, 8]);
  });

  it('does not count what is being read', () => {
    const unread = after(listed, { type: 'unread-count', conversationId: ROOM, count: 5 });
    assert.equal(totalUnread(unread), 8);
    assert.equal(totalUnread(after(unread, { type: 'newest-in-view', value: true })), 3);
  });

  it('names a conversation by its title, else by the other participants', () => {
    assert.equal(titleOf(listed, conversation({ title: 'Smith v Jones' })), 'Smith v Jones');
    assert.equal(titleOf(listed, conversation({ participantIds: [ME, 2, 3] })), 'User 2, User 3');
    assert.equal(titleOf(listed, conversation({ participantIds: [ME] })), 'Only you');
  });

  it('shows a message as one line', () => {
    assert.equal(summaryOf(listed, message(1)), 'User 2: 1');
    assert.equal(summaryOf(listed, message(2)), 'You: 2');
    assert.equal(summaryOf(listed, message(1, { senderId: null, kind: 'system' })), '1');
    assert.equal(summaryOf(listed, message(1, { content: null, deletedAt: time(2) })), 'Message deleted');
    assert.equal(summaryOf(listed, message(1, { content: null, unreadable: true })), 'Message unreadable');
  });
});

describe('other selectors', () => {
  it('leave this user out of those who type', () => {
    const state = after(opened(), { type: 'typing-loaded', conversationId: ROOM, users: [ME, OTHER], at: 0 });
    assert.deepEqual(typingIn(state, ROOM), [OTHER]);
  });

  it('find a quoted message that is not loaded', () => {
    const state = after(opened(), threadLoaded(messages(5, 6), 'older'), { type: 'quoted-loaded', message: message(1) });
    assert.deepEqual(findMessage(state, ROOM, 101), message(1));
    assert.deepEqual(findMessage(state, ROOM, 105), message(5));
    assert.equal(findMessage(state, ROOM, 102), undefined);
  });
});

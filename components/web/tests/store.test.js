// The state ends up the same whatever the order of events.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { firstGap } from '../assets/messages.js';
import { createStore, initialState } from '../assets/store.js';
import {
  after, conversation, ME, message, messages, newMessage, opened, ordinals, OTHER, ROOM, shuffledWithDuplicates,
  thread, threadLoaded, time,
} from './support.js';

/** @import { StoreEvent } from '../types/state.d.ts' */

/** @type {StoreEvent} */
const someoneTypes = { type: 'typing-start', conversationId: ROOM, userId: OTHER, at: 1_000 };

describe('messages', () => {
  /** By message: posted, and then nothing, an edit, two edits, or two edits and a deletion. */
  const histories = messages(1, 30).map((posted, index) => {
    const edited = { ...posted, content: `${posted.ordinal}b`, editedAt: time(100) };
    const editedAgain = { ...posted, content: `${posted.ordinal}c`, editedAt: time(200) };
    const deleted = { ...editedAgain, content: null, deletedAt: time(300) };
    return [posted, edited, editedAgain, deleted].slice(0, 1 + (index % 4));
  });
  const final = histories.map((versions) => versions.at(-1));
  const events = histories.flatMap((versions) =>
    versions.map((version) => {
      const type = version.deletedAt ? 'message-deleted' : version.editedAt ? 'message-edited' : 'new-message';
      return /** @type {StoreEvent} */ ({ type, conversationId: ROOM, message: version });
    }),
  );

  it('end up once each, in order and in their newest version', () => {
    fc.assert(
      fc.property(shuffledWithDuplicates(events), (arrived) => {
        const state = after(opened(), threadLoaded([]), ...arrived);
        assert.deepEqual(thread(state).messages, final);
        assert.deepEqual(state.conversations.get(ROOM)?.lastMessage, final.at(-1));
      }),
    );
  });

  it('end up the same when a page arrives among the events', () => {
    const page = threadLoaded(messages(1, 30));
    fc.assert(
      fc.property(shuffledWithDuplicates([page, ...events]), (arrived) => {
        assert.deepEqual(thread(after(opened(), ...arrived)).messages, final);
      }),
    );
  });

  it('that are older than the loaded pages are left out', () => {
    const state = after(opened(), threadLoaded(messages(5, 8), 'older'), newMessage(message(2)));
    assert.deepEqual(ordinals(state), [5, 6, 7, 8]);
  });
});

describe('a quoted message that is not loaded', () => {
  it('follows edits and deletions', () => {
    const quoted = after(opened(), threadLoaded(messages(5, 6), 'older'), { type: 'quoted-loaded', message: message(1) });
    const tombstone = message(1, { content: null, deletedAt: time(9) });
    const deleted = after(quoted, { type: 'message-deleted', conversationId: ROOM, message: tombstone });
    assert.deepEqual(deleted.quoted.get(101), tombstone);
    assert.deepEqual(after(deleted, newMessage(message(1))).quoted.get(101), tombstone);
  });
});

describe('a refresh', () => {
  const withGap = after(opened(), threadLoaded(messages(5, 6), 'older'), newMessage(message(9)));

  it('fills a gap and keeps newer messages', () => {
    assert.equal(firstGap(thread(withGap)), 7);
    const state = after(withGap, threadLoaded(messages(5, 8), 'older'));
    assert.deepEqual(ordinals(state), [5, 6, 7, 8, 9]);
    assert.equal(firstGap(thread(state)), undefined);
  });

  it('that reaches less far back drops what would be behind a gap', () => {
    const state = after(withGap, threadLoaded(messages(8, 10), 'older'));
    assert.deepEqual(ordinals(state), [8, 9, 10]);
  });

  it('that fails leaves loaded messages as they are', () => {
    const state = after(withGap, { type: 'thread-failed', conversationId: ROOM, isGone: false });
    assert.equal(thread(state).status, 'ready');
    assert.deepEqual(ordinals(state), [5, 6, 9]);
  });
});

describe('a pending message', () => {
  const item = { clientMessageId: 'mine', conversationId: ROOM, content: '1', createdAt: time(1) };
  const queued = after(opened(), threadLoaded([]), { type: 'queued', item });

  it('is replaced by the message that has its clientMessageId', () => {
    const confirmed = newMessage(message(1, { senderId: ME, clientMessageId: 'mine' }));
    const state = after(queued, confirmed, confirmed);
    assert.deepEqual(state.pending, []);
    assert.deepEqual(ordinals(state), [1]);
  });

  it('is replaced also when a page, an edit or a deletion brings the message first', () => {
    const sent = message(1, { senderId: ME, clientMessageId: 'mine' });
    /** @type {StoreEvent[]} */
    const arrivals = [
      threadLoaded([sent]),
      { type: 'thread-extended', conversationId: ROOM, messages: [sent], prev: undefined },
      { type: 'message-edited', conversationId: ROOM, message: { ...sent, editedAt: time(9) } },
      { type: 'message-deleted', conversationId: ROOM, message: { ...sent, content: null, deletedAt: time(9) } },
    ];
    for (const arrival of arrivals) assert.deepEqual(after(queued, arrival).pending, [], arrival.type);
  });

  it('is not confirmed by the message of another user', () => {
    const state = after(queued, newMessage(message(1, { senderId: OTHER, clientMessageId: 'mine' })));
    assert.deepEqual(state.pending, [item]);
  });

  it('can be refused, sent again and discarded', () => {
    const refused = after(queued, { type: 'refused', clientMessageId: 'mine', error: 'Too long.' });
    assert.equal(refused.pending[0].error, 'Too long.');
    assert.equal(after(refused, { type: 'requeued', clientMessageId: 'mine' }).pending[0].error, undefined);
    assert.deepEqual(after(refused, { type: 'discarded', clientMessageId: 'mine' }).pending, []);
  });
});

describe('the list of conversations', () => {
  const newer = after(
    opened(),
    threadLoaded([]),
    newMessage(message(9)),
    { type: 'unread-count', conversationId: ROOM, count: 3 },
  );

  it('keeps what is newer than a page', () => {
    const stale = conversation({ lastMessage: message(6), lastActivityAt: time(6), unreadCount: 1 });
    const state = after(newer, { type: 'list-loaded', conversations: [stale], next: undefined });
    const { lastMessage, unreadCount } = state.conversations.get(ROOM) ?? {};
    assert.deepEqual([lastMessage?.ordinal, unreadCount], [9, 3]);
  });

  it('takes over a page that is newer', () => {
    const fresh = conversation({ lastMessage: message(10), lastActivityAt: time(10), unreadCount: 0 });
    const state = after(newer, { type: 'list-loaded', conversations: [fresh], next: undefined });
    assert.deepEqual(state.conversations.get(ROOM), fresh);
  });

  it('lets go of conversations that are not on the first page, except the open one', () => {
    const first = conversation({ id: 8 });
    const other = conversation({ id: 9 });
    const state = after(
      opened(),
      { type: 'list-extended', conversations: [first], next: undefined },
      { type: 'list-loaded', conversations: [other], next: undefined },
    );
    assert.deepEqual([...state.conversations.keys()], [ROOM, 9]);
  });
});

describe('a typing indicator', () => {
  const typing = after(opened(), someoneTypes);
  /** @param {typeof typing} state */
  const users = (state) => [...(state.typing.get(ROOM)?.keys() ?? [])];

  it('expires', () => {
    assert.deepEqual(users(after(typing, { type: 'tick', at: 9_000 })), [OTHER]);
    assert.deepEqual(users(after(typing, { type: 'tick', at: 14_000 })), []);
  });

  it('is renewed by another typing-start', () => {
    assert.deepEqual(users(after(typing, { ...someoneTypes, at: 5_000 }, { type: 'tick', at: 14_000 })), [OTHER]);
  });

  it('ends with typing-stop and with a message of that user', () => {
    assert.deepEqual(users(after(typing, { type: 'typing-stop', conversationId: ROOM, userId: OTHER })), []);
    assert.deepEqual(users(after(typing, newMessage(message(1)))), []);
    assert.deepEqual(users(after(typing, newMessage(message(2)))), [OTHER]);
  });
});

describe('participants and presence', () => {
  it('follow the events, in any number', () => {
    const joined = { type: /** @type {const} */ ('participant-joined'), conversationId: ROOM, userId: 3 };
    const state = after(opened(), joined, joined, { ...joined, type: 'participant-left', userId: OTHER });
    assert.deepEqual(state.conversations.get(ROOM)?.participantIds, [ME, 3]);
    const online = after(state, { type: 'online', userId: 3 }, { type: 'online', userId: 4 }, { type: 'offline', userId: 4 });
    assert.deepEqual([...online.online], [3]);
  });

  it('hide a conversation that this user has left', () => {
    const state = after(opened(), { type: 'participant-left', conversationId: ROOM, userId: ME });
    assert.ok(!state.conversations.has(ROOM));
    assert.equal(thread(state).status, 'gone');
  });

  it('move a read cursor forward only', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (read) => {
        const state = after(
          opened(),
          ...read.map((ordinal) => /** @type {StoreEvent} */ ({
            type: 'message-read', conversationId: ROOM, message: message(ordinal), userId: OTHER,
          })),
        );
        assert.equal(state.reads.get(ROOM)?.get(OTHER), Math.max(...read));
      }),
    );
  });
});

describe('the store', () => {
  it('notifies its listeners of changes only', () => {
    const store = createStore(initialState(ME));
    /** @type {string[]} */
    const types = [];
    store.subscribe((_, event) => types.push(event.type));
    store.dispatch({ type: 'tick', at: 1 });
    store.dispatch({ type: 'connection', status: 'connecting' });
    store.dispatch({ type: 'connection', status: 'live' });
    store.dispatch({ type: 'resync' });
    assert.deepEqual(types, ['connection']);
    assert.equal(store.get().connection, 'live');
  });
});

// Loading and refreshing, against a service that a test controls.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { PAGE_SIZE } from '../assets/api.js';
import { ApiError } from '../assets/http.js';
import { createStore, initialState } from '../assets/store.js';
import { createSync } from '../assets/sync.js';
import {
  conversation, deferred, ME, message, messages, newMessage, ordinals, OTHER, ROOM, settled, thread, time,
} from './support.js';

/** @import { Conversation, Message } from '../types/service.d.ts' */

const PAGE = 5;

/**
 * A service with these messages in the conversation, and these conversations, in pages of five.
 *
 * @param {Message[]} posted
 * @param {Conversation[]} listed
 */
function service(posted, listed = [conversation()]) {
  /** @type {string[]} */
  const calls = [];
  const state = { posted, listed, failure: /** @type {ApiError | undefined} */ (undefined) };
  /**
   * @template T
   * @param {string} call
   * @param {() => T} answer
   */
  async function respond(call, answer) {
    calls.push(call);
    if (state.failure) throw state.failure;
    return answer();
  }
  const api = {
    /** @param {string} [next] */
    conversations: (next) =>
      respond(`list ${next ?? ''}`, () => {
        const from = Number(next ?? 0);
        const items = state.listed.slice(from, from + PAGE);
        const isLast = from + PAGE >= state.listed.length;
        return { items, prev: undefined, next: isLast ? undefined : `${from + PAGE}` };
      }),
    /** @param {number} id */
    conversation: (id) => respond(`conversation ${id}`, () => conversation({ id })),
    /** @param {number} _id @param {string} [prev] */
    messages: (_id, prev) =>
      respond(`messages ${prev ?? ''}`, () => {
        const before = state.posted.filter(({ ordinal }) => ordinal < Number(prev ?? Infinity));
        const items = before.slice(-PAGE);
        return { items, prev: before.length > PAGE ? String(items[0].ordinal) : undefined, next: undefined };
      }),
    /** @param {number} _id @param {number} before */
    messagesBefore: (_id, before) =>
      respond(`before ${before}`, () => {
        const older = state.posted.filter(({ id }) => id < before);
        const items = older.slice(-PAGE_SIZE);
        const prev = older.length > PAGE_SIZE ? String(items[0].ordinal) : undefined;
        return { items, prev, next: undefined };
      }),
    /** @param {number} _id @param {number} after */
    messagesAfter: (_id, after) =>
      respond(`after ${after}`, () => {
        const items = state.posted.filter(({ id }) => id > after).slice(0, PAGE_SIZE);
        return { items, prev: undefined, next: undefined };
      }),
    /** @param {number} id */
    message: (id) => respond(`message ${id}`, () => state.posted.find((one) => one.id === id)),
    receipts: () => respond('receipts', () => ({ readBy: [{ userId: OTHER, readAt: time(1) }] })),
    typing: () => respond('typing', () => ({ users: [OTHER] })),
    onlineUsers: () => respond('online', () => ({ users: [OTHER] })),
  };
  return { state, calls, api };
}

/** @param {ReturnType<typeof service>} fake */
function open(fake) {
  const store = createStore(initialState(ME));
  const sync = createSync({ api: /** @type {any} */ (fake.api), store });
  return { store, sync };
}

/** A page whose list is loaded and whose conversation is open. @param {ReturnType<typeof service>} fake */
async function openThread(fake) {
  const page = open(fake);
  page.store.dispatch({ type: 'connection', status: 'live' });
  await page.sync.refreshList();
  page.store.dispatch({ type: 'opened', conversationId: ROOM });
  await page.sync.openThread(ROOM);
  fake.calls.length = 0;
  return page;
}

describe('an opened conversation', () => {
  it('has the newest page, receipts, and who is typing', async () => {
    const { store } = await openThread(service(messages(1, 12)));
    assert.deepEqual(ordinals(store.get()), [8, 9, 10, 11, 12]);
    assert.equal(store.get().reads.get(ROOM)?.get(OTHER), 12);
    assert.ok(store.get().typing.get(ROOM)?.has(OTHER));
  });

  it('is gone if the service refuses it', async () => {
    const fake = service([]);
    const { store, sync } = open(fake);
    fake.state.failure = new ApiError(404);
    store.dispatch({ type: 'opened', conversationId: ROOM });
    await sync.openThread(ROOM);
    assert.equal(thread(store.get()).status, 'gone');
  });

  it('loads the messages that are replied to and that are on no loaded page', async () => {
    const fake = service([...messages(1, 11), message(12, { replyToId: 101 })]);
    const { store } = await openThread(fake);
    assert.deepEqual(store.get().quoted.get(101), message(1));
  });

  it('loads the page before once, however often it is asked to', async () => {
    const fake = service(messages(1, 12));
    const { store, sync } = await openThread(fake);
    await Promise.all([sync.loadOlder(ROOM), sync.loadOlder(ROOM)]);
    assert.deepEqual(ordinals(store.get()), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert.deepEqual(fake.calls, ['messages 8']);
  });
});

describe('a message further up', () => {
  const LAST = 400;
  const WANTED = message(150);

  /** A page that went to the message. */
  async function openAt() {
    const fake = service(messages(1, LAST));
    const page = await openThread(fake);
    const last = message(LAST);
    page.store.dispatch({ type: 'list-loaded', conversations: [conversation({ lastMessage: last })], next: undefined });
    await page.sync.openAt(ROOM, WANTED.id);
    return { ...page, fake };
  }

  /** @param {import('../types/state.d.ts').State} state */
  const range = (state) => {
    const all = ordinals(state);
    const [from, to] = [all[0], all[all.length - 1]];
    assert.deepEqual(all, Array.from({ length: to - from + 1 }, (_, index) => from + index));
    return [from, to, thread(state).hasLater];
  };

  it('is shown with the pages around it, in a few requests', async () => {
    const { store, fake } = await openAt();
    assert.deepEqual(range(store.get()), [100, 200, true]);
    assert.ok(fake.calls.length <= 6, fake.calls.join());
  });

  it('is followed by later pages until the end is there', async () => {
    const { store, sync } = await openAt();
    await sync.loadOlder(ROOM);
    for (let n = 0; n < 5; n++) await sync.loadLater(ROOM);
    assert.deepEqual(range(store.get()), [95, 400, false]);
  });

  it('keeps later messages out until the pages reach them', async () => {
    const { store, sync, fake } = await openAt();
    fake.state.posted = messages(1, LAST + 1);
    store.dispatch(newMessage(message(LAST + 1)));
    assert.deepEqual(range(store.get()), [100, 200, true]);
    for (let n = 0; n < 5; n++) await sync.loadLater(ROOM);
    assert.deepEqual(range(store.get()), [100, LAST + 1, false]);
  });

  it('does not count as the end when a message comes while the last page is loaded', async () => {
    const fake = service(messages(1, 60));
    const { store, sync } = await openThread(fake);
    const { messagesAfter } = fake.api;
    fake.api.messagesAfter = async (id, after) => {
      const page = await messagesAfter(id, after);
      store.dispatch(newMessage(message(61)));
      return page;
    };
    store.dispatch({ type: 'opened', conversationId: ROOM, messageId: 120 });
    await sync.openAt(ROOM, 120);
    assert.deepEqual(range(store.get()), [1, 60, true]);
    fake.state.posted = messages(1, 61);
    await sync.loadLater(ROOM);
    assert.deepEqual(range(store.get()), [1, 61, false]);
  });

  it('stays where it is in a refresh, with what has changed', async () => {
    const { store, sync, fake } = await openAt();
    fake.state.posted = messages(1, LAST).map((one) => ({ ...one, content: 'edited', editedAt: time(999) }));
    await sync.refresh();
    assert.deepEqual(range(store.get()), [100, 200, true]);
    assert.ok(thread(store.get()).messages.every(({ content }) => content === 'edited'));
  });

  it('is left for the newest ones, by the user or by opening the conversation', async () => {
    const { store, sync } = await openAt();
    await sync.toNewest(ROOM);
    assert.deepEqual(range(store.get()), [396, 400, false]);
    await sync.openAt(ROOM, WANTED.id);
    store.dispatch({ type: 'opened', conversationId: ROOM });
    await sync.openThread(ROOM);
    assert.deepEqual(range(store.get()), [396, 400, false]);
  });

  it('is not lost to a refresh that was under way, nor to an earlier search', async () => {
    const fake = service(messages(1, LAST));
    const { store, sync } = await openThread(fake);
    const slow = deferred();
    const { messages: newestPage, messagesBefore } = fake.api;
    fake.api.messages = async (id, prev) => {
      await slow.promise;
      return newestPage(id, prev);
    };
    fake.api.messagesBefore = async (id, before) => {
      if (before === 300) await slow.promise;
      return messagesBefore(id, before);
    };
    const before = [sync.refresh(), sync.openAt(ROOM, 300)];
    await sync.openAt(ROOM, WANTED.id);
    slow.resolve(undefined);
    await Promise.all(before);
    assert.deepEqual(range(store.get()), [100, 200, true]);
  });

  it('that is loaded already is not loaded again', async () => {
    const fake = service(messages(1, 12));
    const { store, sync } = await openThread(fake);
    await sync.openAt(ROOM, 110);
    assert.equal(fake.calls.some((call) => call.startsWith('after')), false);
    assert.deepEqual(range(store.get()), [8, 12, false]);
  });

  it('that is not there, or of another conversation, leaves the newest messages', async () => {
    for (const found of [undefined, message(150, { conversationId: 8 })]) {
      const fake = service(messages(1, 12));
      const { store, sync } = await openThread(fake);
      fake.api.message = async () => {
        if (!found) throw new ApiError(404);
        return found;
      };
      await sync.openAt(ROOM, WANTED.id);
      assert.deepEqual(range(store.get()), [8, 12, false]);
    }
  });
});

describe('a refresh', () => {
  it('reaches back to the oldest loaded message', async () => {
    const fake = service(messages(1, 12));
    const { store, sync } = await openThread(fake);
    await sync.loadOlder(ROOM);
    fake.state.posted = messages(1, 20).map((one) => ({ ...one, content: 'edited', editedAt: time(99) }));
    await sync.refresh();
    assert.deepEqual(ordinals(store.get()), Array.from({ length: 20 }, (_, index) => index + 1));
    assert.ok(thread(store.get()).messages.every(({ content }) => content === 'edited'));
  });

  it('loads a bounded number of pages, and leaves no gap', async () => {
    const fake = service(messages(1, 12));
    const { store, sync } = await openThread(fake);
    fake.state.posted = messages(1, 100);
    await sync.refresh();
    assert.equal(ordinals(store.get()).at(0), 71);
    assert.equal(ordinals(store.get()).at(-1), 100);
  });

  it('keeps a list that was scrolled down as long as it was', async () => {
    const listed = Array.from({ length: 17 }, (_, index) => conversation({ id: 100 - index, lastActivityAt: time(index) }));
    const fake = service([], listed);
    const { store, sync } = open(fake);
    await sync.refreshList();
    await sync.loadMoreOfList();
    assert.equal(store.get().conversations.size, 10);
    await sync.refresh();
    assert.equal(store.get().conversations.size, 10);
    assert.equal(store.get().list.next, '10');
  });

  it('runs once more for all calls during a run', async () => {
    const fake = service([]);
    const { sync } = open(fake);
    const first = deferred();
    const { conversations } = fake.api;
    fake.api.conversations = async (next) => {
      await first.promise;
      return conversations(next);
    };
    const runs = [sync.refreshList(), sync.refreshList(), sync.refreshList()];
    first.resolve(undefined);
    await Promise.all(runs);
    await settled();
    assert.deepEqual(fake.calls, ['list ', 'list ']);
  });
});

describe('a gap in an open conversation', () => {
  it('is filled by a refresh', async () => {
    const fake = service(messages(1, 6));
    const { store } = await openThread(fake);
    fake.state.posted = messages(1, 9);
    store.dispatch(newMessage(message(9)));
    await settled();
    assert.deepEqual(ordinals(store.get()), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('that a refresh does not fill causes no further request', async () => {
    const fake = service(messages(1, 6));
    const { store } = await openThread(fake);
    fake.state.posted = [...messages(1, 6), message(9)];
    store.dispatch(newMessage(message(9)));
    await settled();
    store.dispatch({ type: 'online', userId: OTHER });
    await settled();
    assert.deepEqual(fake.calls.filter((call) => call.startsWith('messages')), ['messages ', 'messages 3']);
  });
});

describe('a load that fails', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('is repeated with backoff until it succeeds', async () => {
    const fake = service(messages(1, 3));
    const { store, sync } = await openThread(fake);
    fake.state.failure = new ApiError(503);
    fake.state.posted = messages(1, 4);
    await sync.refresh();
    for (let n = 0; n < 3; n++) {
      mock.timers.tick(8_000);
      await settled();
    }
    assert.equal(fake.calls.filter((call) => call === 'list ').length, 4);
    assert.deepEqual(ordinals(store.get()), [1, 2, 3]);
    fake.state.failure = undefined;
    mock.timers.tick(8_000);
    await settled();
    assert.deepEqual(ordinals(store.get()), [1, 2, 3, 4]);
    mock.timers.tick(60_000);
    await settled();
    assert.equal(fake.calls.filter((call) => call === 'list ').length, 5);
  });

  it('is not repeated while the feed is down, nor when the service refuses it', async () => {
    for (const [status, error] of /** @type {const} */ ([['reconnecting', 503], ['live', 401], ['live', 404]])) {
      const fake = service(messages(1, 3));
      const { store, sync } = await openThread(fake);
      store.dispatch({ type: 'connection', status });
      fake.state.failure = new ApiError(error);
      await sync.refresh();
      fake.calls.length = 0;
      mock.timers.tick(60_000);
      await settled();
      assert.deepEqual(fake.calls, [], `${status} ${error}`);
    }
  });
});

describe('an event', () => {
  /** @param {import('../types/service.d.ts').FeedEvent} event */
  async function receive(event) {
    const fake = service(messages(1, 3));
    const { store, sync } = await openThread(fake);
    store.dispatch({ type: 'participant-left', conversationId: ROOM, userId: ME });
    store.dispatch(/** @type {any} */ (event));
    sync.onEvent(event);
    await settled();
    return { calls: fake.calls, thread: thread(store.get()) };
  }

  it('of a conversation that is not listed loads the list if it changes the order of the list', async () => {
    assert.deepEqual((await receive({ type: 'new-message', conversationId: 8, message: message(1) })).calls, ['list ']);
    assert.deepEqual((await receive({ type: 'conversation-created', conversationId: 8 })).calls, ['list ']);
    assert.deepEqual((await receive({ type: 'participant-joined', conversationId: 8, userId: ME })).calls, ['list ']);
    assert.deepEqual((await receive({ type: 'typing-stop', conversationId: 8, userId: OTHER })).calls, []);
    assert.deepEqual((await receive({ type: 'unread-count', conversationId: 8, count: 1 })).calls, []);
    assert.deepEqual((await receive({ type: 'online', userId: OTHER })).calls, []);
  });

  it('of a listed conversation that changed loads that conversation', async () => {
    const fake = service(messages(1, 3));
    const { sync } = await openThread(fake);
    fake.calls.length = 0;
    for (const conversationId of [ROOM, 8]) sync.onEvent({ type: 'conversation-changed', conversationId });
    await settled();
    assert.deepEqual(fake.calls, [`conversation ${ROOM}`]);
  });

  it('that brings this user back opens the conversation again', async () => {
    const { thread: reopened } = await receive({ type: 'participant-joined', conversationId: ROOM, userId: ME });
    assert.equal(reopened.status, 'ready');
  });

  it('resync loads everything that is shown', async () => {
    const { calls } = await receive({ type: 'resync' });
    assert.ok(['list ', 'online', 'messages '].every((call) => calls.includes(call)), calls.join());
  });
});

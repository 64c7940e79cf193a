// Searching: of several answers the newest question's counts, and results follow what happens to messages.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { ApiError } from '../assets/http.js';
import { createSearch } from '../assets/search.js';
import { createStore, initialState } from '../assets/store.js';
import { conversation, deferred, ME, message, ROOM, settled } from './support.js';

/**
 * @import { SearchPage } from '../types/service.d.ts'
 * @import { SearchQuery } from '../types/state.d.ts'
 */

/** @param {number[]} ordinals @param {string | null} [next] @returns {SearchPage} */
const page = (ordinals, next = null) => ({
  results: ordinals.map((ordinal) => ({ message: message(ordinal), highlights: [{ start: 0, length: 1 }] })),
  next,
});

/** A page whose answers a test gives, in any order. */
function open() {
  const store = createStore(initialState(ME));
  /** @type {({ query: SearchQuery, cursor?: string | undefined } & ReturnType<typeof deferred<SearchPage>>)[]} */
  const asked = [];
  const search = createSearch({
    api: {
      search(query, cursor) {
        const answer = /** @type {ReturnType<typeof deferred<SearchPage>>} */ (deferred());
        asked.push({ query, cursor, ...answer });
        return answer.promise;
      },
      conversation: async (id) => conversation({ id, title: `Room ${id}` }),
    },
    store,
  });
  const state = () => store.get().search;
  return { store, search, asked, state, found: () => state().results.map((result) => result.message.ordinal) };
}

/** @param {ReturnType<typeof open>} page @param {string} text */
function type({ search }, text) {
  search.change({ text });
  mock.timers.tick(300);
}

describe('a search', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('begins when the user pauses, with what is then in the field', () => {
    const { search, asked } = open();
    for (const text of ['h', 'he', 'hearing']) {
      search.change({ text });
      mock.timers.tick(100);
    }
    assert.equal(asked.length, 0);
    mock.timers.tick(200);
    assert.deepEqual(asked.map(({ query }) => query.text), ['hearing']);
  });

  it('shows the answer to the newest question, however late the earlier ones come', async () => {
    const opened = open();
    type(opened, 'first');
    type(opened, 'second');
    opened.asked[1].resolve(page([2]));
    await settled();
    assert.deepEqual(opened.found(), [2]);
    opened.asked[0].resolve(page([1]));
    await settled();
    assert.deepEqual(opened.found(), [2]);
    assert.equal(opened.state().status, 'ready');
  });

  it('shows no answer once the field is empty, nor an error of an earlier question', async () => {
    const opened = open();
    type(opened, 'first');
    type(opened, ' ');
    opened.asked[0].resolve(page([1]));
    await settled();
    assert.deepEqual([opened.found(), opened.state().status], [[], 'idle']);
    type(opened, 'second');
    type(opened, 'third');
    opened.asked[1].reject(new ApiError(503));
    await settled();
    assert.equal(opened.state().status, 'loading');
  });

  it('asks anew for another order or place, and by Enter at once', () => {
    const opened = open();
    type(opened, 'hearing');
    opened.search.change({ sort: 'newest' });
    mock.timers.tick(0);
    opened.search.change({ scope: ROOM });
    mock.timers.tick(0);
    opened.search.now();
    assert.deepEqual(opened.asked.map(({ query: { sort, scope } }) => [sort, scope]), [
      ['relevance', undefined], ['newest', undefined], ['newest', ROOM], ['newest', ROOM],
    ]);
  });

  it('has more pages, each asked for once', async () => {
    const opened = open();
    type(opened, 'hearing');
    opened.asked[0].resolve(page([1, 2], 'c2'));
    await settled();
    opened.search.more();
    opened.search.more();
    assert.deepEqual(opened.asked.map(({ cursor }) => cursor), [undefined, 'c2']);
    opened.asked[1].resolve(page([2, 3]));
    await settled();
    assert.deepEqual(opened.found(), [1, 2, 3]);
    opened.search.more();
    assert.equal(opened.asked.length, 2);
  });

  it('drops the next page of an earlier question', async () => {
    const opened = open();
    type(opened, 'first');
    opened.asked[0].resolve(page([1], 'c2'));
    await settled();
    opened.search.more();
    type(opened, 'second');
    opened.asked[2].resolve(page([5]));
    opened.asked[1].resolve(page([2]));
    await settled();
    assert.deepEqual(opened.found(), [5]);
  });

  it('passes over pages without results', async () => {
    const opened = open();
    type(opened, 'hearing');
    opened.asked[0].resolve(page([], 'c2'));
    await settled();
    opened.asked[1].resolve(page([4]));
    await settled();
    assert.deepEqual(opened.found(), [4]);
  });

  it('that fails shows why, without the results of another question', async () => {
    const opened = open();
    type(opened, 'hearing');
    opened.asked[0].resolve(page([1], 'c2'));
    await settled();
    opened.search.more();
    opened.asked[1].reject(new ApiError(0));
    await settled();
    assert.deepEqual([opened.found(), opened.state().reason], [[1], 'The service cannot be reached.']);
    type(opened, '-no');
    opened.asked[2].reject(new ApiError(400, { errors: [{ field: 'q', message: 'needs a word' }] }));
    await settled();
    const { status, reason } = opened.state();
    assert.deepEqual([opened.found(), status, reason], [[], 'refused', 'The search needs a word.']);
  });

  it('loads the conversations that are not in the list', async () => {
    const opened = open();
    opened.store.dispatch({ type: 'list-loaded', conversations: [conversation()], next: undefined });
    type(opened, 'hearing');
    const elsewhere = { message: message(9, { conversationId: 8 }), highlights: [] };
    opened.asked[0].resolve({ results: [...page([1]).results, elsewhere], next: null });
    await settled();
    assert.deepEqual([...opened.state().conversations.keys()], [8]);
  });

  it('follows edits and deletions of what it found, and the end of a membership', async () => {
    const opened = open();
    type(opened, 'hearing');
    opened.asked[0].resolve(page([1, 2, 3]));
    await settled();
    const edited = message(1, { content: 'Other', editedAt: 'now' });
    opened.store.dispatch({ type: 'message-edited', conversationId: ROOM, message: edited });
    const deleted = message(2, { content: null, deletedAt: 'now' });
    opened.store.dispatch({ type: 'message-deleted', conversationId: ROOM, message: deleted });
    assert.deepEqual(opened.state().results, [{ message: edited, highlights: [] }, page([3]).results[0]]);
    opened.store.dispatch({ type: 'participant-left', conversationId: ROOM, userId: ME });
    assert.deepEqual(opened.found(), []);
  });
});

// Requests: identity, links, and errors.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, it, mock } from 'node:test';
import { createApi } from '../assets/api.js';
import { ApiError, reasonOf } from '../assets/http.js';
import { message } from './support.js';

/** @typedef {{ body?: unknown, status?: number, headers?: { [name: string]: string }, text?: string }} Answer */

/**
 * Answers the next requests; returns them.
 *
 * @param {(Answer | Error)[]} answers
 */
function answer(...answers) {
  /** @type {{ url: URL, init: RequestInit }[]} */
  const requests = [];
  mock.method(globalThis, 'fetch', async (/** @type {URL} */ url, /** @type {RequestInit} */ init) => {
    requests.push({ url, init });
    const next = answers.shift() ?? {};
    if (next instanceof Error) throw next;
    const { body = {}, status = 200, headers = {}, text = JSON.stringify(body) } = next;
    return new Response(text, { status, headers });
  });
  return requests;
}

const onUnauthorized = mock.fn();
const open = createApi({ user: 3, token: null, onUnauthorized });
const signedIn = createApi({ user: 3, token: 'a.b.c', onUnauthorized });

/** @param {Promise<unknown>} request */
async function failure(request) {
  const error = await request.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof ApiError, String(error));
  return error;
}

afterEach(() => {
  mock.restoreAll();
  onUnauthorized.mock.resetCalls();
});

it('every request names the user, and a token if there is one', async () => {
  const requests = answer({}, {});
  await open.conversation(7);
  await signedIn.send({ conversationId: 7, content: 'Hello', clientMessageId: 'mine', createdAt: '' });
  assert.equal(requests[0].url.href, 'https://chat.test/api/v1/conversations/7?userId=3');
  assert.deepEqual(requests[0].init.headers, {});
  assert.equal(requests[1].init.method, 'POST');
  assert.deepEqual(requests[1].init.headers, { 'content-type': 'application/json', authorization: 'Bearer a.b.c' });
  assert.deepEqual(JSON.parse(String(requests[1].init.body)), {
    conversationId: 7, senderId: 3, content: 'Hello', clientMessageId: 'mine',
  });
});

it('a page has the links to the next ones, which are followed as they are', async () => {
  const link = '</api/v1/messages?conversationId=7&before=9>; rel="prev", </other?cursor=x>; rel="next"';
  const requests = answer({ body: [message(9)], headers: { link } }, { body: [] });
  const page = await open.messages(7);
  assert.deepEqual(page, {
    items: [message(9)], prev: '/api/v1/messages?conversationId=7&before=9', next: '/other?cursor=x',
  });
  const last = await open.messages(7, page.prev);
  assert.equal(requests[1].url.search, '?conversationId=7&before=9&userId=3');
  assert.deepEqual(last, { items: [], prev: undefined, next: undefined });
});

it('an event stream is opened with a ticket instead of the token', async () => {
  const requests = answer({ body: { ticket: 't1' } });
  assert.equal(
    await signedIn.feedUrl('5-0'),
    'https://chat.test/api/v1/messages/users/3/events?lastEventId=5-0&ticket=t1&userId=3',
  );
  assert.equal(requests[0].url.pathname, '/api/v1/messages/stream-tickets');
  assert.equal(await open.feedUrl(''), 'https://chat.test/api/v1/messages/users/3/events?userId=3');
  assert.equal(requests.length, 1);
});

it('an error has the reason and the faults of the fields', async () => {
  const problem = { detail: 'Not valid.', errors: [{ field: 'content', message: 'must not be blank' }] };
  answer({ status: 422, body: problem }, { status: 404, body: { detail: 'There is none.' } }, { status: 500, text: 'oops' });
  const invalid = await failure(open.edit(1, ''));
  assert.deepEqual([invalid.isPermanent, invalid.reason], [true, 'content must not be blank.']);
  assert.equal((await failure(open.message(1))).reason, 'There is none.');
  const broken = await failure(open.message(1));
  assert.deepEqual([broken.isPermanent, broken.reason], [false, 'The service answered 500.']);
});

it('a failure that may pass is not permanent', async () => {
  for (const status of [401, 408, 425, 429, 500, 502, 503]) {
    answer({ status });
    assert.equal((await failure(open.message(1))).isPermanent, false, String(status));
  }
  answer({ status: 429, headers: { 'retry-after': '7' } });
  assert.equal((await failure(open.message(1))).retryAfterMs, 7_000);
});

it('no response, and one that breaks off, are the same error', async () => {
  answer(new TypeError('fetch failed'), { text: '{"id": 1' });
  for (const error of [await failure(open.message(1)), await failure(open.message(1))]) {
    assert.deepEqual([error.status, error.isPermanent], [0, false]);
    assert.equal(reasonOf(error), 'The service cannot be reached.');
  }
});

it('401 asks for a new sign-in', async () => {
  answer({ status: 401 });
  await failure(signedIn.online());
  assert.equal(onUnauthorized.mock.callCount(), 1);
});

// Requests: identity, links, and errors.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, it, mock } from 'node:test';
import { createApi } from '../assets/api.js';
import { ApiError, reasonOf } from '../assets/http.js';
import { createSessions } from '../assets/sessions.js';
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
let isOpen = true;
const api = createApi({ user: 3, isOpen: () => isOpen, onUnauthorized });

/** @param {Promise<unknown>} request */
async function failure(request) {
  const error = await request.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof ApiError, String(error));
  return error;
}

afterEach(() => {
  mock.restoreAll();
  onUnauthorized.mock.resetCalls();
  isOpen = true;
});

it('every request names the user, and none has a token', async () => {
  const requests = answer({}, {});
  await api.conversation(7);
  await api.send({ conversationId: 7, content: 'Hello', clientMessageId: 'mine', createdAt: '' });
  assert.equal(requests[0].url.href, 'https://chat.test/api/v1/conversations/7?userId=3');
  assert.deepEqual(requests[0].init.headers, {});
  assert.equal(requests[1].init.method, 'POST');
  assert.deepEqual(requests[1].init.headers, { 'content-type': 'application/json' });
  assert.deepEqual(JSON.parse(String(requests[1].init.body)), {
    conversationId: 7, senderId: 3, content: 'Hello', clientMessageId: 'mine',
  });
});

it('only the exchange for a session has a token, and it names no user', async () => {
  const requests = answer({ status: 201 }, {});
  const sessions = createSessions();
  await sessions.begin('a.b.c', 'Firefox on Linux');
  await sessions.list();
  const [begin, list] = requests;
  assert.deepEqual([begin.init.method, begin.url.href], ['POST', 'https://chat.test/api/v1/sessions']);
  assert.deepEqual(begin.init.headers, { 'content-type': 'application/json', authorization: 'Bearer a.b.c' });
  assert.equal(begin.init.body, '{"device":"Firefox on Linux"}');
  assert.deepEqual(list.init.headers, {});
});

it('a page has the links to the next ones, which are followed as they are', async () => {
  const link = '</api/v1/messages?conversationId=7&before=9>; rel="prev", </other?cursor=x>; rel="next"';
  const requests = answer({ body: [message(9)], headers: { link } }, { body: [] });
  const page = await api.messages(7);
  assert.deepEqual(page, {
    items: [message(9)], prev: '/api/v1/messages?conversationId=7&before=9', next: '/other?cursor=x',
  });
  const last = await api.messages(7, page.prev);
  assert.equal(requests[1].url.search, '?conversationId=7&before=9&userId=3');
  assert.deepEqual(last, { items: [], prev: undefined, next: undefined });
});

it('the feed is opened by the cookie, without a ticket', () => {
  const events = 'https://chat.test/api/v1/messages/users/3/events';
  assert.equal(api.feedUrl('5-0'), `${events}?lastEventId=5-0&userId=3`);
  assert.equal(api.feedUrl(''), `${events}?userId=3`);
  assert.equal(api.socketUrl(), 'wss://chat.test/api/v1/messages/users/3/socket?userId=3');
});

it('an error has the reason and the faults of the fields', async () => {
  const problem = { detail: 'Not valid.', errors: [{ field: 'content', message: 'must not be blank' }] };
  answer({ status: 422, body: problem }, { status: 404, body: { detail: 'There is none.' } }, { status: 500, text: 'oops' });
  const invalid = await failure(api.edit(1, ''));
  assert.deepEqual([invalid.isPermanent, invalid.reason], [true, 'content must not be blank.']);
  assert.equal((await failure(api.message(1))).reason, 'There is none.');
  const broken = await failure(api.message(1));
  assert.deepEqual([broken.isPermanent, broken.reason], [false, 'The service answered 500.']);
});

it('a failure that may pass is not permanent', async () => {
  for (const status of [401, 408, 425, 429, 500, 502, 503]) {
    answer({ status });
    assert.equal((await failure(api.message(1))).isPermanent, false, String(status));
  }
  answer({ status: 429, headers: { 'retry-after': '7' } });
  assert.equal((await failure(api.message(1))).retryAfterMs, 7_000);
});

it('no response, and one that breaks off, are the same error', async () => {
  answer(new TypeError('fetch failed'), { text: '{"id": 1' });
  for (const error of [await failure(api.message(1)), await failure(api.message(1))]) {
    assert.deepEqual([error.status, error.isPermanent], [0, false]);
    assert.equal(reasonOf(error), 'The service cannot be reached.');
  }
});

it('401 asks for a new sign-in', async () => {
  answer({ status: 401 });
  await failure(api.online());
  assert.equal(onUnauthorized.mock.callCount(), 1);
});

it('while the page is not open no request is sent', async () => {
  const requests = answer();
  isOpen = false;
  assert.equal((await failure(api.online())).status, 401);
  assert.deepEqual(requests, []);
  assert.equal(onUnauthorized.mock.callCount(), 0);
});

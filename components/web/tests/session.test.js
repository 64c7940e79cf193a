// The identity of the page's user.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, it } from 'node:test';
import fc from 'fast-check';
import { currentSession, parseId, signIn, signOut } from '../assets/session.js';

/** @param {unknown} claims */
const token = (claims) => `header.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;

afterEach(() => {
  signOut();
  location.search = '';
});

it('an id is a positive safe integer in decimal digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (id) => assert.equal(parseId(String(id)), id)),
  );
  for (const text of ['', '0', '-1', '1.5', '1e3', ' 1', 'one', '9007199254740992']) {
    assert.equal(parseId(text), undefined, text);
  }
});

it('without a token the URL names the user', () => {
  assert.deepEqual(currentSession(), { token: null, user: 1 });
  location.search = '?user=3';
  assert.deepEqual(currentSession(), { token: null, user: 3 });
});

it('with a token the user is its subject', () => {
  location.search = '?user=3';
  const signed = token({ sub: '42', name: 'ÿ>?' });
  assert.ok(signIn(signed));
  assert.deepEqual(currentSession(), { token: signed, user: 42 });
  signOut();
  assert.deepEqual(currentSession(), { token: null, user: 3 });
});

it('a token without a user is not taken', () => {
  for (const text of ['', 'no token', token({ sub: 'service' }), token({}), token(null), 'a.%%%.b']) {
    assert.equal(signIn(text), false, text);
  }
  assert.equal(currentSession().token, null);
});

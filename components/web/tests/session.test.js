// Who the page's user is, and what this browser is called.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { deviceName } from '../assets/device.js';
import { outboxKey, removeLeftovers } from '../assets/leftovers.js';
import { identityOf, parseId } from '../assets/session.js';
import { memoryStorage, session } from './support.js';

it('an id is a positive safe integer in decimal digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (id) => assert.equal(parseId(String(id)), id)),
  );
  for (const text of ['', '0', '-1', '1.5', '1e3', ' 1', 'one', '9007199254740992']) {
    assert.equal(parseId(text), undefined, text);
  }
});

it('without a session the URL names the user', () => {
  assert.deepEqual(identityOf([], ''), { user: 1, hasSession: false });
  assert.deepEqual(identityOf([], '?user=3'), { user: 3, hasSession: false });
  assert.deepEqual(identityOf([], '?user=x'), { user: 1, hasSession: false });
  assert.deepEqual(identityOf([session({ userId: 5 })], '?user=3'), { user: 3, hasSession: false });
});

it('with a session the user is its own, whatever the URL says', () => {
  const sessions = [session({ userId: 42 }), session({ userId: 42, current: true })];
  assert.deepEqual(identityOf(sessions, '?user=3'), { user: 42, hasSession: true });
});

it('the session of a back end is of no user', () => {
  assert.equal(identityOf([session({ userId: null, current: true })], '?user=3'), undefined);
});

it('a browser is called by its brand and system', () => {
  const brands = ['Not)A;Brand', 'Chromium', 'Google Chrome'].map((brand) => ({ brand }));
  assert.equal(deviceName({ userAgentData: { brands, platform: 'Windows' } }), 'Chrome on Windows');
  const bare = ['Chromium', 'Not_A Brand'].map((brand) => ({ brand }));
  assert.equal(deviceName({ userAgentData: { brands: bare, platform: 'Linux' } }), 'Chromium on Linux');
  const edge = [' Not A;Brand', 'Chromium', 'Microsoft Edge'].map((brand) => ({ brand }));
  assert.equal(deviceName({ userAgentData: { brands: edge, platform: 'macOS' } }), 'Edge on macOS');
});

it('a browser that says little of itself is recognised by its user agent', () => {
  for (const [userAgent, name] of [
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Windows'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15', 'Safari on macOS'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1', 'Safari on iOS'],
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36', 'Chrome on Linux'],
    ['Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36 EdgA/140.0', 'Edge on Android'],
    ['', 'Browser'],
  ]) {
    assert.equal(deviceName({ userAgent }), name);
  }
});

it('any name is one line that the service takes', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 });
  fc.assert(
    fc.property(text, text, (brand, platform) => {
      assert.match(deviceName({ userAgentData: { brands: [{ brand }], platform } }), /^[\x20-\x7e]{1,100}$/);
    }),
  );
  assert.equal(deviceName({ userAgentData: { brands: [{ brand: 'x'.repeat(300) }] } }), 'x'.repeat(100));
});

it('what the page has stored is removed, and nothing else', () => {
  const storage = memoryStorage();
  const fill = () => [outboxKey(1), outboxKey(2), 'lexiflow.token', 'other'].forEach((key) => storage.setItem(key, 'x'));
  const keys = () => Array.from({ length: storage.length }, (_, index) => storage.key(index));
  fill();
  removeLeftovers(storage, 2);
  assert.deepEqual(keys(), [outboxKey(2), 'other']);
  fill();
  removeLeftovers(storage);
  assert.deepEqual(keys(), ['other']);
});

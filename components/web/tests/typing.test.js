// The typing indicator is refreshed while the user types, and ended once.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it, mock } from 'node:test';
import { createTyping } from '../assets/typing.js';

beforeEach(() => mock.timers.enable({ apis: ['Date'] }));
afterEach(() => mock.timers.reset());

function open() {
  /** @type {[number, boolean][]} */
  const sent = [];
  const setTyping = mock.fn(async (/** @type {number} */ id, /** @type {boolean} */ isTyping) => {
    sent.push([id, isTyping]);
    throw new Error('lost');
  });
  return { sent, typing: createTyping({ api: /** @type {any} */ ({ setTyping }) }) };
}

it('is sent at once, then every four seconds', () => {
  const { sent, typing } = open();
  for (let second = 0; second < 9; second++) {
    typing.typed(7);
    mock.timers.tick(1_000);
  }
  assert.deepEqual(sent, [[7, true], [7, true], [7, true]]);
});

it('ends once, and begins anew', () => {
  const { sent, typing } = open();
  typing.stop();
  typing.typed(7);
  typing.stop();
  typing.stop();
  typing.typed(7);
  assert.deepEqual(sent, [[7, true], [7, false], [7, true]]);
});

it('ends in one conversation before it begins in another', () => {
  const { sent, typing } = open();
  typing.typed(7);
  typing.typed(8);
  assert.deepEqual(sent, [[7, true], [7, false], [8, true]]);
});

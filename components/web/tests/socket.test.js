// The socket puts events in order, asks for what is missing, and gives way where there is no gateway.

import './browser.js';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { SocketSource } from '../assets/socket.js';
import { createSources } from '../assets/source.js';

/** A `WebSocket` that a test drives. */
class FakeWebSocket {
  static OPEN = 1;
  /** @type {FakeWebSocket[]} */
  static all = [];
  readyState = 1;
  /** @type {any[]} */
  sent = [];
  onmessage = /** @type {((event: { data: string }) => void) | null} */ (null);
  onclose = /** @type {(() => void) | null} */ (null);

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    FakeWebSocket.all.push(this);
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  /** @param {object} frame */
  say(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** @param {number} n an event that follows the one before it */
const event = (n) => ({ type: 'online', userId: n, id: `${n}`, previousId: `${n - 1}` });

/** @param {string} [lastEventId] */
function open(lastEventId = '') {
  const source = new SocketSource('wss://chat.test/socket', lastEventId);
  const socket = FakeWebSocket.all[FakeWebSocket.all.length - 1];
  /** @type {string[]} */
  const seen = [];
  source.onopen = () => seen.push('open');
  source.onerror = () => seen.push('error');
  for (const type of ['online', 'resync']) {
    source.addEventListener(type, (e) => seen.push(/** @type {MessageEvent} */ (e).lastEventId));
  }
  socket.say({ type: 'hello', userId: 1, lastEventId: '1', heartbeatSeconds: 30 });
  return { source, socket, seen };
}

describe('the socket', () => {
  beforeEach(() => {
    FakeWebSocket.all = [];
    Object.defineProperty(globalThis, 'WebSocket', { value: FakeWebSocket, configurable: true });
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  });
  afterEach(() => mock.timers.reset());

  it('begins where the feed is, and asks whether anything came since', () => {
    const { socket, seen } = open();
    assert.deepEqual(socket.sent, [{ type: 'heartbeat', ref: 'heartbeat' }]);
    socket.say({ type: 'ok', ref: 'heartbeat', lastEventId: '1' });
    socket.say(event(2));
    assert.deepEqual(seen, ['open', '2']);
  });

  it('resumes after the last event', () => {
    const { socket, seen } = open('0');
    assert.deepEqual(socket.sent, [{ type: 'resume', ref: 'resume', lastEventId: '0' }]);
    // Live events are between the missed ones, and come twice.
    socket.say(event(3));
    socket.say(event(1));
    socket.say(event(2));
    socket.say(event(3));
    socket.say({ type: 'ok', ref: 'resume', lastEventId: '3' });
    assert.deepEqual(seen, ['1', '2', '3', 'open']);
  });

  it('goes on while there is more', () => {
    const { socket } = open('0');
    socket.say(event(1));
    socket.say({ type: 'ok', ref: 'resume', lastEventId: '1', more: true });
    assert.deepEqual(socket.sent[1], { type: 'resume', ref: 'resume', lastEventId: '1' });
  });

  it('waits a moment for an event that is missing, then asks for it', () => {
    const { socket, seen } = open();
    socket.say({ type: 'ok', ref: 'heartbeat', lastEventId: '1' });
    socket.say(event(3));
    socket.say(event(2));
    mock.timers.tick(1_000);
    assert.equal(socket.sent.length, 1);
    socket.say(event(5));
    mock.timers.tick(1_000);
    assert.deepEqual(socket.sent[1], { type: 'resume', ref: 'resume', lastEventId: '3' });
    socket.say(event(4));
    socket.say(event(5));
    socket.say({ type: 'ok', ref: 'resume', lastEventId: '5' });
    assert.deepEqual(seen, ['open', '2', '3', '4', '5']);
  });

  it('notices by a heartbeat that the last event was lost', () => {
    const { socket } = open();
    socket.say({ type: 'ok', ref: 'heartbeat', lastEventId: '1' });
    mock.timers.tick(30_000);
    socket.say({ type: 'ok', ref: 'heartbeat', lastEventId: '2' });
    mock.timers.tick(200);
    assert.deepEqual(socket.sent[2], { type: 'resume', ref: 'resume', lastEventId: '1' });
  });

  it('goes on behind a resync', () => {
    const { socket, seen } = open('0');
    socket.say({ type: 'resync', id: '7' });
    socket.say({ type: 'ok', ref: 'resume', lastEventId: '7' });
    socket.say(event(8));
    assert.deepEqual(seen, ['7', 'open', '8']);
  });

  it('counts as dead without an answer', () => {
    const { seen } = open();
    mock.timers.tick(15_000);
    assert.deepEqual(seen, ['error']);
  });
});

describe('the sources', () => {
  beforeEach(() => {
    FakeWebSocket.all = [];
    Object.defineProperty(globalThis, 'WebSocket', { value: FakeWebSocket, configurable: true });
    Object.defineProperty(globalThis, 'EventSource', { value: class {}, configurable: true });
  });
  const api = { feedUrl: () => '/events', socketUrl: () => 'wss://chat.test/socket' };
  const verify = async () => {};

  it('are event streams where there is no gateway', async () => {
    const next = createSources({ api, hasGateway: false, verify });
    assert.equal((await next('')) instanceof SocketSource, false);
  });

  it('are sockets, and an event stream after two that were not greeted', async () => {
    const next = createSources({ api, hasGateway: true, verify });
    const kinds = [];
    for (let n = 0; n < 4; n++) kinds.push((await next('')) instanceof SocketSource);
    assert.deepEqual(kinds, [true, true, false, true]);
  });

  it('are not opened while the session is not there', async () => {
    const refuse = () => Promise.reject(new Error('signed out'));
    const next = createSources({ api, hasGateway: true, verify: refuse });
    await assert.rejects(next(''), /signed out/);
    assert.deepEqual(FakeWebSocket.all, []);
  });
});

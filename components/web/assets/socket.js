// The user's feed by a WebSocket, in the form of an `EventSource`, as docs/gateway.md describes it.
//
// The gateway delivers at most once, and perhaps not in order. Every event names the one before it: so
// this module puts events in order, and asks for what is missing.

/**
 * @typedef {{ id: string, previousId: string, type: string }} SocketEvent
 * @typedef {{ type: string, ref?: string, id?: string, previousId?: string, lastEventId?: string,
 *   heartbeatSeconds?: number, more?: boolean, problem?: { status?: number } }} Frame
 */

/** How long an answer may take. */
const ANSWER_TIMEOUT_MS = 15_000;
/** How long an event that is missing may still come by itself. */
const REORDER_MS = 200;
/** How many ids of events are remembered, to recognise one that comes twice. */
const REMEMBERED = 1_000;

export class SocketSource extends EventTarget {
  onopen = () => {};
  onerror = () => {};
  /** Whether the gateway said hello: without it there may be none. */
  isGreeted = false;
  /** @type {WebSocket} */
  #socket;
  #lastEventId;
  /** @type {Set<string>} */
  #known = new Set();
  /** Events that came before the one that they follow, by its id. @type {Map<string, SocketEvent>} */
  #early = new Map();
  #isOpen = false;
  #isResuming = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #heartbeat;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #answerTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gapTimer;

  /**
   * @param {string} url
   * @param {string} lastEventId
   */
  constructor(url, lastEventId) {
    super();
    this.#lastEventId = lastEventId;
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    this.#socket.onclose = () => this.#fail();
  }

  close() {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#answerTimer);
    clearTimeout(this.#gapTimer);
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    this.#socket.close();
  }

  #fail() {
    this.close();
    this.onerror();
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (frame.type === 'hello') this.#greet(frame);
    else if (frame.type === 'ok') this.#answer(frame);
    else if (frame.type === 'error') this.#fail();
    else if (frame.type === 'resync') this.#deliver({ ...frame, id: frame.id ?? '' });
    else this.#take(/** @type {SocketEvent} */ (frame));
  }

  /** @param {Frame} hello */
  #greet({ lastEventId = '', heartbeatSeconds = 30 }) {
    this.isGreeted = true;
    this.#heartbeat = setInterval(() => this.#ask('heartbeat'), heartbeatSeconds * 1_000);
    if (this.#lastEventId) {
      this.#resume();
      return;
    }
    this.#lastEventId = lastEventId;
    // What came since, before the gateway knew of this socket, is noticed by the answer.
    this.#ask('heartbeat');
  }

  /** @param {string} type @param {object} [members] */
  #ask(type, members) {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#fail(), ANSWER_TIMEOUT_MS);
    this.#socket.send(JSON.stringify({ type, ref: type, ...members }));
  }

  #resume() {
    clearTimeout(this.#gapTimer);
    if (this.#isResuming) return;
    this.#isResuming = true;
    this.#ask('resume', { lastEventId: this.#lastEventId });
  }

  /** @param {Frame} ok */
  #answer({ ref, lastEventId = '', more }) {
    clearTimeout(this.#answerTimer);
    if (ref === 'resume') {
      this.#isResuming = false;
      this.#lastEventId = lastEventId;
      this.#takeEarly();
      if (more || this.#early.size) this.#resume();
    } else if (lastEventId !== this.#lastEventId) {
      this.#resumeSoon();
    }
    if (this.#isOpen || this.#isResuming) return;
    this.#isOpen = true;
    this.onopen();
  }

  #resumeSoon() {
    clearTimeout(this.#gapTimer);
    const { size } = this.#known;
    const last = this.#lastEventId;
    this.#gapTimer = setTimeout(() => {
      if (this.#early.size || (last === this.#lastEventId && size === this.#known.size)) this.#resume();
    }, REORDER_MS);
  }

  /** @param {SocketEvent} event */
  #take(event) {
    if (this.#known.has(event.id)) return;
    if (event.previousId !== this.#lastEventId) {
      this.#early.set(event.previousId, event);
      if (!this.#isResuming) this.#resumeSoon();
      return;
    }
    this.#deliver(event);
    this.#takeEarly();
  }

  #takeEarly() {
    for (;;) {
      const next = this.#early.get(this.#lastEventId);
      if (!next) break;
      this.#early.delete(this.#lastEventId);
      this.#deliver(next);
    }
    for (const [previous, { id }] of this.#early) {
      if (this.#known.has(id)) this.#early.delete(previous);
    }
  }

  /** @param {{ id: string, type: string }} event */
  #deliver(event) {
    this.#lastEventId = event.id;
    this.#known.add(event.id);
    if (this.#known.size > REMEMBERED) {
      for (const oldest of this.#known) {
        this.#known.delete(oldest);
        break;
      }
    }
    const data = JSON.stringify(event);
    this.dispatchEvent(new MessageEvent(event.type, { data, lastEventId: event.id }));
  }
}

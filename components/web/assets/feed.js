// The user's feed, by a socket or an event stream, with reconnection.
//
// The reconnection of `EventSource` itself gives up for good on a response like 503, and repeats
// a URL whose ticket is used up. So this module reconnects, and resumes after the last event.

import { backoff } from './backoff.js';

/**
 * @import { FeedEvent } from '../types/service.d.ts'
 * @import { Source } from './source.js'
 */

/** @type {FeedEvent['type'][]} */
const EVENT_TYPES = [
  'new-message', 'message-edited', 'message-deleted', 'message-read', 'typing-start', 'typing-stop',
  'online', 'offline', 'unread-count', 'conversation-created', 'conversation-changed', 'participant-joined',
  'participant-left', 'resync',
];
/** A source waits for a response without a limit. */
const CONNECT_TIMEOUT_MS = 15_000;
const SLEEP_CHECK_MS = 5_000;
/**
 * A timer this late means that the machine slept and that the stream may be dead without an error.
 * Browsers delay the timers of hidden pages by up to a minute.
 */
const SLEEP_THRESHOLD_MS = 90_000;

/**
 * Opens a feed and reconnects it until `close`. `open` opens a source that resumes after an event id;
 * `onUp` is called each time the stream opens, `onDown` each time it fails.
 *
 * @param {{
 *   open: (lastEventId: string) => Promise<Source>,
 *   onEvent: (event: FeedEvent) => void,
 *   onUp: () => void,
 *   onDown: () => void,
 * }} context
 */
export function openFeed({ open, onEvent, onUp, onDown }) {
  /** @type {Source | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let attempts = 0;
  let isWaiting = false;
  let isClosed = false;
  let failures = 0;
  let lastEventId = '';

  async function connect() {
    const attempt = ++attempts;
    isWaiting = false;
    clearTimeout(timer);
    source?.close();
    try {
      const opened = await open(lastEventId);
      if (attempt === attempts) listen((source = opened));
      else opened.close();
    } catch {
      if (attempt === attempts) reconnectLater();
    }
  }

  /** @param {Source} stream */
  function listen(stream) {
    timer = setTimeout(reconnectLater, CONNECT_TIMEOUT_MS);
    stream.onopen = () => {
      if (stream !== source) return;
      clearTimeout(timer);
      failures = 0;
      onUp();
    };
    stream.onerror = () => {
      if (stream === source) reconnectLater();
    };
    for (const type of EVENT_TYPES) {
      stream.addEventListener(type, (event) => {
        if (stream === source) receive(/** @type {MessageEvent<string>} */ (event));
      });
    }
  }

  /** @param {MessageEvent<string>} event */
  function receive(event) {
    lastEventId = event.lastEventId || lastEventId;
    onEvent({ ...JSON.parse(event.data), type: event.type });
  }

  function reconnectLater() {
    clearTimeout(timer);
    source?.close();
    onDown();
    isWaiting = true;
    timer = setTimeout(connect, backoff(failures++));
  }

  let checkedAt = Date.now();
  const sleepCheck = setInterval(() => {
    const late = Date.now() - checkedAt - SLEEP_CHECK_MS;
    checkedAt = Date.now();
    if (late > SLEEP_THRESHOLD_MS) connect();
  }, SLEEP_CHECK_MS);

  connect();
  return {
    /** Connects now instead of after the backoff. */
    reconnectNow() {
      if (isWaiting) connect();
    },
    /** Opens a new stream in place of one that may be dead without an error. */
    replace() {
      if (!isClosed) connect();
    },
    close() {
      isClosed = true;
      isWaiting = false;
      attempts++;
      clearTimeout(timer);
      clearInterval(sleepCheck);
      source?.close();
      source = undefined;
    },
  };
}

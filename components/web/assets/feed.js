// The user's event stream, with reconnection.
//
// The reconnection of `EventSource` itself gives up for good on a response like 503, and repeats
// a URL whose ticket is used up. So this module reconnects, and resumes after the last event.

import { backoff } from './backoff.js';

/** @import { FeedEvent } from '../types/service.d.ts' */

/** @type {FeedEvent['type'][]} */
const EVENT_TYPES = [
  'new-message', 'message-edited', 'message-deleted', 'message-read', 'typing-start', 'typing-stop',
  'online', 'offline', 'unread-count', 'conversation-created', 'participant-joined',
  'participant-left', 'resync',
];
/** `EventSource` waits for a response without a limit. */
const CONNECT_TIMEOUT_MS = 15_000;
const SLEEP_CHECK_MS = 5_000;
/**
 * A timer this late means that the machine slept and that the stream may be dead without an error.
 * Browsers delay the timers of hidden pages by up to a minute.
 */
const SLEEP_THRESHOLD_MS = 90_000;

/**
 * Opens a feed and reconnects it until `close`. `url` returns the URL that resumes after an event
 * id; `onUp` is called each time the stream opens, `onDown` each time it fails.
 *
 * @param {{
 *   url: (lastEventId: string) => Promise<string>,
 *   onEvent: (event: FeedEvent) => void,
 *   onUp: () => void,
 *   onDown: () => void,
 * }} context
 */
export function openFeed({ url, onEvent, onUp, onDown }) {
  /** @type {EventSource | undefined} */
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
      const resumeUrl = await url(lastEventId);
      if (attempt === attempts) listen((source = new EventSource(resumeUrl)));
    } catch {
      if (attempt === attempts) reconnectLater();
    }
  }

  /** @param {EventSource} stream */
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
        if (stream === source) receive(event);
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

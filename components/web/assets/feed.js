// The user's event stream, with reconnection.
//
// The reconnection of `EventSource` itself gives up for good on a response like 503, and repeats
// a URL whose ticket is used up. So this module reconnects, and resumes after the last event.

import { backoff } from './backoff.js';

const EVENT_TYPES = [
  'new-message', 'message-edited', 'message-deleted', 'message-read', 'typing-start', 'typing-stop',
  'online', 'offline', 'unread-count', 'participant-joined', 'participant-left', 'resync',
];
const SLEEP_CHECK_MS = 5_000;
/**
 * A timer this late means that the machine slept and that the stream may be dead without an error.
 * Browsers delay the timers of hidden pages by up to a minute.
 */
const SLEEP_THRESHOLD_MS = 90_000;

/**
 * Opens a feed and reconnects it until `close`. `url` returns the URL that resumes after an event
 * id; `onUp` is called each time the stream opens, `onDown` each time it fails.
 */
export function openFeed({ url, onEvent, onUp, onDown }) {
  let source;
  let timer;
  let connection = 0;
  let failures = 0;
  let lastEventId = '';

  async function connect() {
    const attempt = ++connection;
    clearTimeout(timer);
    source?.close();
    try {
      const resumeUrl = await url(lastEventId);
      if (attempt === connection) listen((source = new EventSource(resumeUrl)));
    } catch {
      if (attempt === connection) reconnectLater();
    }
  }

  function listen(stream) {
    stream.onopen = () => {
      failures = 0;
      onUp();
    };
    stream.onerror = () => stream === source && reconnectLater();
    EVENT_TYPES.forEach((type) => stream.addEventListener(type, (event) => stream === source && receive(event)));
  }

  function receive(event) {
    lastEventId = event.lastEventId || lastEventId;
    onEvent({ ...JSON.parse(event.data), type: event.type });
  }

  function reconnectLater() {
    source?.close();
    onDown();
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
    reconnectNow: () => source?.readyState === EventSource.CLOSED && connect(),
    close() {
      connection++;
      clearTimeout(timer);
      clearInterval(sleepCheck);
      source?.close();
      source = undefined;
    },
  };
}

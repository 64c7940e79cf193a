// One event stream, kept open.
//
// The browser's own reconnection gives up for good on an answer like 503, and repeats
// an address whose ticket is used up. So every break is mended here, from the last
// event that arrived.

import { delay } from './delay.js';

const EVENTS = [
  'new-message', 'message-edited', 'message-deleted', 'message-read', 'typing-start', 'typing-stop',
  'online', 'offline', 'unread-count', 'participant-joined', 'participant-left', 'resync',
];
const CHECK_MS = 5_000;
/**
 * A timer this much too late means that the machine slept, and that the stream may be
 * dead without a sign. Browsers delay the timers of hidden pages by a minute.
 */
const SLEPT_MS = 90_000;

/**
 * Keeps a feed open until `close`. `url` makes the address from the id of the last
 * event; `onUp` is called each time the feed opens, `onDown` each time it breaks.
 */
export function openFeed({ url, onEvent, onUp, onDown }) {
  let source;
  let timer;
  let connection = 0;
  let failures = 0;
  let lastEventId = '';

  async function connect() {
    const mine = ++connection;
    clearTimeout(timer);
    source?.close();
    try {
      const address = await url(lastEventId);
      if (mine === connection) listen((source = new EventSource(address)));
    } catch {
      if (mine === connection) retry();
    }
  }

  function listen(stream) {
    stream.onopen = () => {
      failures = 0;
      onUp();
    };
    stream.onerror = () => stream === source && retry();
    EVENTS.forEach((type) => stream.addEventListener(type, (event) => stream === source && receive(event)));
  }

  function receive(event) {
    lastEventId = event.lastEventId || lastEventId;
    onEvent({ ...JSON.parse(event.data), type: event.type });
  }

  function retry() {
    source?.close();
    onDown();
    timer = setTimeout(connect, delay(failures++));
  }

  let checked = Date.now();
  const watch = setInterval(() => {
    const late = Date.now() - checked - CHECK_MS;
    checked = Date.now();
    if (late > SLEPT_MS) connect();
  }, CHECK_MS);

  connect();
  return {
    /** Connects now, if it waits to. */
    wake: () => source?.readyState === EventSource.CLOSED && connect(),
    close() {
      connection++;
      clearTimeout(timer);
      clearInterval(watch);
      source?.close();
      source = undefined;
    },
  };
}

// The user's presence: a heartbeat while the page is open, and `offline` when it is unloaded.

/** @import { Api } from './api.js' */

/** The service's `presence_ttl` is five minutes by default. */
const HEARTBEAT_MS = 4 * 60_000;
/** After one tab reported `offline`, the other tabs of the user report `online` again this much later. */
const REASSERT_MS = 1_000;

/** @param {{ api: Api, user: number, onHeartbeat: () => void }} context */
export function createPresence({ api, user, onHeartbeat }) {
  // The next heartbeat makes up for one that failed.
  const online = () => api.online().catch(() => {});
  const otherTabs = new BroadcastChannel(`lexiflow.presence.${user}`);
  otherTabs.onmessage = () => setTimeout(online, REASSERT_MS);

  addEventListener('pagehide', () => {
    api.offline().catch(() => {});
    otherTabs.postMessage('left');
  });
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) online();
  });
  setInterval(() => {
    online();
    onHeartbeat();
  }, HEARTBEAT_MS);
  online();
  return {
    online,
    /** @type {() => Promise<unknown>} */
    offline: () => api.offline().catch(() => {}),
  };
}

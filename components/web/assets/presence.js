// Says that this user is here, for as long as the page is.

/** Well within the five minutes after which the service takes a silent user for gone. */
const HEARTBEAT_MS = 4 * 60_000;
/** How long another tab of the same user waits before it says that the user is still here. */
const SAY_AGAIN_MS = 1_000;

export function keepPresent({ api, user, onBeat }) {
  // What fails is made good by the next beat.
  const online = () => api.online().catch(() => {});
  const otherTabs = new BroadcastChannel(`lexiflow.presence.${user}`);
  otherTabs.onmessage = () => setTimeout(online, SAY_AGAIN_MS);

  addEventListener('pagehide', () => {
    api.offline().catch(() => {});
    otherTabs.postMessage('left');
  });
  addEventListener('pageshow', ({ persisted }) => persisted && online());
  setInterval(() => {
    online();
    onBeat();
  }, HEARTBEAT_MS);
  online();
  return { online };
}

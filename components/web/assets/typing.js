// The user's typing indicator.

/** The service's `typing_ttl` is ten seconds by default. */
const REFRESH_MS = 4_000;

export function createTyping({ api }) {
  let conversation;
  let sentAt = 0;

  // A lost indicator is harmless: the next one follows.
  const send = (id, isTyping) => api.setTyping(id, isTyping).catch(() => {});

  function stop() {
    if (conversation) send(conversation, false);
    conversation = undefined;
  }

  return {
    stop,
    typed(id) {
      if (conversation !== id) stop();
      if (conversation === id && Date.now() - sentAt < REFRESH_MS) return;
      conversation = id;
      sentAt = Date.now();
      send(id, true);
    },
  };
}

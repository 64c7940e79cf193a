// Says that this user is typing, and that they have stopped.

/** The service forgets an indicator after ten seconds. */
const EVERY_MS = 4_000;

export function createTyping({ api }) {
  let conversation;
  let saidAt = 0;

  // An indicator that gets lost is not worth a word.
  const say = (id, isTyping) => api.setTyping(id, isTyping).catch(() => {});

  function stop() {
    if (conversation) say(conversation, false);
    conversation = undefined;
  }

  return {
    stop,
    typed(id) {
      if (conversation !== id) stop();
      if (conversation === id && Date.now() - saidAt < EVERY_MS) return;
      conversation = id;
      saidAt = Date.now();
      say(id, true);
    },
  };
}

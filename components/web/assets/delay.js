// How long to wait before the next try.

const SHORTEST_MS = 400;
const LONGEST_MS = 8_000;

/** Exponential, with jitter, so that a restarted service is not met by all at once. */
export function delay(failures) {
  const ceiling = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** failures);
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

// Exponential backoff: how long to wait before the next attempt.

const SHORTEST_MS = 400;
const LONGEST_MS = 8_000;

/**
 * The delay in milliseconds after so many failures in a row. The jitter keeps all pages from
 * reconnecting to a restarted service at the same moment.
 *
 * @param {number} failures
 */
export function backoff(failures) {
  const ceiling = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** failures);
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

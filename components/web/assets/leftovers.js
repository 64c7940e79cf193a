// What the page keeps in the storage of this tab, and its removal.

/** What all keys of the page begin with. */
const PREFIX = 'lexiflow.';

/**
 * The key of a user's pending messages.
 *
 * @param {number} user
 */
export const outboxKey = (user) => `${PREFIX}outbox.${user}`;

/**
 * Removes everything from a storage that the page has put there, except what is of a user.
 *
 * @param {Storage} storage
 * @param {number} [user]
 */
export function removeLeftovers(storage, user) {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
  const isKept = (/** @type {string} */ key) => user !== undefined && key === outboxKey(user);
  keys.filter((key) => key.startsWith(PREFIX) && !isKept(key)).forEach((key) => storage.removeItem(key));
}

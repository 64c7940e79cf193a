// Who the page's user is, by the list of sessions that the service gives this browser. No DOM, no network.
//
// The cookie of the session is out of the reach of scripts, so the service is asked whose it is. With
// `auth_mode` open it answers also without one, and the page's URL names the user (`?user=1`).

/**
 * @import { Session } from '../types/service.d.ts'
 */

/**
 * The page's user, and whether a session says so.
 *
 * @typedef {{ user: number, hasSession: boolean }} Identity
 */

/**
 * Whom this browser acts as; undefined if its session is of a back end, which is no user.
 *
 * @param {readonly Session[]} sessions
 * @param {string} query the query of the page's URL
 * @returns {Identity | undefined}
 */
export function identityOf(sessions, query) {
  const current = sessions.find((session) => session.current);
  if (!current) return { user: parseId(new URLSearchParams(query).get('user') ?? '') ?? 1, hasSession: false };
  return current.userId === null ? undefined : { user: current.userId, hasSession: true };
}

/**
 * The URL of the page as another user, with `auth_mode` open.
 *
 * @param {number} user
 */
export const urlAs = (user) => `/?user=${user}`;

/**
 * Parses an id; undefined if the text is not one.
 *
 * @param {string} text
 */
export function parseId(text) {
  const id = /^\d+$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

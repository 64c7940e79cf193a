// The identity of the page's user.
//
// With `auth_mode` open the page's URL names the user (`?user=1`). With jwt it is the subject of an
// access token, which stays in the session storage of this tab.

const TOKEN_KEY = 'lexiflow.token';

/** The user, and the token if there is one. */
export function currentSession() {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const user = token ? userOf(token) : parseId(new URLSearchParams(location.search).get('user') ?? '1');
  return { token, user: user ?? 1 };
}

/**
 * Stores a token for this tab; false if its subject is not a user.
 *
 * @param {string} token
 */
export function signIn(token) {
  if (!userOf(token)) return false;
  sessionStorage.setItem(TOKEN_KEY, token);
  return true;
}

export function signOut() {
  sessionStorage.removeItem(TOKEN_KEY);
}

/**
 * The URL of the page as another user, with `auth_mode` open.
 *
 * @param {number} user
 */
export const urlAs = (user) => `/?user=${user}`;

/**
 * The subject of a token, unverified: only the service can verify the signature.
 *
 * @param {string} token
 */
function userOf(token) {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    return parseId(JSON.parse(atob(payload)).sub);
  } catch {
    return undefined;
  }
}

/**
 * Parses an id; undefined if the text is not one.
 *
 * @param {string} text
 */
export function parseId(text) {
  const id = /^\d+$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

// Whose page this is.
//
// With `auth_mode` open it is the user whom the address names (`?user=1`). With jwt it
// is the user of an access token, which this tab keeps until it is closed.

const TOKEN = 'lexiflow.token';

/** The user, and the token if there is one. */
export function currentSession() {
  const token = sessionStorage.getItem(TOKEN);
  const user = token ? userOf(token) : asId(new URLSearchParams(location.search).get('user') ?? '1');
  return { token, user: user ?? 1 };
}

/** Keeps a token for this tab; false if it is not one of a user. */
export function signIn(token) {
  if (!userOf(token)) return false;
  sessionStorage.setItem(TOKEN, token);
  return true;
}

export function signOut() {
  sessionStorage.removeItem(TOKEN);
}

/** The address of the page as another user, with `auth_mode` open. */
export const addressAs = (user) => `/?user=${user}`;

/** The subject of a token. Only the service can tell whether the token is good. */
function userOf(token) {
  try {
    const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    return asId(JSON.parse(atob(payload)).sub);
  } catch {
    return undefined;
  }
}

/** An id from text, or undefined. */
export function asId(text) {
  const id = /^\d+$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

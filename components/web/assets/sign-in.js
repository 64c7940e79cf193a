// Signing in and out.

import { backoff } from './backoff.js';
import { deviceName } from './device.js';
import { dialogOf } from './dialog.js';
import { byId, setHidden, setText } from './dom.js';
import { ApiError, reasonOf } from './http.js';
import { removeLeftovers } from './leftovers.js';
import { identityOf } from './session.js';

/**
 * @import { Identity } from './session.js'
 * @import { Sessions } from './sessions.js'
 */

/**
 * The modal dialog that exchanges a token for a session. It stays open until this tab or another one has
 * signed in.
 *
 * @param {{ sessions: Sessions, tabs: BroadcastChannel }} context
 */
export function createSignIn({ sessions, tabs }) {
  /** @type {(user: number) => void} */
  let finish = () => {};
  const { dialog, form, open } = dialogOf('sign-in', async (value) => {
    const user = await begin(value('token'));
    tabs.postMessage('signed-in');
    dialog.close();
    finish(user);
  });
  dialog.addEventListener('cancel', (event) => event.preventDefault());

  /** @param {string} token */
  async function begin(token) {
    const { userId } = await exchange(token);
    form.reset();
    if (!userId) {
      await sessions.endCurrent();
      throw new Error('This is not an access token of a user.');
    }
    if (await isCookieLost()) {
      throw new Error('This browser does not keep the cookie of a session here: it needs https.');
    }
    return userId;
  }

  /**
   * Only a token that may still be taken stays in the field.
   *
   * @param {string} token
   */
  async function exchange(token) {
    try {
      return await sessions.begin(token, deviceName(navigator));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.isPermanent || error.status === 401) form.reset();
      throw error.status === 401 ? new Error('The token was refused. It may have expired.') : error;
    }
  }

  /** Some browsers keep no `Secure` cookie of http://localhost. */
  const isCookieLost = () =>
    sessions.list().then(() => false, (error) => error instanceof ApiError && error.status === 401);

  tabs.addEventListener('message', async ({ data }) => {
    if (data !== 'signed-in' || !dialog.open) return;
    const identity = await sessions.list().then((all) => identityOf(all, ''), () => undefined);
    if (!identity?.hasSession || !dialog.open) return;
    dialog.close();
    finish(identity.user);
  });

  return {
    /** Resolves with the user who has signed in. @type {(reason: string) => Promise<number>} */
    ask: (reason) =>
      new Promise((resolve) => {
        finish = resolve;
        open(reason);
      }),
  };
}

/**
 * Whom this browser acts as; asks for a token if it has no session. What other users have left in the
 * storage of this tab is removed.
 *
 * @param {{ sessions: Sessions, signIn: (reason: string) => Promise<number> }} context
 * @returns {Promise<Identity>}
 */
export async function establishIdentity({ sessions, signIn }) {
  const found = await findIdentity(sessions);
  if (found && !found.hasSession) return found;
  removeLeftovers(sessionStorage, found?.user);
  return found ?? { user: await signIn(''), hasSession: true };
}

/**
 * Asks until there is an answer; undefined if the browser has no session of a user.
 *
 * @param {Sessions} sessions
 */
async function findIdentity(sessions) {
  for (let failures = 0; ; failures++) {
    try {
      const found = identityOf(await sessions.list(), location.search);
      setHidden(byId('banner'), true);
      return found;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return undefined;
      setText(byId('banner-text'), error instanceof ApiError && error.isPermanent ? reasonOf(error) : 'Connecting…');
      setHidden(byId('banner'), false);
      await new Promise((resolve) => setTimeout(resolve, backoff(failures)));
    }
  }
}

// Guards what the page shows and sends. Once its session has ended it shows and sends nothing, and has
// nothing in any storage; what is unsent stays in memory until the same user has signed in again. No DOM.

import { ApiError } from './http.js';
import { identityOf } from './session.js';

/**
 * @import { Identity } from './session.js'
 * @import { Sessions } from './sessions.js'
 * @typedef {ReturnType<typeof createGuard>} Guard
 */

/** What tabs of one browser report to each other. @typedef {'signed-in' | 'signed-out'} Report */

/**
 * `onLock` hides the page and forgets what is stored, `onUnlock` brings it back, and `leave` loads it anew
 * for the user who is then signed in.
 *
 * @param {{
 *   identity: Identity,
 *   sessions: Pick<Sessions, 'list'>,
 *   tabs: Pick<BroadcastChannel, 'postMessage' | 'addEventListener'>,
 *   signIn: (reason: string) => Promise<number>,
 *   onLock: () => void,
 *   onUnlock: () => void,
 *   leave: () => void,
 * }} context
 */
export function createGuard({ identity, sessions, tabs, signIn, onLock, onUnlock, leave }) {
  let isOpen = true;

  function lock() {
    isOpen = false;
    onLock();
  }

  function leaveLocked() {
    lock();
    leave();
  }

  /** The session has ended: the same user goes on with the page as it was, another one begins anew. */
  async function expire() {
    if (!isOpen) return;
    lock();
    const user = await signIn('Your session has ended. Sign in to go on.');
    if (!identity.hasSession || user !== identity.user) {
      leave();
      return;
    }
    isOpen = true;
    onUnlock();
  }

  /** Throws unless the session is there and of the page's user. */
  async function verify() {
    if (!identity.hasSession) return;
    try {
      const found = identityOf(await sessions.list(), '');
      if (found?.hasSession && found.user === identity.user) return;
      if (isOpen) leaveLocked();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      expire();
    }
    throw new ApiError(401);
  }

  tabs.addEventListener('message', (/** @type {MessageEvent<Report>} */ { data }) => {
    if (!identity.hasSession || !isOpen) return;
    if (data === 'signed-out') leaveLocked();
    // If it cannot be asked now, the feed's next connection asks.
    else verify().catch(() => {});
  });

  return {
    /** Whether the page may show and send. */
    isOpen: () => isOpen,
    expire,
    verify,
    /** The user has ended the session. */
    signedOut() {
      tabs.postMessage(/** @type {Report} */ ('signed-out'));
      leaveLocked();
    },
  };
}

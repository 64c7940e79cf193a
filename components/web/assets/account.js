// Signing out: this browser, or all of the user's devices.

import { createDevices } from './devices.js';
import { dialogOf } from './dialog.js';
import { byId, setText } from './dom.js';
import { ApiError, reasonOf } from './http.js';

/**
 * @import { Guard } from './guard.js'
 * @import { Sessions } from './sessions.js'
 * @typedef {{ online: () => Promise<unknown>, offline: () => Promise<unknown> }} Presence
 */

/**
 * @param {{ sessions: Sessions, guard: Guard, presence: Presence, hasUnsent: () => boolean }} context
 */
export function createAccount({ sessions, guard, presence, hasUnsent }) {
  let end = sessions.endCurrent;
  const { open } = dialogOf('sign-out', signOut);
  const devices = createDevices({ sessions, onEndAll, onUnauthorized: guard.expire });

  async function signOut() {
    await presence.offline();
    try {
      await end();
    } catch (error) {
      const hasEnded = error instanceof ApiError && error.status === 401;
      if (!hasEnded) {
        presence.online();
        throw error;
      }
    }
    guard.signedOut();
  }

  /** @param {string} question */
  function ask(question) {
    setText(byId('sign-out-text'), question);
    open();
  }

  function onEndAll() {
    end = sessions.endAll;
    ask(`All your devices are signed out${hasUnsent() ? ', and what is not sent yet is discarded' : ''}.`);
  }

  return {
    openDevices: devices.open,
    /** Asks first if unsent texts would be lost. */
    async signOut() {
      end = sessions.endCurrent;
      if (hasUnsent()) {
        ask('What is not sent yet, and drafts, are discarded.');
        return;
      }
      try {
        await signOut();
      } catch (error) {
        setText(byId('sign-out-text'), '');
        open(`You are still signed in. ${reasonOf(error)}`);
      }
    },
  };
}

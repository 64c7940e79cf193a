// The dialog of the user's devices: the sessions of all browsers that are signed in as the user.

import { announce, button, byClass, byId, element, reconcile, setHidden, setText } from './dom.js';
import { ApiError, reasonOf } from './http.js';
import { briefTime, fullTime } from './time.js';

/**
 * @import { Session } from '../types/service.d.ts'
 * @import { Sessions } from './sessions.js'
 */

/**
 * @param {{ sessions: Sessions, onEndAll: () => void, onUnauthorized: () => void }} context
 */
export function createDevices({ sessions, onEndAll, onUnauthorized }) {
  const dialog = byId('devices-dialog');
  const list = byId('devices');
  /** @type {Session[]} */
  let shown = [];

  /** @param {Session[]} all */
  function render(all) {
    shown = all;
    const items = all.map((session) => ({ key: session.id, session }));
    reconcile(list, items, { create: ({ session }) => create(session, () => end([session])), update: renderDevice });
    setHidden(byId('end-others'), !all.some(({ current }) => !current));
  }

  /**
   * Runs one task at a time, and shows why it failed.
   *
   * @param {() => Promise<void>} task
   */
  async function run(task) {
    if (dialog.ariaBusy === 'true') return;
    dialog.ariaBusy = 'true';
    setText(byId('devices-error'), '');
    try {
      await task();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) onUnauthorized();
      else setText(byId('devices-error'), reasonOf(error));
    } finally {
      dialog.ariaBusy = 'false';
    }
  }

  const refresh = async () => render(await sessions.list());

  /** @param {Session[]} ended */
  const end = (ended) =>
    run(async () => {
      try {
        for (const { id } of ended) await endOne(id);
        announce(ended.length === 1 ? `${nameOf(ended[0])} is signed out.` : 'The other devices are signed out.');
      } finally {
        await refresh();
        // The button that was pressed is gone.
        if (!dialog.contains(document.activeElement)) byId('devices-close').focus();
      }
    });

  /** @param {number} id */
  async function endOne(id) {
    try {
      await sessions.end(id);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }

  byId('end-others').onclick = () => end(shown.filter(({ current }) => !current));
  byId('end-all').onclick = onEndAll;
  byId('devices-close').onclick = () => dialog.close();

  return {
    open() {
      render([]);
      dialog.showModal();
      run(refresh);
    },
  };
}

/** @param {Session} session */
const nameOf = ({ device }) => device ?? 'A device without a name';

/**
 * @param {Session} session
 * @param {() => void} onEnd
 */
function create(session, onEnd) {
  /** @type {(className: string) => HTMLElement} */
  const part = (className) => element('span', { className });
  const name = element('p', { className: 'device-line' }, part('device-name'), part('device-mark'));
  const end = button('button', 'Sign out', onEnd);
  end.setAttribute('aria-label', `Sign out ${nameOf(session)}`);
  const text = element('div', { className: 'device-text' }, name, part('device-times'));
  return element('li', { className: 'device' }, text, end);
}

/**
 * @param {HTMLElement} root
 * @param {{ session: Session }} item
 */
function renderDevice(root, { session }) {
  const times = byClass(root, 'device-times');
  setText(byClass(root, 'device-name'), nameOf(session));
  setText(byClass(root, 'device-mark'), session.current ? 'This device' : '');
  setText(times, `Last used ${briefTime(session.lastSeenAt)}`);
  times.title = `Last used ${fullTime(session.lastSeenAt)}, signed in ${fullTime(session.createdAt)}`;
  setHidden(byClass(root, 'button'), session.current);
}

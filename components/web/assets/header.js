// The masthead: the user, the banner of the connection, and the title of the tab.

import { announce, button, byId, element, iconButton, setHidden, setText } from './dom.js';
import { nameOf, totalUnread } from './selectors.js';
import { urlAs } from './session.js';

/**
 * @import { Connection, State } from '../types/state.d.ts'
 * @import { Identity } from './session.js'
 * @typedef {{ onDevices: () => void, onSignOut: () => void }} Actions
 */

const DEMO_USERS = [1, 2, 3];
/** Interruptions shorter than this are not shown. */
const BANNER_DELAY_MS = 1_200;
const TITLE = document.title;

/** @param {{ identity: Identity, actions: Actions }} context */
export function createHeader({ identity: { user, hasSession }, actions }) {
  byId('identity').append(...(hasSession ? signedIn(user, actions) : userSwitch(user)));
  /** @type {Connection | undefined} */
  let connection;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function showInterrupted() {
    setText(byId('banner-text'), connection === 'connecting' ? 'Connecting…' : 'Reconnecting…');
    setHidden(byId('banner'), false);
    announce('The connection is interrupted. Messages are sent once it is back.');
  }

  function showLive() {
    if (!byId('banner').hidden) announce('Connected.');
    setHidden(byId('banner'), true);
  }

  /** @param {Connection} next */
  function renderConnection(next) {
    if (next === connection) return;
    connection = next;
    clearTimeout(timer);
    if (connection === 'live') showLive();
    else timer = setTimeout(showInterrupted, BANNER_DELAY_MS);
  }

  return {
    /** @param {State} state */
    render(state) {
      const unread = totalUnread(state);
      const title = unread ? `(${unread}) ${TITLE}` : TITLE;
      if (document.title !== title) document.title = title;
      renderConnection(state.connection);
    },
  };
}

/** @param {number} user */
function userSwitch(user) {
  const select = element('select', { id: 'user', onchange: () => location.assign(urlAs(Number(select.value))) });
  const users = [...new Set([...DEMO_USERS, user])];
  select.append(...users.map((one) => element('option', { value: one, selected: one === user }, nameOf(one))));
  return [element('label', { className: 'identity-label', htmlFor: 'user' }, 'Acting as'), select];
}

/**
 * @param {number} user
 * @param {Actions} actions
 */
const signedIn = (user, { onDevices, onSignOut }) => [
  element('span', { className: 'identity-label' }, nameOf(user)),
  iconButton('devices', 'Your devices', onDevices),
  button('button sign-out', 'Sign out', onSignOut),
];

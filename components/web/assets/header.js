// The masthead: the user, the banner of the connection, and the title of the tab.

import { announce, button, byId, element, setHidden, setText } from './dom.js';
import { nameOf, totalUnread } from './selectors.js';
import { urlAs, signOut } from './session.js';

const DEMO_USERS = [1, 2, 3];
/** Interruptions shorter than this are not shown. */
const BANNER_DELAY_MS = 1_200;
const TITLE = document.title;

export function createHeader({ user, token }) {
  byId('identity').append(...(token ? signedIn(user) : switcher(user)));
  let status;
  let timer;

  function showInterrupted() {
    setText(byId('banner-text'), status === 'connecting' ? 'Connecting…' : 'Reconnecting…');
    setHidden(byId('banner'), false);
    announce('The connection is interrupted. Messages are sent once it is back.');
  }

  function showLive() {
    if (!byId('banner').hidden) announce('Connected.');
    setHidden(byId('banner'), true);
  }

  function renderConnection(next) {
    if (next === status) return;
    status = next;
    clearTimeout(timer);
    if (status === 'live') showLive();
    else timer = setTimeout(showInterrupted, BANNER_DELAY_MS);
  }

  return {
    render(state) {
      const unread = totalUnread(state);
      setText(document.querySelector('title'), unread ? `(${unread}) ${TITLE}` : TITLE);
      renderConnection(state.connection);
    },
  };
}

function switcher(user) {
  const select = element('select', { id: 'user', onchange: () => location.assign(urlAs(select.value)) });
  const users = [...new Set([...DEMO_USERS, user])];
  select.append(...users.map((one) => element('option', { value: one, selected: one === user }, nameOf(one))));
  return [element('label', { className: 'identity-label', htmlFor: 'user' }, 'Acting as'), select];
}

function signedIn(user) {
  const onSignOut = () => {
    signOut();
    location.reload();
  };
  return [element('span', { className: 'identity-label' }, nameOf(user)), button('button', 'Sign out', onSignOut)];
}

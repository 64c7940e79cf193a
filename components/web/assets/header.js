// The masthead: whose page this is, how the connection does, and the title of the tab.

import { announce, button, byId, element, setHidden, setText } from './dom.js';
import { nameOf, totalUnread } from './selectors.js';
import { addressAs, signOut } from './session.js';

const DEMO_USERS = [1, 2, 3];
/** A break shorter than this is nobody's concern. */
const PATIENCE_MS = 1_200;
const TITLE = document.title;

export function createHeader({ user, token }) {
  byId('identity').append(...(token ? signedIn(user) : switcher(user)));
  let status;
  let timer;

  function showBroken() {
    setText(byId('banner-text'), status === 'connecting' ? 'Connecting…' : 'Reconnecting…');
    setHidden(byId('banner'), false);
    announce('The connection is interrupted. Messages are sent once it is back.');
  }

  function showLive() {
    if (!byId('banner').hidden) announce('Connected.');
    setHidden(byId('banner'), true);
  }

  function follow(next) {
    if (next === status) return;
    status = next;
    clearTimeout(timer);
    if (status === 'live') showLive();
    else timer = setTimeout(showBroken, PATIENCE_MS);
  }

  return {
    render(state) {
      const unread = totalUnread(state);
      setText(document.querySelector('title'), unread ? `(${unread}) ${TITLE}` : TITLE);
      follow(state.connection);
    },
  };
}

function switcher(user) {
  const select = element('select', { id: 'user', onchange: () => location.assign(addressAs(select.value)) });
  const users = [...new Set([...DEMO_USERS, user])];
  select.append(...users.map((one) => element('option', { value: one, selected: one === user }, nameOf(one))));
  return [element('label', { className: 'identity-label', htmlFor: 'user' }, 'Acting as'), select];
}

function signedIn(user) {
  const leave = () => {
    signOut();
    location.reload();
  };
  return [element('span', { className: 'identity-label' }, nameOf(user)), button('button', 'Sign out', leave)];
}

// The head of the open conversation: title, participants with their presence, typing indicator.

import { byId, element, reconcile, setHidden, setText } from './dom.js';
import { namesOf } from './message-view.js';
import { nameOf, titleOf, typingIn } from './selectors.js';

export function renderHead(state) {
  const conversation = state.conversations.get(state.open);
  setHidden(byId('thread-head'), !state.open);
  renderTyping(state);
  setText(byId('thread-title'), conversation ? titleOf(state, conversation) : '');
  const people = (conversation?.participantIds ?? []).map((user) => ({ key: user, user, state }));
  reconcile(byId('people'), people, { create: createPerson, update: updatePerson });
}

function createPerson() {
  const part = (className) => element('span', { className });
  return element('li', { className: 'person' }, part('dot'), part('person-name'), part('visually-hidden'));
}

function updatePerson(root, { user, state }) {
  const isOnline = user === state.me || state.online.has(user);
  root.classList.toggle('online', isOnline);
  root.dataset.user = user;
  setText(root.querySelector('.person-name'), user === state.me ? 'You' : nameOf(user));
  setText(root.querySelector('.visually-hidden'), isOnline ? 'online' : 'offline');
}

function renderTyping(state) {
  const users = typingIn(state, state.open);
  byId('typing').classList.toggle('active', users.length > 0);
  setText(byId('typing-text'), users.length ? `${namesOf(users)} ${users.length > 1 ? 'are' : 'is'} typing` : '');
}

// The head of the open conversation: title, participants with their presence, typing indicator.

import { byClass, byId, element, reconcile, setHidden, setText } from './dom.js';
import { nameOf, namesOf, titleOf, typingIn } from './selectors.js';

/**
 * @import { State } from '../types/state.d.ts'
 * @typedef {{ key: number, user: number, state: State }} Person
 */

/** @param {State} state */
export function renderHead(state) {
  const conversation = state.open === undefined ? undefined : state.conversations.get(state.open);
  setHidden(byId('thread-head'), !state.open);
  renderTyping(state);
  setText(byId('thread-title'), conversation ? titleOf(state, conversation) : '');
  const people = (conversation?.participantIds ?? []).map((user) => ({ key: user, user, state }));
  reconcile(byId('people'), people, { create: createPerson, update: updatePerson });
}

function createPerson() {
  /** @param {string} className */
  const part = (className) => element('span', { className });
  return element('li', { className: 'person' }, part('dot'), part('person-name'), part('visually-hidden'));
}

/**
 * @param {HTMLElement} root
 * @param {Person} person
 */
function updatePerson(root, { user, state }) {
  const isOnline = user === state.me || state.online.has(user);
  root.classList.toggle('online', isOnline);
  root.dataset.user = String(user);
  setText(byClass(root, 'person-name'), user === state.me ? 'You' : nameOf(user));
  setText(byClass(root, 'visually-hidden'), isOnline ? 'online' : 'offline');
}

/** @param {State} state */
function renderTyping(state) {
  const users = state.open === undefined ? [] : typingIn(state, state.open);
  byId('typing').classList.toggle('active', users.length > 0);
  setText(byId('typing-text'), users.length ? `${namesOf(users)} ${users.length > 1 ? 'are' : 'is'} typing` : '');
}

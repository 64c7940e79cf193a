// The open conversation: who is in it, its messages, and where it is scrolled to.

import { byId, element, reconcile, rove, setHidden, setText } from './dom.js';
import { createMessage, namesOf, updateMessage } from './message-view.js';
import { nameOf, newestForeign, threadItems, titleOf, typingIn } from './selectors.js';
import { dayHeading } from './time.js';

/** How near counts as at the end, and how near to the start earlier messages are loaded, in pixels. */
const AT_END = 40;
const NEAR_START = 300;

export function createThreadView({ actions, onOlder, onScroll, onRetry, onEscape }) {
  const log = byId('log');
  const scroll = byId('log-scroll');
  /** The conversation that is shown, and the newest message that was shown at the end. */
  let shown;
  let seen = 0;
  let wasAtEnd = true;

  rove(log, '.message', { onEscape });
  scroll.addEventListener('scroll', () => {
    wasAtEnd = isAtEnd();
    if (scroll.scrollTop < NEAR_START) onOlder();
    onScroll();
  });
  new ResizeObserver(() => wasAtEnd && toEnd()).observe(scroll);
  byId('to-newest').onclick = () => {
    toEnd();
    log.lastElementChild?.focus({ preventScroll: true });
  };

  const isAtEnd = () =>
    scroll.clientHeight > 0 && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_END;
  const toEnd = () => (scroll.scrollTop = scroll.scrollHeight);

  function render(state) {
    const { open } = state;
    const thread = state.threads.get(open);
    const isReady = Boolean(thread) && (thread.status === 'ready' || thread.messages.length > 0);
    setHidden(byId('thread-placeholder'), Boolean(open));
    setHidden(byId('thread-head'), !open);
    setHidden(scroll, !isReady);
    setHidden(byId('older'), !thread?.prev);
    renderHead(state);
    renderNotice(thread);
    renderTyping(state);
    if (isReady) renderLog(state, thread);
    else shown = undefined;
    renderToNewest(state, thread);
  }

  function renderLog(state, thread) {
    const isFirst = shown !== state.open;
    const anchor = isFirst || wasAtEnd ? undefined : firstInView();
    if (isFirst) log.replaceChildren();
    shown = state.open;
    const items = threadItems(state, state.open);
    reconcile(log, items, {
      create: (item) => create(item, actions),
      update: (made, item) => update(made, item, state, actions),
    });
    if (!log.querySelector('.message[tabindex="0"]')) log.querySelector('.message:last-of-type')?.setAttribute('tabindex', '0');
    place(isFirst, anchor, thread);
  }

  /** Keeps in place what is being read, whatever was added above or below. */
  function place(isFirst, anchor) {
    const unread = isFirst && log.querySelector('.unread-mark');
    if (unread) scroll.scrollTop = unread.offsetTop - scroll.clientHeight / 3;
    else if (isFirst || wasAtEnd) toEnd();
    else if (anchor) scroll.scrollTop += anchor.child.getBoundingClientRect().top - anchor.top;
    wasAtEnd = isAtEnd();
  }

  function firstInView() {
    const { top } = scroll.getBoundingClientRect();
    const child = [...log.children].find((one) => one.getBoundingClientRect().bottom > top);
    return child && { child, top: child.getBoundingClientRect().top };
  }

  function renderToNewest(state, thread) {
    const newest = thread && newestForeign(state, thread);
    if (wasAtEnd || !newest) seen = newest?.ordinal ?? 0;
    const missed = thread?.messages.filter(({ senderId, ordinal }) => senderId !== state.me && ordinal > seen).length;
    setText(byId('to-newest-text'), missed ? `${missed} new` : 'Newest');
    setHidden(byId('to-newest'), scroll.hidden || wasAtEnd);
  }

  function renderNotice(thread) {
    const notice = byId('thread-notice');
    const shownNotice = !thread ? '' : thread.status === 'ready' && !thread.messages.length && !log.children.length ? 'empty' : thread.status;
    const texts = notices[shownNotice];
    setHidden(notice, !texts || (shownNotice === 'loading' && thread.messages.length > 0));
    if (notice.dataset.shown === shownNotice) return;
    notice.dataset.shown = shownNotice;
    const retry = element('button', { type: 'button', className: 'button', onclick: onRetry }, 'Try again');
    notice.replaceChildren(...(texts ? [element('p', {}, texts)] : []), ...(shownNotice === 'failed' ? [retry] : []));
  }

  return { render, isAtEnd, toEnd: () => (wasAtEnd = true), show: (id) => showMessage(log, id) };
}

const notices = {
  loading: 'Loading messages…',
  failed: 'The messages could not be loaded.',
  gone: 'This conversation does not exist, or you do not take part in it.',
  empty: 'No messages yet. Write the first one.',
};

function create(item, actions) {
  if (item.kind === 'day') return element('h3', { className: 'day' }, dayHeading(item.at));
  if (item.kind === 'unread') return element('p', { className: 'unread-mark' }, element('span', {}, 'New'));
  return createMessage(item, actions);
}

function update(made, item, state, actions) {
  if (item.kind === 'message' || item.kind === 'pending') updateMessage(made, item, state, actions);
}

function renderHead(state) {
  const conversation = state.conversations.get(state.open);
  if (!conversation) return;
  setText(byId('thread-title'), titleOf(state, conversation));
  const people = conversation.participantIds.map((user) => ({ key: user, user, state }));
  reconcile(byId('people'), people, { create: createPerson, update: updatePerson });
}

const createPerson = () =>
  element('li', { className: 'person' }, element('span', { className: 'dot' }), element('span', { className: 'person-name' }));

function updatePerson(made, { user, state }) {
  const isOnline = user === state.me || state.online.has(user);
  made.classList.toggle('online', isOnline);
  made.title = isOnline ? 'online' : 'offline';
  made.dataset.user = user;
  setText(made.querySelector('.person-name'), user === state.me ? 'You' : nameOf(user));
}

function renderTyping(state) {
  const users = typingIn(state, state.open);
  byId('typing').classList.toggle('active', users.length > 0);
  setText(byId('typing-text'), users.length ? `${namesOf(users)} ${users.length > 1 ? 'are' : 'is'} typing` : '');
}

function showMessage(log, id) {
  const made = [...log.children].find((child) => child.item?.message?.id === id);
  made?.scrollIntoView({ block: 'center' });
  made?.focus({ preventScroll: true });
}

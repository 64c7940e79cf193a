// The messages of the open conversation, and their scroll position.

import { button, byId, element, reconcile, rovingTabindex, setHidden, setText } from './dom.js';
import { createMessage, updateMessage } from './message-view.js';
import { newestForeign, threadItems } from './selectors.js';
import { renderHead } from './thread-head.js';
import { dayHeading } from './time.js';

/** Distances in pixels: what counts as scrolled to the end, and where the page before is loaded. */
const AT_END = 40;
const NEAR_START = 300;

export function createThreadView({ actions, onOlder, onScroll, onRetry, onEscape }) {
  const log = byId('log');
  const scroll = byId('log-scroll');
  /** The conversation that is shown, and the ordinal of the newest message that was in view. */
  let shown;
  let seen = 0;
  let wasAtEnd = true;

  const setTabStop = rovingTabindex(log, '.message', { onEscape });
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
    const items = threadItems(state, open);
    const notice = noticeOf(thread, items);
    setHidden(byId('thread-placeholder'), Boolean(open));
    setHidden(scroll, items.length === 0 || notice === 'gone');
    setHidden(byId('older'), !thread?.prev);
    renderHead(state);
    renderNotice(notice);
    if (scroll.hidden) shown = undefined;
    else renderLog(state, items);
    renderToNewest(state, thread);
  }

  function renderLog(state, items) {
    const isFirst = shown !== state.open;
    const anchor = isFirst || wasAtEnd ? undefined : firstInView();
    if (isFirst) log.replaceChildren();
    shown = state.open;
    reconcile(log, items, {
      create: (item) => create(item, actions),
      update: (root, item) => update(root, item, state, actions),
    });
    setTabStop([...log.querySelectorAll('.message')].at(-1));
    restoreScroll(isFirst, anchor);
    if (scroll.scrollTop < NEAR_START) onOlder();
  }

  /** Keeps the first visible message in place when others are added above or below it. */
  function restoreScroll(isFirst, anchor) {
    const unread = isFirst && log.querySelector('.unread-mark');
    if (unread) scroll.scrollTop = unread.offsetTop - scroll.clientHeight / 3;
    else if (isFirst || wasAtEnd) toEnd();
    else if (anchor) scroll.scrollTop += anchor.child.getBoundingClientRect().top - anchor.top;
    wasAtEnd = isAtEnd();
  }

  function firstInView() {
    const { top } = scroll.getBoundingClientRect();
    const messages = [...log.querySelectorAll('.message')];
    const child = messages.find((one) => one.getBoundingClientRect().bottom > top);
    return child && { child, top: child.getBoundingClientRect().top };
  }

  function renderToNewest(state, thread) {
    const newest = thread && newestForeign(state, thread);
    if (wasAtEnd || !newest) seen = newest?.ordinal ?? 0;
    const missed = thread?.messages.filter(({ senderId, ordinal }) => senderId !== state.me && ordinal > seen).length;
    setText(byId('to-newest-text'), missed ? `${missed} new` : 'Newest');
    setHidden(byId('to-newest'), scroll.hidden || wasAtEnd);
  }

  function renderNotice(kind) {
    const notice = byId('thread-notice');
    setHidden(notice, !kind);
    if (notice.dataset.shown === kind) return;
    notice.dataset.shown = kind;
    notice.replaceChildren(element('p', {}, notices[kind] ?? ''));
    if (kind === 'failed') notice.append(button('button', 'Try again', onRetry));
  }

  return { render, isAtEnd, toEnd: () => (wasAtEnd = true), show: (id) => showMessage(log, id) };
}

/** The kind of the notice that is shown in place of messages. */
function noticeOf(thread, items) {
  if (!thread || thread.status === 'gone') return thread?.status ?? '';
  if (items.length) return '';
  return thread.status === 'ready' ? 'empty' : thread.status;
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

function update(root, item, state, actions) {
  if (item.kind === 'message' || item.kind === 'pending') updateMessage(root, item, state, actions);
}

function showMessage(log, id) {
  const root = [...log.children].find((child) => child.item?.message?.id === id);
  root?.scrollIntoView({ block: 'center' });
  root?.focus({ preventScroll: true });
}

// The messages of the open conversation, and their scroll position.

import { button, byId, element, reconcile, rovingTabindex, setHidden, setText } from './dom.js';
import { createMessage, messageOf, updateMessage } from './message-view.js';
import { newestForeign, openThread, threadItems } from './selectors.js';
import { renderHead } from './thread-head.js';
import { dayHeading } from './time.js';

/**
 * @import { State, Thread, ThreadItem } from '../types/state.d.ts'
 * @import { Actions } from './message-view.js'
 */

/** Distances in pixels: what counts as scrolled to the end, and where the page before or behind is loaded. */
const AT_END = 40;
const NEAR_EDGE = 300;
/** How long a message that was looked for is marked. */
const MARK_MS = 2_500;

/**
 * @param {{
 *   actions: Actions,
 *   onOlder: () => void,
 *   onLater: () => void,
 *   onNewest: () => Promise<void>,
 *   onScroll: () => void,
 *   onRetry: () => void,
 *   onEscape: () => void,
 * }} handlers
 */
export function createThreadView({ actions, onOlder, onLater, onNewest, onScroll, onRetry, onEscape }) {
  const log = byId('log');
  const scroll = byId('log-scroll');
  /** The conversation that is shown. @type {number | undefined} */
  let shown;
  /** The ordinal of the newest message that was in view. */
  let seen = 0;
  let wasAtEnd = true;
  /** Whether the end of what is loaded is not the end of the conversation. */
  let hasLater = false;
  /** The message to show once it is loaded. @type {{ conversation: number, id: number } | undefined} */
  let wanted;

  const setTabStop = rovingTabindex(log, '.message', { onEscape });
  scroll.addEventListener('scroll', () => {
    wasAtEnd = isAtEnd();
    loadNearEdges();
    onScroll();
  });
  new ResizeObserver(() => {
    if (wasAtEnd) toEnd();
  }).observe(scroll);
  byId('to-newest').onclick = async () => {
    await onNewest();
    toEnd();
    messages().at(-1)?.focus({ preventScroll: true });
  };

  const messages = () => /** @type {HTMLElement[]} */ ([...log.querySelectorAll('.message')]);
  const belowView = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
  const isAtEnd = () => !hasLater && scroll.clientHeight > 0 && belowView() < AT_END;
  const toEnd = () => {
    scroll.scrollTop = scroll.scrollHeight;
  };

  function loadNearEdges() {
    if (scroll.scrollTop < NEAR_EDGE) onOlder();
    if (hasLater && belowView() < NEAR_EDGE) onLater();
  }

  /** @param {State} state */
  function render(state) {
    const { open } = state;
    const thread = openThread(state);
    hasLater = Boolean(thread?.hasLater);
    const items = open === undefined ? [] : threadItems(state, open);
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

  /**
   * @param {State} state
   * @param {ThreadItem[]} items
   */
  function renderLog(state, items) {
    const isFirst = shown !== state.open;
    const anchor = isFirst || wasAtEnd ? undefined : firstInView();
    if (isFirst) {
      log.replaceChildren();
      seen = (openThread(state)?.unreadFrom ?? newestKnown(state) + 1) - 1;
    }
    shown = state.open;
    reconcile(log, items, {
      create: (item) => create(item, actions),
      update: (root, item) => update(root, item, state, actions),
    });
    setTabStop(messages().at(-1));
    if (!reveal()) restoreScroll(isFirst, anchor);
    loadNearEdges();
  }

  /** Shows the message that was looked for, and marks it for a moment; false if it is not loaded. */
  function reveal() {
    if (!wanted || wanted.conversation !== shown) return false;
    const { id } = wanted;
    const target = messages().find((one) => messageOf(one)?.id === id);
    if (!target) return false;
    wanted = undefined;
    target.scrollIntoView({ block: 'center' });
    target.focus({ preventScroll: true });
    target.classList.add('found');
    setTimeout(() => target.classList.remove('found'), MARK_MS);
    wasAtEnd = isAtEnd();
    return true;
  }

  /**
   * Keeps the first visible message in place when others are added above or below it.
   *
   * @param {boolean} isFirst
   * @param {ReturnType<typeof firstInView>} anchor
   */
  function restoreScroll(isFirst, anchor) {
    const unread = isFirst && log.querySelector('.unread-mark');
    if (unread instanceof HTMLElement) scroll.scrollTop = unread.offsetTop - scroll.clientHeight / 3;
    else if (isFirst || wasAtEnd) toEnd();
    else if (anchor) scroll.scrollTop += anchor.child.getBoundingClientRect().top - anchor.top;
    wasAtEnd = isAtEnd();
  }

  function firstInView() {
    const { top } = scroll.getBoundingClientRect();
    const child = messages().find((one) => one.getBoundingClientRect().bottom > top);
    return child && { child, top: child.getBoundingClientRect().top };
  }

  /**
   * @param {State} state
   * @param {Thread | undefined} thread
   */
  function renderToNewest(state, thread) {
    const newest = thread && newestForeign(state, thread);
    if (wasAtEnd || !newest) seen = newest?.ordinal ?? 0;
    const missed = thread?.messages.filter(({ senderId, ordinal }) => senderId !== state.me && ordinal > seen).length;
    setText(byId('to-newest-text'), missed ? `${missed} new` : 'Newest');
    setHidden(byId('to-newest'), wasAtEnd || Boolean(scroll.hidden));
  }

  /** @param {ReturnType<typeof noticeOf>} kind */
  function renderNotice(kind) {
    const notice = byId('thread-notice');
    setHidden(notice, !kind);
    if (notice.dataset.shown === kind) return;
    notice.dataset.shown = kind;
    notice.replaceChildren(element('p', {}, kind && notices[kind]));
    if (kind === 'failed') notice.append(button('button', 'Try again', onRetry));
  }

  return {
    render,
    isAtEnd,
    /** The next render scrolls to the end. */
    toEnd: () => {
      wasAtEnd = true;
    },
    /**
     * Scrolls to a message, now or once it is loaded.
     *
     * @param {number} conversation
     * @param {number} id
     */
    show(conversation, id) {
      wanted = { conversation, id };
      if (!scroll.hidden) reveal();
    },
    /**
     * A message that could not be loaded is no longer looked for.
     *
     * @param {number} id
     */
    stopLooking(id) {
      if (wanted?.id === id) wanted = undefined;
    },
  };
}

/**
 * The ordinal of the newest message that is known of, loaded or not.
 *
 * @param {State} state
 */
function newestKnown({ conversations, open }) {
  return (open !== undefined && conversations.get(open)?.lastMessage?.ordinal) || 0;
}

/**
 * The kind of the notice that is shown in place of messages.
 *
 * @param {Thread | undefined} thread
 * @param {ThreadItem[]} items
 * @returns {keyof typeof notices | ''}
 */
function noticeOf(thread, items) {
  if (!thread) return '';
  if (thread.status === 'gone') return 'gone';
  if (items.length) return '';
  return thread.status === 'ready' ? 'empty' : thread.status;
}

const notices = {
  loading: 'Loading messages…',
  failed: 'The messages could not be loaded.',
  gone: 'This conversation does not exist, or you do not take part in it.',
  empty: 'No messages yet. Write the first one.',
};

/**
 * @param {ThreadItem} item
 * @param {Actions} actions
 * @returns {HTMLElement}
 */
function create(item, actions) {
  if (item.kind === 'day') return element('h3', { className: 'day' }, dayHeading(item.at));
  if (item.kind === 'unread') return element('p', { className: 'unread-mark' }, element('span', {}, 'New'));
  return createMessage(actions);
}

/**
 * @param {HTMLElement} root
 * @param {ThreadItem} item
 * @param {State} state
 * @param {Actions} actions
 */
function update(root, item, state, actions) {
  // “Today” becomes “Yesterday” while the page stays open.
  if (item.kind === 'day') setText(root, dayHeading(item.at));
  if (item.kind === 'message' || item.kind === 'pending') updateMessage(root, item, state, actions);
}

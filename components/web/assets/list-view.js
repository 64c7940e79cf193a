// The list of conversations.

import { button, byClass, byId, element, reconcile, rovingTabindex, setHidden, setText } from './dom.js';
import { conversationsByActivity, isAnyoneOnline, others, summaryOf, titleOf, unreadOf } from './selectors.js';
import { briefTime } from './time.js';

/** @import { ListedConversation, State } from '../types/state.d.ts' */

/** @typedef {{ key: number, conversation: ListedConversation, state: State }} Item */

/** The next page is loaded when the list is scrolled this near to its end, in pixels. */
const NEAR_END = 200;

/** @param {{ onOpen: (id: number) => void, onMore: () => void, onRetry: () => void }} handlers */
export function createListView({ onOpen, onMore, onRetry }) {
  const list = byId('conversations');
  const setTabStop = rovingTabindex(list, '.conversation');
  list.addEventListener('scroll', () => {
    if (list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END) onMore();
  });

  const currentOrFirst = () =>
    /** @type {HTMLElement | null} */ (
      list.querySelector('[aria-current="true"]') ?? list.querySelector('.conversation')
    );

  /** @param {State} state */
  function render(state) {
    const items = conversationsByActivity(state).map((conversation) => ({ key: conversation.id, conversation, state }));
    reconcile(list, items, { create: (item) => create(item, onOpen), update });
    setTabStop(currentOrFirst());
    renderNotice(state, items.length);
  }

  /**
   * @param {State} state
   * @param {number} count
   */
  function renderNotice({ list: { status } }, count) {
    const notice = byId('list-notice');
    setHidden(notice, count > 0);
    const shown = count > 0 ? '' : status;
    if (notice.dataset.shown === shown) return;
    notice.dataset.shown = shown;
    notice.replaceChildren(...(shown ? notices[shown](onRetry) : []));
  }

  return {
    render,
    /** Moves the focus to the open conversation, else to the first one. */
    focus() {
      (currentOrFirst() ?? byId('new-conversation')).focus();
    },
  };
}

/** @type {{ [status in State['list']['status']]: (onRetry: () => void) => HTMLElement[] }} */
const notices = {
  loading: () => Array.from({ length: 4 }, () => element('div', { className: 'skeleton', 'aria-hidden': 'true' })),
  failed: (onRetry) => [
    element('p', {}, 'The conversations could not be loaded.'),
    button('button', 'Try again', onRetry),
  ],
  ready: () => [element('p', {}, 'No conversations yet. “New” begins the first one.')],
};

/**
 * @param {Item} item
 * @param {(id: number) => void} onOpen
 */
function create({ conversation }, onOpen) {
  /** @type {(className: string, ...children: Node[]) => HTMLElement} */
  const part = (className, ...children) => element('span', { className }, ...children);
  const first = part('conversation-line', part('conversation-title'), part('conversation-time'));
  const second = part('conversation-line', part('conversation-preview'), part('badge'));
  const entry = button('conversation', part('avatar', part('avatar-text'), part('dot')), () => onOpen(conversation.id));
  entry.append(part('conversation-lines', first, second));
  entry.dataset.conversation = String(conversation.id);
  entry.tabIndex = -1;
  return element('li', {}, entry);
}

/**
 * @param {HTMLElement} item
 * @param {Item} content
 */
function update(item, { conversation, state }) {
  /** @param {string} className */
  const part = (className) => byClass(item, className);
  const title = titleOf(state, conversation);
  const unread = unreadOf(state, conversation);
  const online = isAnyoneOnline(state, conversation);
  const preview = conversation.lastMessage ? summaryOf(state, conversation.lastMessage) : 'No messages yet';
  const at = conversation.lastActivityAt ?? conversation.createdAt;
  setText(part('avatar-text'), monogram(state, conversation));
  setHidden(part('dot'), !online);
  setText(part('conversation-title'), title);
  setText(part('conversation-preview'), preview);
  setText(part('conversation-time'), at ? briefTime(at) : '');
  setText(part('badge'), unread > 99 ? '99+' : String(unread));
  setHidden(part('badge'), unread === 0);
  const entry = part('conversation');
  entry.classList.toggle('unread', unread > 0);
  entry.setAttribute('aria-current', String(state.open === conversation.id));
  const name = [title, unread && `${unread} unread`, online && 'online', preview].filter(Boolean).join(', ');
  entry.setAttribute('aria-label', name);
}

/**
 * The first letter of the title, or the number of the only other participant.
 *
 * @param {State} state
 * @param {ListedConversation} conversation
 */
function monogram(state, conversation) {
  const [initial] = conversation.title?.trim() ?? '';
  if (initial) return initial.toUpperCase();
  const people = others(state, conversation);
  return people.length === 1 ? String(people[0]).slice(-3) : String(people.length + 1);
}

// One message: sender, time, content, receipt, and its buttons.

import { button, byClass, element, icon, iconButton, setHidden, setText } from './dom.js';
import { findMessage, namesOf, senderName, summaryOf } from './selectors.js';
import { clock, fullTime } from './time.js';

/**
 * @import { Message } from '../types/service.d.ts'
 * @import { MessageItem, PendingItem, PendingMessage, State } from '../types/state.d.ts'
 */

/** @typedef {MessageItem | PendingItem} Item */

/** @typedef {Omit<Message, 'id' | 'ordinal'>} DisplayedMessage */

/**
 * What the user can do with a message.
 *
 * @typedef {{
 *   onReply: (message: Message) => void,
 *   onEdit: (message: Message) => void,
 *   onDelete: (message: Message) => void,
 *   onQuote: (id: number) => void,
 *   onRetry: (clientMessageId: string) => void,
 *   onDiscard: (clientMessageId: string) => void,
 * }} Actions
 */

/**
 * What an element shows, which may have changed since its event handlers were created.
 *
 * @type {WeakMap<Element, Item>}
 */
const items = new WeakMap();

/** @param {Element} root */
export const messageOf = (root) => {
  const item = items.get(root);
  return item?.kind === 'message' ? item.message : undefined;
};

/**
 * Creates the element of a sent or pending message of `threadItems`.
 *
 * @param {Actions} actions
 */
export function createMessage(actions) {
  /** @type {(className: string, tag?: 'span' | 'p' | 'time') => HTMLElement} */
  const part = (className, tag = 'span') => element(tag, { className });
  const quote = button('quote', icon('reply'), () => {
    const original = replyOf(root);
    if (original) actions.onQuote(original);
  });
  quote.append(part('quote-text'));
  const meta = element('p', { className: 'message-meta' }, part('sender'), part('sent-at', 'time'), part('mark'));
  const body = element('div', { className: 'bubble' }, quote, part('content', 'p'));
  const row = element('div', { className: 'message-row' }, body, element('div', { className: 'actions' }));
  const root = element('article', { className: 'message', tabIndex: -1 }, meta, row, part('receipt', 'p'));
  return root;
}

/** @param {Element} root */
function replyOf(root) {
  const item = items.get(root);
  return item?.kind === 'pending' ? item.item.replyToId : item?.message.replyToId;
}

/**
 * @param {HTMLElement} root
 * @param {Item} item
 * @param {State} state
 * @param {Actions} actions
 */
export function updateMessage(root, item, state, actions) {
  items.set(root, item);
  /** @type {DisplayedMessage} */
  const message = item.kind === 'message' ? item.message : asMessage(item.item, state.me);
  /** @param {string} name */
  const part = (name) => byClass(root, name);
  const isOwn = message.senderId === state.me;
  root.classList.toggle('own', isOwn);
  root.classList.toggle('system', message.kind === 'system');
  root.classList.toggle('deleted', Boolean(message.deletedAt || message.unreadable));
  root.classList.toggle('continued', item.kind === 'message' && item.isContinued);
  root.classList.toggle('pending', item.kind === 'pending');
  root.classList.toggle('refused', item.kind === 'pending' && Boolean(item.item.error));
  setText(part('sender'), isOwn ? 'You' : senderName(message));
  updateTime(/** @type {HTMLTimeElement} */ (part('sent-at')), message.createdAt);
  setText(part('mark'), message.editedAt && !message.deletedAt ? 'edited' : '');
  setText(part('content'), textOf(message));
  updateQuote(part('quote'), message, state);
  updateReceipt(part('receipt'), item, actions);
  updateButtons(part('actions'), root, item.kind === 'pending' ? 'none' : possibleActions(message, isOwn), actions);
}

/** @param {DisplayedMessage} message */
function textOf({ content, deletedAt, unreadable }) {
  if (deletedAt) return 'This message was deleted.';
  return unreadable ? 'This message cannot be read: its key is gone.' : (content ?? '');
}

/**
 * A pending message as it will be once it is sent, as far as it is shown.
 *
 * @param {PendingMessage} pending
 * @param {number} me
 * @returns {DisplayedMessage}
 */
const asMessage = (pending, me) => ({ ...pending, senderId: me, kind: 'user' });

/**
 * @param {DisplayedMessage} message
 * @param {boolean} isOwn
 */
function possibleActions({ deletedAt, kind }, isOwn) {
  if (deletedAt || kind === 'system') return 'none';
  return isOwn ? 'own' : 'foreign';
}

/**
 * The buttons are replaced only when the possible actions change, since one may have the focus.
 *
 * @param {HTMLElement} place
 * @param {HTMLElement} root
 * @param {keyof typeof buttons} possible
 * @param {Actions} actions
 */
function updateButtons(place, root, possible, actions) {
  if (place.dataset.possible === possible) return;
  place.dataset.possible = possible;
  place.replaceChildren(...buttons[possible](root, actions));
}

/**
 * @param {HTMLTimeElement} time
 * @param {string} at
 */
function updateTime(time, at) {
  setText(time, clock(at));
  time.dateTime = at;
  time.title = fullTime(at);
}

/**
 * @param {HTMLElement} quote
 * @param {DisplayedMessage} message
 * @param {State} state
 */
function updateQuote(quote, { conversationId, replyToId, deletedAt }, state) {
  setHidden(quote, !replyToId || Boolean(deletedAt));
  if (!replyToId || deletedAt) return;
  const original = findMessage(state, conversationId, replyToId);
  const text = original ? summaryOf(state, original) : 'An earlier message';
  setText(byClass(quote, 'quote-text'), text);
  quote.setAttribute('aria-label', `In reply to: ${text}`);
}

/**
 * The line below a message: pending, refused, sent or read.
 *
 * @param {HTMLElement} receipt
 * @param {Item} item
 * @param {Actions} actions
 */
function updateReceipt(receipt, item, actions) {
  const text = receiptOf(item);
  setHidden(receipt, !text);
  if (receipt.dataset.text === text) return;
  receipt.dataset.text = text;
  const isRefused = item.kind === 'pending' && item.item.error;
  receipt.replaceChildren(text, ...(isRefused ? retryButtons(item.item, actions) : []));
}

/** @param {Item} item */
function receiptOf(item) {
  if (item.kind === 'pending') return item.item.error ? `Not sent: ${item.item.error} ` : 'Sending…';
  if (item.readBy.length) return `Read by ${namesOf(item.readBy)}`;
  return item.isLastOwn ? 'Sent' : '';
}

/**
 * @param {PendingMessage} pending
 * @param {Actions} actions
 */
const retryButtons = ({ clientMessageId }, { onRetry, onDiscard }) => [
  button('link', 'Try again', () => onRetry(clientMessageId)),
  ' ',
  button('link', 'Discard', () => onDiscard(clientMessageId)),
];

const buttons = {
  /** @returns {HTMLElement[]} */
  none: () => [],
  /** @type {(root: HTMLElement, actions: Actions) => HTMLElement[]} */
  foreign: (root, { onReply }) => [messageButton('reply', 'Reply', root, onReply)],
  /** @type {(root: HTMLElement, actions: Actions) => HTMLElement[]} */
  own: (root, { onReply, onEdit, onDelete }) => [
    messageButton('reply', 'Reply', root, onReply),
    messageButton('edit', 'Edit', root, onEdit),
    messageButton('delete', 'Delete', root, onDelete),
  ],
};

/**
 * @param {string} iconName
 * @param {string} label
 * @param {HTMLElement} root
 * @param {(message: Message) => void} action
 */
function messageButton(iconName, label, root, action) {
  return iconButton(iconName, label, () => {
    const message = messageOf(root);
    if (message) action(message);
  });
}

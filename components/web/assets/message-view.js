// One message: sender, time, content, receipt, and its buttons.

import { button, element, icon, iconButton, setHidden, setText } from './dom.js';
import { findMessage, nameOf, summaryOf } from './selectors.js';
import { clock, fullTime } from './time.js';

const names = new Intl.ListFormat('en', { type: 'conjunction' });
export const namesOf = (users) => names.format(users.map(nameOf));

/** Creates the element of a sent or pending message of `threadItems`. */
export function createMessage(item, actions) {
  const part = (className, tag = 'span') => element(tag, { className });
  const quote = button('quote', icon('reply'), () => actions.onQuote(replyOf(root.item)));
  quote.append(part('quote-text'));
  const meta = element('p', { className: 'message-meta' }, part('sender'), part('sent-at', 'time'), part('mark'));
  const body = element('div', { className: 'bubble' }, quote, part('content', 'p'));
  const row = element('div', { className: 'message-row' }, body, element('div', { className: 'actions' }));
  const root = element('article', { className: 'message', tabIndex: -1 }, meta, row, part('receipt', 'p'));
  return root;
}

const replyOf = ({ message, item }) => (message ?? item).replyToId;

export function updateMessage(root, item, state, actions) {
  root.item = item;
  const message = item.message ?? { ...item.item, senderId: state.me, kind: 'user' };
  const part = (name) => root.querySelector(`.${name}`);
  const isOwn = message.senderId === state.me;
  root.classList.toggle('own', isOwn);
  root.classList.toggle('system', message.kind === 'system');
  root.classList.toggle('deleted', Boolean(message.deletedAt));
  root.classList.toggle('continued', Boolean(item.isContinued));
  root.classList.toggle('pending', item.kind === 'pending');
  root.classList.toggle('refused', Boolean(item.item?.error));
  setText(part('sender'), isOwn ? 'You' : message.senderId ? nameOf(message.senderId) : 'LexiFlow');
  updateTime(part('sent-at'), message.createdAt);
  setText(part('mark'), message.editedAt && !message.deletedAt ? 'edited' : '');
  setText(part('content'), message.deletedAt ? 'This message was deleted.' : message.content);
  updateQuote(part('quote'), message, state);
  updateReceipt(part('receipt'), item, actions);
  updateActions(part('actions'), root, isOwn, message, actions);
}

/** The buttons are replaced only when the possible actions change, since one may have the focus. */
function updateActions(place, root, isOwn, { kind, deletedAt }, actions) {
  const possible = root.item.kind === 'pending' || deletedAt || kind === 'system' ? 'none' : isOwn ? 'own' : 'foreign';
  if (place.dataset.possible === possible) return;
  place.dataset.possible = possible;
  place.replaceChildren(...buttons[possible](root, actions));
}

function updateTime(time, at) {
  setText(time, clock(at));
  time.dateTime = at;
  time.title = fullTime(at);
}

function updateQuote(quote, { conversationId, replyToId, deletedAt }, state) {
  setHidden(quote, !replyToId || Boolean(deletedAt));
  if (quote.hidden) return;
  const original = findMessage(state, conversationId, replyToId);
  const text = original ? summaryOf(state, original) : 'An earlier message';
  setText(quote.querySelector('.quote-text'), text);
  quote.setAttribute('aria-label', `In reply to: ${text}`);
}

/** The line below a message: pending, refused, sent or read. */
function updateReceipt(receipt, item, actions) {
  const text = receiptOf(item);
  setHidden(receipt, !text);
  if (receipt.dataset.text === text) return;
  receipt.dataset.text = text;
  receipt.replaceChildren(text, ...(item.item?.error ? retryButtons(item.item, actions) : []));
}

function receiptOf(item) {
  if (item.kind === 'pending') return item.item.error ? `Not sent: ${item.item.error} ` : 'Sending…';
  if (item.readBy.length) return `Read by ${namesOf(item.readBy)}`;
  return item.isLastOwn ? 'Sent' : '';
}

const retryButtons = ({ clientMessageId }, { onRetry, onDiscard }) => [
  button('link', 'Try again', () => onRetry(clientMessageId)),
  ' ',
  button('link', 'Discard', () => onDiscard(clientMessageId)),
];

/** The handlers read the message from its element, since it may have changed after they were created. */
const buttons = {
  none: () => [],
  foreign: (root, { onReply }) => [iconButton('reply', 'Reply', () => onReply(root.item.message))],
  own: (root, { onEdit, onDelete, ...actions }) => [
    ...buttons.foreign(root, actions),
    iconButton('edit', 'Edit', () => onEdit(root.item.message)),
    iconButton('delete', 'Delete', () => onDelete(root.item.message)),
  ],
};

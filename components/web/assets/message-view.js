// One message: who, when, what, and what can be done with it.

import { button, element, icon, iconButton, setHidden, setText } from './dom.js';
import { findMessage, nameOf, summaryOf } from './selectors.js';
import { clock, fullTime } from './time.js';

const names = new Intl.ListFormat('en', { type: 'conjunction' });
export const namesOf = (users) => names.format(users.map(nameOf));

/** An element for an item of `threadItems` that is a message, or one on its way. */
export function createMessage(item, actions) {
  const part = (className, tag = 'span') => element(tag, { className });
  const quote = button('quote', icon('reply'), () => actions.onQuote(replyOf(made.item)));
  quote.append(part('quote-text'));
  const meta = element('p', { className: 'message-meta' }, part('sender'), part('sent-at', 'time'), part('mark'));
  const body = element('div', { className: 'bubble' }, quote, part('content', 'p'));
  const row = element('div', { className: 'message-row' }, body, element('div', { className: 'actions' }));
  const made = element('article', { className: 'message', tabIndex: -1 }, meta, row, part('receipt', 'p'));
  return made;
}

const replyOf = ({ message, item }) => (message ?? item).replyToId;

export function updateMessage(made, item, state, actions) {
  made.item = item;
  const message = item.message ?? { ...item.item, senderId: state.me, kind: 'user' };
  const part = (name) => made.querySelector(`.${name}`);
  const isOwn = message.senderId === state.me;
  made.classList.toggle('own', isOwn);
  made.classList.toggle('system', message.kind === 'system');
  made.classList.toggle('deleted', Boolean(message.deletedAt));
  made.classList.toggle('continued', Boolean(item.isContinued));
  made.classList.toggle('pending', item.kind === 'pending');
  made.classList.toggle('refused', Boolean(item.item?.error));
  setText(part('sender'), isOwn ? 'You' : message.senderId ? nameOf(message.senderId) : 'LexiFlow');
  updateTime(part('sent-at'), message.createdAt);
  setText(part('mark'), message.editedAt && !message.deletedAt ? 'edited' : '');
  setText(part('content'), message.deletedAt ? 'This message was deleted.' : message.content);
  updateQuote(part('quote'), message, state);
  updateReceipt(part('receipt'), item, actions);
  updateActions(part('actions'), made, isOwn, message, actions);
}

/** Buttons stay as they are for as long as the same can be done, since one may have the focus. */
function updateActions(place, made, isOwn, { kind, deletedAt }, actions) {
  const possible = made.item.kind === 'pending' || deletedAt || kind === 'system' ? 'none' : isOwn ? 'own' : 'foreign';
  if (place.dataset.possible === possible) return;
  place.dataset.possible = possible;
  place.replaceChildren(...buttons[possible](made, actions));
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

/** Below a message: how far it has come. */
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

/** The handlers ask the element for its message, which may have changed since. */
const buttons = {
  none: () => [],
  foreign: (made, { onReply }) => [iconButton('reply', 'Reply', () => onReply(made.item.message))],
  own: (made, { onEdit, onDelete, ...actions }) => [
    ...buttons.foreign(made, actions),
    iconButton('edit', 'Edit', () => onEdit(made.item.message)),
    iconButton('delete', 'Delete', () => onDelete(made.item.message)),
  ],
};

// One message: who, when, what, and what can be done with it.

import { element, icon, iconButton, setHidden, setText } from './dom.js';
import { findMessage, nameOf, summaryOf } from './selectors.js';
import { clock, fullTime } from './time.js';

const names = new Intl.ListFormat('en', { type: 'conjunction' });
export const namesOf = (users) => names.format(users.map(nameOf));

/** An element for an item of `threadItems` that is a message, or one on its way. */
export function createMessage(item, actions) {
  const part = (className, tag = 'span') => element(tag, { className });
  const quote = element('button', { type: 'button', className: 'quote' }, icon('reply'), part('quote-text'));
  const meta = element('p', { className: 'message-meta' }, part('sender'), part('sent-at', 'time'), part('mark'));
  const body = element('div', { className: 'bubble' }, quote, part('content', 'p'));
  const row = element('div', { className: 'message-row' }, body, element('div', { className: 'actions' }));
  const made = element('article', { className: 'message', tabIndex: -1 }, meta, row, part('receipt', 'p'));
  quote.onclick = () => actions.onQuote(made.item.message?.replyToId ?? made.item.item.replyToId);
  return made;
}

export function updateMessage(made, item, state, actions) {
  const wasPending = made.item?.kind;
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
  const kind = [item.kind, isOwn, message.kind, Boolean(message.deletedAt)].join();
  if (wasPending !== item.kind || part('actions').dataset.kind !== kind) {
    part('actions').dataset.kind = kind;
    part('actions').replaceChildren(...buttons(made, isOwn, message, actions));
  }
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

function retryButtons({ clientMessageId }, { onRetry, onDiscard }) {
  const button = (label, onclick) => element('button', { type: 'button', className: 'link', onclick }, label);
  return [button('Try again', () => onRetry(clientMessageId)), ' ', button('Discard', () => onDiscard(clientMessageId))];
}

/** The handlers ask the element for its message, which may have changed since. */
function buttons(made, isOwn, { kind, deletedAt }, { onReply, onEdit, onDelete }) {
  if (made.item.kind === 'pending' || deletedAt || kind === 'system') return [];
  const reply = iconButton('reply', 'Reply', () => onReply(made.item.message));
  if (!isOwn) return [reply];
  const edit = iconButton('edit', 'Edit', () => onEdit(made.item.message));
  return [reply, edit, iconButton('delete', 'Delete', () => onDelete(made.item.message))];
}

// Dialogs. Each one is a <dialog> of index.html, so the browser keeps the focus inside it.

import { byId, setText } from './dom.js';
import { reasonOf } from './http.js';
import { parseId, signIn } from './session.js';

/**
 * @import { Conversation, Message } from '../types/service.d.ts'
 * @import { Api } from './api.js'
 */

/**
 * A dialog that stays open and shows the error until `onSubmit` succeeds.
 *
 * @param {'new' | 'delete' | 'sign-in'} name
 * @param {(value: (field: string) => string) => void | Promise<void>} onSubmit gets the trimmed values of the fields
 */
function dialogOf(name, onSubmit) {
  const dialog = byId(`${name}-dialog`);
  const form = byId(`${name}-form`);
  const error = /** @type {HTMLElement} */ (form.querySelector('[role="alert"]'));
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector('[type="submit"]'));
  /** @param {string} field */
  const value = (field) => String(new FormData(form).get(field) ?? '').trim();

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      setText(error, '');
      await onSubmit(value);
      dialog.close();
    } catch (cause) {
      setText(error, reasonOf(cause));
    } finally {
      submit.disabled = false;
    }
  });
  /** @type {Element | null} */
  let opener = null;
  dialog.addEventListener('close', () => returnFocus(opener));
  dialog.querySelector('[data-close]')?.addEventListener('click', () => dialog.close());
  return {
    dialog,
    open() {
      form.reset();
      setText(error, '');
      opener = document.activeElement;
      dialog.showModal();
    },
  };
}

/**
 * The buttons of a message are hidden while the focus is elsewhere, so the focus returns to the message itself.
 *
 * @param {Element | null} opener
 */
function returnFocus(opener) {
  const target = opener?.closest('.message') ?? opener;
  if (target instanceof HTMLElement) target.focus();
}

/**
 * The dialog for a new conversation.
 *
 * @param {{ api: Api, user: number, onCreated: (conversation: Conversation) => void }} context
 */
export function createNewDialog({ api, user, onCreated }) {
  const { open } = dialogOf('new', async (value) => {
    const title = value('title');
    const participantIds = [...new Set([user, ...parseUsers(value('people'))])];
    onCreated(await api.createConversation({ ...(title && { title }), participantIds }));
  });
  byId('new-conversation').onclick = open;
}

/** @param {string} text */
function parseUsers(text) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.map((part) => {
    const user = parseId(part);
    if (!user) throw new Error(`“${part}” is not a user number.`);
    return user;
  });
}

/**
 * The dialog that confirms the deletion of a message.
 *
 * @param {{ api: Api, onDeleted: (message: Message) => void }} context
 */
export function createDeleteDialog({ api, onDeleted }) {
  /** @type {Message | undefined} */
  let message;
  const { open } = dialogOf('delete', async () => {
    if (!message) return;
    await api.remove(message.id);
    onDeleted(message);
  });
  return {
    /** @param {Message} selected */
    open(selected) {
      message = selected;
      setText(byId('delete-text'), selected.content ?? '');
      open();
    },
  };
}

/**
 * Opens the modal sign-in dialog, which closes only when a token is entered.
 *
 * @param {string} reason
 */
export function askForToken(reason) {
  const { dialog, open } = dialogOf('sign-in', (value) => {
    if (!signIn(value('token'))) throw new Error('This is not an access token of a user.');
    location.reload();
  });
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  open();
  setText(byId('token-error'), reason);
}

// Dialogs. Each one is a <dialog> of index.html, so the browser keeps the focus inside it.

import { byId, setText } from './dom.js';
import { parseId, signIn } from './session.js';

/** A dialog that stays open and shows the error until `onSubmit` succeeds. */
function dialogOf(name, onSubmit) {
  const dialog = byId(`${name}-dialog`);
  const form = byId(`${name}-form`);
  const error = dialog.querySelector('[role="alert"]');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('[type="submit"]');
    button.disabled = true;
    try {
      setText(error, '');
      await onSubmit(form.elements);
      dialog.close();
    } catch (cause) {
      setText(error, cause.reason ?? cause.message);
    } finally {
      button.disabled = false;
    }
  });
  // The buttons of a message are hidden while the focus is elsewhere, so the focus returns to the message itself.
  let opener;
  dialog.addEventListener('close', () => (opener.closest('.message') ?? opener).focus());
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

/** The dialog for a new conversation. */
export function createNewDialog({ api, user, onCreated }) {
  const { open } = dialogOf('new', async ({ title, people }) => {
    const conversation = await api.createConversation({
      ...(title.value.trim() && { title: title.value.trim() }),
      participantIds: [...new Set([user, ...parseUsers(people.value)])],
    });
    onCreated(conversation);
  });
  byId('new-conversation').onclick = open;
}

function parseUsers(text) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const users = parts.map(parseId);
  const wrong = parts.find((_, index) => !users[index]);
  if (wrong) throw new Error(`“${wrong}” is no user number.`);
  return users;
}

/** The dialog that confirms the deletion of a message. */
export function createDeleteDialog({ api, onDeleted }) {
  let message;
  const { open } = dialogOf('delete', async () => {
    await api.remove(message.id);
    onDeleted(message);
  });
  return {
    open(selected) {
      message = selected;
      setText(byId('delete-text'), selected.content);
      open();
    },
  };
}

/** Opens the modal sign-in dialog, which closes only when a token is entered. */
export function askForToken(reason) {
  const { dialog, open } = dialogOf('sign-in', ({ token }) => {
    if (!signIn(token.value.trim())) throw new Error('This is not an access token of a user.');
    location.reload();
  });
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  open();
  setText(byId('token-error'), reason);
}

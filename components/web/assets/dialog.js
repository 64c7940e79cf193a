// What all dialogs share. Each one is a <dialog> of index.html, so the browser keeps the focus inside it.

import { byId, setText } from './dom.js';
import { reasonOf } from './http.js';

/**
 * A dialog that stays open and shows the error until `onSubmit` succeeds.
 *
 * @param {'new' | 'delete' | 'sign-in' | 'sign-out'} name
 * @param {(value: (field: string) => string) => void | Promise<void>} onSubmit gets the trimmed values of the fields
 */
export function dialogOf(name, onSubmit) {
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
    form,
    open(reason = '') {
      form.reset();
      setText(error, reason);
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

// The composer: writes messages, replies and edits.

import { byId, setHidden, setText } from './dom.js';
import { createDrafts } from './drafts.js';
import { reasonOf } from './http.js';
import { senderName } from './selectors.js';

/**
 * @import { Message } from '../types/service.d.ts'
 * @import { State, Store } from '../types/state.d.ts'
 * @import { Api } from './api.js'
 * @import { Draft } from './drafts.js'
 * @import { Outbox } from './outbox.js'
 * @import { Typing } from './typing.js'
 */

const sizesItself = CSS.supports('field-sizing', 'content');
/** With an on-screen keyboard Enter starts a new line, and the button sends. */
const touchScreen = matchMedia('(pointer: coarse)');

/**
 * @param {{ api: Api, store: Store, outbox: Outbox, typing: Typing, onSent: () => void, onEscape: () => void }} context
 */
export function createComposer({ api, store, outbox, typing, onSent, onEscape }) {
  const field = byId('message');
  const drafts = createDrafts();
  /** @type {number | undefined} */
  let open;

  function renderDraft() {
    const draft = drafts.get(open);
    field.value = draft.text;
    const context = draft.edited ?? draft.replyTo;
    setHidden(byId('composer-context'), !context);
    setText(byId('context-title'), contextTitle(draft, store.get().me));
    setText(byId('context-text'), context?.content ?? '');
    showError('');
    fitHeight();
  }

  function fitHeight() {
    byId('send').disabled = !field.value.trim();
    if (sizesItself) return;
    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight}px`;
  }

  /** @param {string} text */
  const showError = (text) => setText(byId('composer-error'), text);

  function focusDraft() {
    renderDraft();
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  function cancel() {
    drafts.cancel(open);
    focusDraft();
  }

  function submit() {
    const text = field.value.trim();
    if (!text || !open) return;
    const draft = drafts.get(open);
    typing.stop();
    if (draft.edited) {
      submitEdit(open, draft, draft.edited, text);
      return;
    }
    drafts.clear(open);
    renderDraft();
    onSent();
    outbox.send(open, text, draft.replyTo?.id);
  }

  /**
   * @param {number} conversation
   * @param {Draft} draft
   * @param {Message} message
   * @param {string} text
   */
  async function submitEdit(conversation, draft, message, text) {
    try {
      const edited = await api.edit(message.id, text);
      store.dispatch({ type: 'message-edited', conversationId: conversation, message: edited });
      drafts.finishEdit(conversation, draft);
      if (open === conversation) renderDraft();
    } catch (error) {
      if (open === conversation) showError(`Not changed. ${reasonOf(error)}`);
    }
  }

  field.addEventListener('input', () => {
    drafts.setText(open, field.value);
    fitHeight();
    if (field.value.trim() && open) typing.typed(open);
    else typing.stop();
  });
  field.addEventListener('blur', () => typing.stop());
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey && !touchScreen.matches) {
      event.preventDefault();
      submit();
    } else if (event.key === 'Escape') {
      const { edited, replyTo } = drafts.get(open);
      if (edited || replyTo) cancel();
      else onEscape();
    }
  });
  byId('context-cancel').onclick = cancel;
  byId('composer').onsubmit = (event) => {
    event.preventDefault();
    submit();
  };

  return {
    /** @param {Message} message */
    reply(message) {
      drafts.reply(open, message);
      focusDraft();
    },
    /** @param {Message} message */
    edit(message) {
      drafts.edit(open, message);
      focusDraft();
    },
    focus: () => field.focus(),
    hasDraft: drafts.hasAny,
    /** @param {State} state */
    render(state) {
      setHidden(byId('composer'), !state.open || state.threads.get(state.open)?.status === 'gone');
      if (state.open === open) return;
      typing.stop();
      open = state.open;
      renderDraft();
    },
  };
}

/**
 * @param {Draft} draft
 * @param {number} me
 */
function contextTitle({ edited, replyTo }, me) {
  if (edited) return 'Editing';
  if (!replyTo) return '';
  return replyTo.senderId === me ? 'Reply to yourself' : `Reply to ${senderName(replyTo)}`;
}

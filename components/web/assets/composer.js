// The composer: writes messages, replies and edits.

import { byId, setHidden, setText } from './dom.js';
import { reasonOf } from './http.js';
import { senderName } from './selectors.js';

/**
 * @import { Message } from '../types/service.d.ts'
 * @import { State, Store } from '../types/state.d.ts'
 * @import { Api } from './api.js'
 * @import { Outbox } from './outbox.js'
 * @import { Typing } from './typing.js'
 */

/**
 * What a draft is, unless it is a new message.
 *
 * @typedef {{ kind: 'reply' | 'edit', message: Message }} Context
 */

/** @typedef {{ text: string, context: Context | undefined }} Draft */

const sizesItself = CSS.supports('field-sizing', 'content');
/** With an on-screen keyboard Enter starts a new line, and the button sends. */
const touchScreen = matchMedia('(pointer: coarse)');

/**
 * @param {{ api: Api, store: Store, outbox: Outbox, typing: Typing, onSent: () => void, onEscape: () => void }} context
 */
export function createComposer({ api, store, outbox, typing, onSent, onEscape }) {
  const field = byId('message');
  /** By conversation: what has not been sent. @type {Map<number | undefined, Draft>} */
  const drafts = new Map();
  /** @type {number | undefined} */
  let open;

  const draft = () => drafts.get(open) ?? { text: '', context: undefined };
  /** @param {Partial<Draft>} change */
  const updateDraft = (change) => drafts.set(open, { ...draft(), ...change });

  function renderDraft() {
    const { text, context } = draft();
    field.value = text;
    setHidden(byId('composer-context'), !context);
    setText(byId('context-title'), context ? contextTitle(context, store.get().me) : '');
    setText(byId('context-text'), context?.message.content ?? '');
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

  /**
   * @param {Context | undefined} context
   * @param {string} text
   */
  function startDraft(context, text) {
    updateDraft({ context, text });
    renderDraft();
    field.focus();
    field.setSelectionRange(text.length, text.length);
  }

  const cancel = () => startDraft(undefined, draft().context?.kind === 'edit' ? '' : field.value);

  function submit() {
    const text = field.value.trim();
    if (!text || !open) return;
    const { context } = draft();
    typing.stop();
    if (context?.kind === 'edit') {
      submitEdit(open, context.message, text);
      return;
    }
    drafts.delete(open);
    renderDraft();
    onSent();
    outbox.send(open, text, context?.message.id);
  }

  /**
   * @param {number} conversation
   * @param {Message} message
   * @param {string} text
   */
  async function submitEdit(conversation, message, text) {
    try {
      const edited = await api.edit(message.id, text);
      store.dispatch({ type: 'message-edited', conversationId: conversation, message: edited });
      drafts.delete(conversation);
      if (open === conversation) renderDraft();
    } catch (error) {
      if (open === conversation) showError(`Not changed. ${reasonOf(error)}`);
    }
  }

  field.addEventListener('input', () => {
    updateDraft({ text: field.value });
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
      if (draft().context) cancel();
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
    reply: (message) => startDraft({ kind: 'reply', message }, draft().context?.kind === 'edit' ? '' : field.value),
    /** @param {Message} message */
    edit: (message) => startDraft({ kind: 'edit', message }, message.content ?? ''),
    focus: () => field.focus(),
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
 * @param {Context} context
 * @param {number} me
 */
function contextTitle({ kind, message }, me) {
  if (kind === 'edit') return 'Editing';
  if (message.senderId === me) return 'Reply to yourself';
  return `Reply to ${senderName(message)}`;
}

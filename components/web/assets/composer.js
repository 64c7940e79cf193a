// The composer: writes messages, replies and edits.

import { byId, setHidden, setText } from './dom.js';
import { nameOf } from './selectors.js';

const sizesItself = CSS.supports('field-sizing', 'content');
/** With an on-screen keyboard Enter starts a new line, and the button sends. */
const touchScreen = matchMedia('(pointer: coarse)');

export function createComposer({ api, store, outbox, typing, onSent, onEscape }) {
  const field = byId('message');
  /** By conversation: the unsent text, and the message that it replies to or edits. */
  const drafts = new Map();
  let open;

  const draft = () => drafts.get(open) ?? { text: '', context: undefined };
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

  const showError = (text) => setText(byId('composer-error'), text);

  function startDraft(context, text) {
    updateDraft({ context, text });
    renderDraft();
    field.focus();
    field.setSelectionRange(text.length, text.length);
  }

  const cancel = () => startDraft(undefined, draft().context?.kind === 'edit' ? '' : field.value);

  async function submit() {
    const text = field.value.trim();
    if (!text) return;
    const { context } = draft();
    typing.stop();
    if (context?.kind === 'edit') return submitEdit(context.message, text);
    drafts.delete(open);
    renderDraft();
    onSent();
    outbox.send(open, text, context?.message.id);
  }

  async function submitEdit(message, text) {
    const conversation = open;
    try {
      const edited = await api.edit(message.id, text);
      store.dispatch({ type: 'message-edited', conversationId: conversation, message: edited });
      drafts.delete(conversation);
      if (open === conversation) renderDraft();
    } catch (error) {
      if (open === conversation) showError(`Not changed. ${error.reason}`);
    }
  }

  field.addEventListener('input', () => {
    updateDraft({ text: field.value });
    fitHeight();
    if (field.value.trim()) typing.typed(open);
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
    reply: (message) => startDraft({ kind: 'reply', message }, draft().context?.kind === 'edit' ? '' : field.value),
    edit: (message) => startDraft({ kind: 'edit', message }, message.content),
    focus: () => field.focus(),
    render(state) {
      setHidden(byId('composer'), !state.open || state.threads.get(state.open)?.status === 'gone');
      if (state.open === open) return;
      typing.stop();
      open = state.open;
      renderDraft();
    },
  };
}

function contextTitle({ kind, message }, me) {
  if (kind === 'edit') return 'Editing';
  if (message.senderId === me) return 'Reply to yourself';
  return `Reply to ${nameOf(message.senderId)}`;
}

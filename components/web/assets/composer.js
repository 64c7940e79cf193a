// Where messages are written, and written anew.

import { byId, setHidden, setText } from './dom.js';
import { nameOf } from './selectors.js';

const sizesItself = CSS.supports('field-sizing', 'content');
/** With a keyboard on the screen, Enter begins a new line; the button sends. */
const isTouched = matchMedia('(pointer: coarse)');

export function createComposer({ api, store, outbox, typing, onSent, onEscape }) {
  const field = byId('message');
  /** By conversation: what was left unsent, and to which message it replies or which it changes. */
  const drafts = new Map();
  let open;

  const draft = () => drafts.get(open) ?? { text: '', context: undefined };
  const keep = (change) => drafts.set(open, { ...draft(), ...change });

  function show() {
    const { text, context } = draft();
    field.value = text;
    setHidden(byId('composer-context'), !context);
    setText(byId('context-title'), context ? contextTitle(context, store.get().me) : '');
    setText(byId('context-text'), context?.message.content ?? '');
    fail('');
    fit();
  }

  function fit() {
    byId('send').disabled = !field.value.trim();
    if (sizesItself) return;
    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight}px`;
  }

  const fail = (text) => setText(byId('composer-error'), text);

  function begin(context, text) {
    keep({ context, text });
    show();
    field.focus();
    field.setSelectionRange(text.length, text.length);
  }

  const cancel = () => begin(undefined, draft().context?.kind === 'edit' ? '' : field.value);

  async function submit() {
    const text = field.value.trim();
    if (!text) return;
    const { context } = draft();
    typing.stop();
    if (context?.kind === 'edit') return change(context.message, text);
    drafts.delete(open);
    show();
    onSent();
    outbox.send(open, text, context?.message.id);
  }

  async function change(message, text) {
    const conversation = open;
    try {
      const edited = await api.edit(message.id, text);
      store.dispatch({ type: 'message-edited', conversationId: conversation, message: edited });
      drafts.delete(conversation);
      if (open === conversation) show();
    } catch (error) {
      if (open === conversation) fail(`Not changed. ${error.reason}`);
    }
  }

  field.addEventListener('input', () => {
    keep({ text: field.value });
    fit();
    if (field.value.trim()) typing.typed(open);
    else typing.stop();
  });
  field.addEventListener('blur', () => typing.stop());
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey && !isTouched.matches) {
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
    reply: (message) => begin({ kind: 'reply', message }, draft().context?.kind === 'edit' ? '' : field.value),
    edit: (message) => begin({ kind: 'edit', message }, message.content),
    focus: () => field.focus(),
    render(state) {
      setHidden(byId('composer'), !state.open || state.threads.get(state.open)?.status === 'gone');
      if (state.open === open) return;
      typing.stop();
      open = state.open;
      show();
    },
  };
}

function contextTitle({ kind, message }, me) {
  if (kind === 'edit') return 'Editing';
  if (message.senderId === me) return 'Reply to yourself';
  return `Reply to ${nameOf(message.senderId)}`;
}

// The dialogs of conversations and messages.

import { dialogOf } from './dialog.js';
import { byId, setText } from './dom.js';
import { parseId } from './session.js';

/**
 * @import { Conversation, Message } from '../types/service.d.ts'
 * @import { Api } from './api.js'
 */

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
  byId('new-conversation').onclick = () => open();
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

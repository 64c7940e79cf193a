// What is being written, by conversation: a new message, a reply, or an edit. No DOM.

/**
 * @import { Message } from '../types/service.d.ts'
 */

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {Message} [replyTo]
 * @property {Message} [edited] the message that the text is to replace
 * @property {Draft} [suspended] the unsent draft that continues after the edit
 */

/** @type {Draft} */
const EMPTY = { text: '' };

export function createDrafts() {
  /** @type {Map<number | undefined, Draft>} */
  const drafts = new Map();
  /** @param {number | undefined} conversation */
  const get = (conversation) => drafts.get(conversation) ?? EMPTY;

  /**
   * The draft apart from an edit.
   *
   * @param {number | undefined} conversation
   */
  function unsent(conversation) {
    const draft = get(conversation);
    return draft.edited ? (draft.suspended ?? EMPTY) : draft;
  }

  return {
    get,
    /** Whether anything was written that is not sent. */
    hasAny: () => [...drafts.values()].some(hasText),
    /**
     * @param {number | undefined} conversation
     * @param {string} text
     */
    setText: (conversation, text) => drafts.set(conversation, { ...get(conversation), text }),
    /**
     * @param {number | undefined} conversation
     * @param {Message} replyTo
     */
    reply: (conversation, replyTo) => drafts.set(conversation, { text: unsent(conversation).text, replyTo }),
    /**
     * @param {number | undefined} conversation
     * @param {Message} edited
     */
    edit: (conversation, edited) =>
      drafts.set(conversation, { text: edited.content ?? '', edited, suspended: unsent(conversation) }),
    /**
     * Ends an edit, or makes a reply a new message.
     *
     * @param {number | undefined} conversation
     */
    cancel(conversation) {
      const draft = get(conversation);
      drafts.set(conversation, draft.edited ? unsent(conversation) : { text: draft.text });
    },
    /** @param {number | undefined} conversation */
    clear: (conversation) => drafts.delete(conversation),
    /**
     * Ends an edit that was saved, unless it was changed since.
     *
     * @param {number | undefined} conversation
     * @param {Draft} saved
     */
    finishEdit(conversation, saved) {
      if (get(conversation) === saved) drafts.set(conversation, saved.suspended ?? EMPTY);
    },
  };
}

/**
 * Whether there is more in a draft than the text that it would edit.
 *
 * @param {Draft} draft
 * @returns {boolean}
 */
function hasText({ text, edited, suspended }) {
  return (text.trim() !== '' && text !== edited?.content) || (suspended !== undefined && hasText(suspended));
}

// The search in the state, and how each event changes it: no DOM, no clock, no network.

import { set } from './maps.js';

/**
 * @import { Message } from '../types/service.d.ts'
 * @import { Handlers, Search, State } from '../types/state.d.ts'
 */

/** @type {Search} */
export const noSearch = {
  query: { text: '', sort: 'relevance', scope: undefined },
  status: 'idle',
  reason: '',
  results: [],
  next: null,
  conversations: new Map(),
};

/**
 * @param {State} state
 * @param {Partial<Search>} change
 * @returns {State}
 */
const withSearch = (state, change) => ({ ...state, search: { ...state.search, ...change } });

/** @type {Handlers} */
export const searchHandlers = {
  /** The results of the query before are shown until there are new ones. */
  'search-changed': (state, { query }) =>
    query.text.trim()
      ? withSearch(state, { query, status: 'loading' })
      : { ...state, search: { ...noSearch, query } },
  'search-loading': (state) => withSearch(state, { status: 'loading', reason: '' }),
  'search-loaded': (state, { results, next }) => withSearch(state, { status: 'ready', reason: '', results, next }),
  'search-extended': (state, { results, next }) => {
    const known = new Set(state.search.results.map(({ message }) => message.id));
    const added = results.filter(({ message }) => !known.has(message.id));
    return withSearch(state, { status: 'ready', reason: '', results: [...state.search.results, ...added], next });
  },
  /** Results of another query do not stay, results of the pages before do. */
  'search-failed': (state, { reason, isFirst, isRefused }) => {
    const status = isRefused ? 'refused' : 'failed';
    return withSearch(state, { status, reason, ...(isFirst && { results: [], next: null }) });
  },
  'search-conversation-loaded': (state, { conversation }) =>
    withSearch(state, { conversations: set(state.search.conversations, conversation.id, conversation) }),
};

/**
 * The state without what the results show of a message that was changed or deleted since.
 *
 * @param {State} state
 * @param {Message} message
 * @returns {State}
 */
export function withFoundMessage(state, message) {
  const { results } = state.search;
  const found = results.find((result) => result.message.id === message.id);
  if (!found || (found.message.content === message.content && !message.deletedAt)) return state;
  const changed = results.flatMap((result) => {
    if (result !== found) return [result];
    return message.deletedAt ? [] : [{ message, highlights: [] }];
  });
  return withSearch(state, { results: changed });
}

/**
 * The state without results of a conversation that the user has left.
 *
 * @param {State} state
 * @param {number} conversationId
 */
export function withoutFoundIn(state, conversationId) {
  const results = state.search.results.filter(({ message }) => message.conversationId !== conversationId);
  return withSearch(state, { results });
}

// Searches messages as the user types. An answer counts only if nothing newer was asked for since.

import { ApiError, reasonOf } from './http.js';

/**
 * @import { SearchPage } from '../types/service.d.ts'
 * @import { SearchQuery, Store } from '../types/state.d.ts'
 * @import { Api } from './api.js'
 */

/** How long the user has to pause. */
const DEBOUNCE_MS = 250;
/** A page may have no results though more follow; so many pages are asked for at a time. */
const PAGES = 5;

/** @param {{ api: Pick<Api, 'search' | 'conversation'>, store: Store }} context */
export function createSearch({ api, store }) {
  const { dispatch } = store;
  const search = () => store.get().search;
  /** The number of the newest request. */
  let newest = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {Partial<SearchQuery>} part */
  function change(part) {
    newest++;
    clearTimeout(timer);
    dispatch({ type: 'search-changed', query: { ...search().query, ...part } });
    if (search().status === 'loading') timer = setTimeout(load, 'text' in part ? DEBOUNCE_MS : 0);
  }

  /** @param {string} [cursor] of the next page; without one the results are new ones */
  async function load(cursor) {
    clearTimeout(timer);
    const number = ++newest;
    try {
      const page = await firstWithResults(cursor);
      if (number !== newest) return;
      dispatch({ type: cursor ? 'search-extended' : 'search-loaded', ...page });
      await loadConversations();
    } catch (error) {
      if (number === newest) dispatch({ type: 'search-failed', ...whyNot(error), isFirst: !cursor });
    }
  }

  /**
   * @param {string} [cursor]
   * @returns {Promise<SearchPage>}
   */
  async function firstWithResults(cursor) {
    const { query } = search();
    let page = await api.search(query, cursor);
    for (let pages = 1; !page.results.length && page.next && pages < PAGES; pages++) {
      page = await api.search(query, page.next);
    }
    return page;
  }

  /** The titles of conversations that are not in the loaded part of the list. */
  async function loadConversations() {
    const { conversations } = store.get();
    const ids = new Set(search().results.map(({ message }) => message.conversationId));
    const missing = [...ids].filter((id) => !conversations.has(id) && !search().conversations.has(id));
    const loads = missing.map(async (id) => {
      dispatch({ type: 'search-conversation-loaded', conversation: await api.conversation(id) });
    });
    await Promise.allSettled(loads);
  }

  return {
    change,
    /** Searches now instead of after the pause, or again after a failure. */
    now() {
      if (!search().query.text.trim()) return;
      dispatch({ type: 'search-loading' });
      load();
    },
    /** Loads the next page. */
    more() {
      const { next, status } = search();
      if (!next || status === 'loading') return;
      dispatch({ type: 'search-loading' });
      load(next);
    },
  };
}

/**
 * Why there are no results, and whether the same query would be refused again.
 *
 * @param {unknown} error
 */
function whyNot(error) {
  const fault = error instanceof ApiError ? error.fields.find(({ field }) => field === 'q') : undefined;
  return { reason: fault ? `The search ${fault.message}.` : reasonOf(error), isRefused: fault !== undefined };
}

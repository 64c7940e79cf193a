// The search field, and the results in place of the list of conversations.

import { announce, button, byClass, byId, element, reconcile, rovingTabindex, setHidden, setText } from './dom.js';
import { excerpt } from './excerpt.js';
import { senderName, titleOf } from './selectors.js';
import { briefTime, fullTime } from './time.js';

/**
 * @import { Message, SearchResult } from '../types/service.d.ts'
 * @import { Search, SearchQuery, State } from '../types/state.d.ts'
 * @typedef {{ key: number, result: SearchResult, state: State }} Item
 */

const EVERYWHERE = 'All conversations';

/**
 * @param {{
 *   onChange: (part: Partial<SearchQuery>) => void,
 *   onSubmit: () => void,
 *   onMore: () => void,
 *   onOpen: (message: Message) => void,
 *   onLeave: () => void,
 * }} handlers
 */
export function createSearchView({ onChange, onSubmit, onMore, onOpen, onLeave }) {
  const field = byId('search');
  const scope = byId('search-scope');
  const sort = byId('search-sort');
  const list = byId('results');
  /** The message that was opened last. @type {number | undefined} */
  let opened;
  /** The results that were announced. @type {readonly SearchResult[]} */
  let announced = [];

  const results = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll('.result')]);
  const setTabStop = rovingTabindex(list, '.result', { onEscape: () => field.focus() });
  const more = button('button', 'More results', () => {
    // The button goes away with the last page.
    results().at(-1)?.focus();
    onMore();
  });
  byId('search-more').append(more);

  field.addEventListener('input', () => onChange({ text: field.value }));
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Escape' && (field.value || scope.value)) clear();
    else if (event.key === 'Escape') onLeave();
    else if (event.key === 'ArrowDown' && results().length) (current() ?? results()[0]).focus();
    else return;
    event.preventDefault();
  });
  byId('search-form').onsubmit = (event) => {
    event.preventDefault();
    onSubmit();
  };
  byId('search-clear').onclick = clear;
  scope.onchange = () => onChange({ scope: Number(scope.value) || undefined });
  sort.onchange = () => onChange({ sort: sort.value === 'newest' ? 'newest' : 'relevance' });

  function clear() {
    field.value = '';
    onChange({ text: '', scope: undefined });
    field.focus();
  }

  const current = () => results().find((one) => one.ariaCurrent === 'true');

  /** @param {State} state */
  function render(state) {
    const { search } = state;
    const isActive = search.status !== 'idle';
    if (!isActive) opened = undefined;
    setHidden(byId('list-body'), isActive);
    setHidden(byId('search-body'), !isActive);
    setHidden(byId('search-options'), !isActive && !search.query.scope);
    setHidden(byId('search-clear'), !search.query.text && !search.query.scope);
    renderScope(state);
    sort.value = search.query.sort;
    list.ariaBusy = String(search.status === 'loading');
    const items = search.results.map((result) => ({ key: result.message.id, result, state }));
    reconcile(list, items, {
      create: ({ result }) => create(() => open(result.message)),
      update: (root, item) => update(root, item, item.key === opened),
    });
    setTabStop(current() ?? results()[0]);
    setHidden(more, !search.next || search.status !== 'ready');
    renderNotice(search);
    announceResults(search);
  }

  /** @param {Message} message */
  function open(message) {
    opened = message.id;
    onOpen(message);
  }

  /**
   * The open conversation can be chosen, and the one that was chosen stays.
   *
   * @param {State} state
   */
  function renderScope(state) {
    const { scope: chosen } = state.search.query;
    const ids = [...new Set([state.open, chosen])].filter((id) => id !== undefined);
    const options = ids.flatMap((id) => {
      const conversation = state.conversations.get(id) ?? state.search.conversations.get(id);
      return conversation ? [{ key: id, label: `In ${titleOf(state, conversation)}` }] : [];
    });
    reconcile(scope, [{ key: 0, label: EVERYWHERE }, ...options], {
      create: ({ key }) => element('option', { value: key || '' }),
      update: (option, { label }) => setText(option, label),
    });
    scope.value = chosen ? String(chosen) : '';
  }

  /** @param {Search} search */
  function renderNotice({ status, reason, results: found }) {
    const notice = byId('search-notice');
    const text = noticeOf(status, reason, found.length);
    setHidden(notice, !text);
    if (notice.dataset.text === text) return;
    notice.dataset.text = text;
    notice.replaceChildren(element('p', {}, text));
    if (status === 'failed') notice.append(button('button', 'Try again', onSubmit));
  }

  /** @param {Search} search */
  function announceResults({ status, results: found, next }) {
    if (status !== 'ready' || found === announced) return;
    announced = found;
    const count = found.length === 1 ? '1 message found' : `${found.length} messages found`;
    announce(found.length ? `${count}${next ? ', and there are more' : ''}.` : 'No messages found.');
  }

  return {
    render,
    isActive: () => field.value.trim() !== '',
    /** Moves the focus to the opened result, else to the field. */
    focus() {
      (current() ?? field).focus();
    },
  };
}

/**
 * @param {Search['status']} status
 * @param {string} reason
 * @param {number} count
 */
function noticeOf(status, reason, count) {
  if (status === 'failed' || status === 'refused') return reason;
  if (count) return '';
  return status === 'loading' ? 'Searching…' : 'No messages found.';
}

/** @param {() => void} onOpen */
function create(onOpen) {
  /** @type {(className: string, ...children: Node[]) => HTMLElement} */
  const part = (className, ...children) => element('span', { className }, ...children);
  const line = part('result-line', part('result-title'), element('time', { className: 'result-time' }));
  const entry = button('result', line, onOpen);
  entry.append(part('result-text', part('result-sender'), part('result-excerpt')));
  entry.tabIndex = -1;
  return element('li', {}, entry);
}

/**
 * @param {HTMLElement} root
 * @param {Item} item
 * @param {boolean} isCurrent
 */
function update(root, { result: { message, highlights }, state }, isCurrent) {
  const { conversationId, senderId, createdAt, content } = message;
  const conversation = state.conversations.get(conversationId) ?? state.search.conversations.get(conversationId);
  const time = /** @type {HTMLTimeElement} */ (byClass(root, 'result-time'));
  setText(byClass(root, 'result-title'), conversation ? titleOf(state, conversation) : '…');
  setText(time, briefTime(createdAt));
  time.dateTime = createdAt;
  time.title = fullTime(createdAt);
  setText(byClass(root, 'result-sender'), `${senderId === state.me ? 'You' : senderName(message)}: `);
  byClass(root, 'result').setAttribute('aria-current', String(isCurrent));
  renderExcerpt(byClass(root, 'result-excerpt'), excerpt(content ?? '', highlights));
}

/**
 * @param {HTMLElement} target
 * @param {ReturnType<typeof excerpt>} pieces
 */
function renderExcerpt(target, pieces) {
  const shown = JSON.stringify(pieces);
  if (target.dataset.shown === shown) return;
  target.dataset.shown = shown;
  target.replaceChildren(...pieces.map(({ text, isMatch }) => (isMatch ? element('mark', {}, text) : text)));
}

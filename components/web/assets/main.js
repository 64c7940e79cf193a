// The page at `/`: a chat client on this service's public interface.
//
// - api.js, session.js: requests, and the user's identity
// - feed.js, backoff.js: the event stream and its reconnection
// - store.js, selectors.js: the state, and what is derived from it; no DOM
// - sync.js: loads, and refreshes after missed events
// - outbox.js, presence.js, typing.js, read-receipts.js: what the page reports to the service
// - header.js, list-view.js, thread-head.js, thread-view.js, message-view.js, composer.js, dialogs.js: the views
// - dom.js, time.js: helpers of the views

import { createApi } from './api.js';
import { createComposer } from './composer.js';
import { askForToken, createDeleteDialog, createNewDialog } from './dialogs.js';
import { announce, byId } from './dom.js';
import { openFeed } from './feed.js';
import { createHeader } from './header.js';
import { createListView } from './list-view.js';
import { createOutbox } from './outbox.js';
import { createPresence } from './presence.js';
import { createReadReceipts } from './read-receipts.js';
import { nameOf, titleOf } from './selectors.js';
import { currentSession, signOut } from './session.js';
import { createStore, initialState } from './store.js';
import { createSync } from './sync.js';
import { createThreadView } from './thread-view.js';
import { createTyping } from './typing.js';

const { user, token } = currentSession();
const store = createStore(initialState(user));
const api = createApi({ user, token, onUnauthorized });
const sync = createSync({ api, store });
const outbox = createOutbox({ api, store });
const typing = createTyping({ api });
const touchScreen = matchMedia('(pointer: coarse)');

// Views.

const header = createHeader({ user, token });
const list = createListView({
  onOpen: go,
  onMore: () => store.get().list.next && sync.loadMoreOfList(),
  onRetry: sync.refreshList,
});
const thread = createThreadView({
  actions: {
    onReply: (message) => composer.reply(message),
    onEdit: (message) => composer.edit(message),
    onDelete: (message) => deleteDialog.open(message),
    onQuote: (id) => thread.show(id),
    onRetry: outbox.retry,
    onDiscard: (clientMessageId) => store.dispatch({ type: 'discarded', clientMessageId }),
  },
  onOlder: () => store.get().threads.get(store.get().open)?.prev && sync.loadOlder(store.get().open),
  onScroll: () => readReceipts.check(),
  onRetry: () => sync.openThread(store.get().open),
  onEscape: () => composer.focus(),
});
const composer = createComposer({ api, store, outbox, typing, onSent: thread.toEnd, onEscape: leaveThread });
const readReceipts = createReadReceipts({ api, store, isAtEnd: thread.isAtEnd });
const deleteDialog = createDeleteDialog({ api, onDeleted });
createNewDialog({ api, user, onCreated });

let isRenderDue = false;
store.subscribe(() => {
  if (isRenderDue) return;
  isRenderDue = true;
  queueMicrotask(render);
});

function render() {
  isRenderDue = false;
  const state = store.get();
  byId('app').dataset.pane = state.open ? 'thread' : 'list';
  [header, list, composer, thread].forEach((view) => view.render(state));
  readReceipts.check();
}

// The URL names the open conversation, so that the browser's back button works.

function go(id) {
  location.hash = `/conversations/${id}`;
}

function route() {
  const id = Number(location.hash.match(/^#\/conversations\/(\d+)$/)?.[1]) || undefined;
  store.dispatch({ type: 'opened', conversationId: id });
  if (!id) return;
  sync.openThread(id);
  render();
  // An on-screen keyboard would hide the conversation that was just opened.
  if (touchScreen.matches) byId('thread-title').focus({ preventScroll: true });
  else composer.focus();
}

function leaveThread() {
  if (byId('back').offsetParent) location.hash = '';
  list.focus();
}

function onCreated(conversation) {
  store.dispatch({ type: 'conversation-loaded', conversation });
  go(conversation.id);
}

function onDeleted(message) {
  const tombstone = { ...message, content: null, deletedAt: new Date().toISOString() };
  store.dispatch({ type: 'message-deleted', conversationId: message.conversationId, message: tombstone });
}

// Events.

function onEvent(event) {
  store.dispatch({ ...event, at: Date.now() });
  const { conversations, open } = store.get();
  const isUnknown = event.conversationId && !conversations.has(event.conversationId);
  if (event.type === 'resync') sync.refresh();
  else if (isUnknown && event.type !== 'participant-left') sync.refreshList();
  if (event.type === 'new-message' && event.message.senderId !== user) announceMessage(event, open);
}

function announceMessage({ conversationId, message }, open) {
  const conversation = store.get().conversations.get(conversationId);
  const who = message.senderId ? nameOf(message.senderId) : 'LexiFlow';
  if (conversationId === open) announce(`${who}: ${message.content}`);
  else if (conversation) announce(`New message from ${who} in ${titleOf(store.get(), conversation)}`);
}

const presence = createPresence({ api, user, onHeartbeat: sync.refresh });
const feed = openFeed({
  url: api.feedUrl,
  onEvent,
  onUp() {
    const isFirst = store.get().connection === 'connecting';
    store.dispatch({ type: 'connection', status: 'live' });
    outbox.retryNow();
    sync.refresh();
    if (!isFirst) presence.online();
  },
  onDown() {
    if (store.get().connection === 'live') store.dispatch({ type: 'connection', status: 'reconnecting' });
  },
});

function wake() {
  if (document.visibilityState !== 'visible') return;
  feed.reconnectNow();
  outbox.retryNow();
  sync.refresh();
}

function onUnauthorized() {
  feed.close();
  signOut();
  if (!byId('sign-in-dialog').open) askForToken(token ? 'The token was refused. It may have expired.' : '');
}

document.addEventListener('visibilitychange', wake);
addEventListener('online', wake);
addEventListener('hashchange', route);
addEventListener('pageshow', ({ persisted }) => persisted && wake());
setInterval(() => store.dispatch({ type: 'tick', at: Date.now() }), 1_000);
byId('back').onclick = leaveThread;
document.querySelector('.skip-link').onclick = (event) => {
  event.preventDefault();
  (store.get().open ? byId('message') : byId('new-conversation')).focus();
};

render();
await sync.refreshList();
route();

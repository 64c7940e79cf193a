// The page at `/`: a chat client on this service's public interface.
//
// - api.js, sessions.js, http.js: endpoints and requests
// - sign-in.js, session.js, device.js: signing in, and who the user is
// - account.js, devices.js: signing out, here and elsewhere
// - guard.js, leftovers.js: the end of a session, and what must not outlast it
// - feed.js, source.js, socket.js, backoff.js: the feed, where its events come from, its reconnection
// - store.js, messages.js, maps.js: the state, and how events change it
// - selectors.js: what is derived from the state
// - sync.js, thread-window.js: loads, and refreshes after missed events
// - search.js, search-state.js, excerpt.js: the search and its results
// - outbox.js, presence.js, typing.js, read-receipts.js: what the page reports to the service
// - header.js, list-view.js, search-view.js, thread-head.js, thread-view.js, message-view.js, dialog.js,
//   dialogs.js: the views
// - composer.js, drafts.js: the view for writing, and what is being written
// - dom.js, time.js: helpers of the views

import { createAccount } from './account.js';
import { createApi } from './api.js';
import { createComposer } from './composer.js';
import { createDeleteDialog, createNewDialog } from './dialogs.js';
import { announce, byId, hidePage, showPage } from './dom.js';
import { openFeed } from './feed.js';
import { createGuard } from './guard.js';
import { createHeader } from './header.js';
import { removeLeftovers } from './leftovers.js';
import { createListView } from './list-view.js';
import { createOutbox } from './outbox.js';
import { createPresence } from './presence.js';
import { createReadReceipts } from './read-receipts.js';
import { createSearch } from './search.js';
import { createSearchView } from './search-view.js';
import { openThread, senderName, titleOf } from './selectors.js';
import { parseId } from './session.js';
import { createSessions } from './sessions.js';
import { createSignIn, establishIdentity } from './sign-in.js';
import { createSources } from './source.js';
import { createStore, initialState } from './store.js';
import { createSync } from './sync.js';
import { createThreadView } from './thread-view.js';
import { createTyping } from './typing.js';

/** @import { Conversation, FeedEvent, Message } from '../types/service.d.ts' */

const sessions = createSessions();
const tabs = new BroadcastChannel('lexiflow.session');
const { ask: signIn } = createSignIn({ sessions, tabs });
const identity = await establishIdentity({ sessions, signIn });
const { user } = identity;
const guard = createGuard({ identity, sessions, tabs, signIn, onLock, onUnlock, leave: () => location.replace('/') });
const { isOpen } = guard;
const store = createStore(initialState(user));
const api = createApi({ user, isOpen, onUnauthorized: guard.expire });
const sync = createSync({ api, store });
const outbox = createOutbox({ api, store, isOpen });
const search = createSearch({ api, store });
const typing = createTyping({ api });
const touchScreen = matchMedia('(pointer: coarse)');

// Views.

const header = createHeader({
  identity,
  actions: { onDevices: () => account.openDevices(), onSignOut: () => account.signOut() },
});
const list = createListView({
  onOpen: go,
  onMore() {
    if (store.get().list.next) sync.loadMoreOfList();
  },
  onRetry: sync.refreshList,
});
const searchView = createSearchView({
  onChange: search.change,
  onSubmit: search.now,
  onMore: search.more,
  onOpen: ({ conversationId, id }) => go(conversationId, id),
  onLeave: list.focus,
});
const thread = createThreadView({
  actions: {
    onReply: (message) => composer.reply(message),
    onEdit: (message) => composer.edit(message),
    onDelete: (message) => deleteDialog.open(message),
    onQuote(id) {
      const { open } = store.get();
      if (open) openAt(open, id);
    },
    onRetry: outbox.retry,
    onDiscard: (clientMessageId) => store.dispatch({ type: 'discarded', clientMessageId }),
  },
  onOlder() {
    const { open } = store.get();
    if (open && openThread(store.get())?.prev) sync.loadOlder(open);
  },
  onLater() {
    const { open } = store.get();
    if (open) sync.loadLater(open);
  },
  onNewest: toNewest,
  onScroll: () => readReceipts.check(),
  onRetry() {
    const { open } = store.get();
    if (open) sync.openThread(open);
  },
  onEscape: () => composer.focus(),
});
const composer = createComposer({ api, store, outbox, typing, onSent, onEscape: leaveThread });
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
  if (!isOpen()) return;
  const state = store.get();
  byId('app').dataset.pane = state.open ? 'thread' : 'list';
  for (const view of [header, list, searchView, composer, thread]) view.render(state);
  readReceipts.check();
}

// The URL names the open conversation, and a message in it to go to, so that the browser's back button works.

/**
 * @param {number} id
 * @param {number} [messageId]
 */
function go(id, messageId) {
  const hash = `#/conversations/${id}${messageId ? `/messages/${messageId}` : ''}`;
  if (location.hash === hash) route();
  else location.hash = hash;
}

function route() {
  const path = location.hash.match(/^#\/conversations\/(\d+)(?:\/messages\/(\d+))?$/);
  const [, conversation = '', message = ''] = path ?? [];
  const [id, messageId] = [parseId(conversation), parseId(message)];
  store.dispatch({ type: 'opened', conversationId: id, messageId });
  if (!id) return;
  if (messageId) openAt(id, messageId);
  else sync.openThread(id);
  render();
  // A message that is gone to gets the focus. An on-screen keyboard would hide what was just opened.
  if (byId('log').contains(document.activeElement)) return;
  if (messageId || touchScreen.matches) byId('thread-title').focus({ preventScroll: true });
  else composer.focus();
}

/**
 * @param {number} id
 * @param {number} messageId
 */
async function openAt(id, messageId) {
  thread.show(id, messageId);
  await sync.openAt(id, messageId);
  render();
  thread.stopLooking(messageId);
}

/** The newest messages in place of those around a message further up. */
async function toNewest() {
  const { open } = store.get();
  if (!open || !openThread(store.get())?.hasLater) return;
  history.replaceState(null, '', `#/conversations/${open}`);
  await sync.toNewest(open);
  render();
}

function onSent() {
  toNewest();
  thread.toEnd();
}

function leaveThread() {
  if (byId('back').offsetParent) location.hash = '';
  if (searchView.isActive()) searchView.focus();
  else list.focus();
}

function searchHere() {
  search.change({ scope: store.get().open });
  if (byId('back').offsetParent) {
    location.hash = '';
    byId('app').dataset.pane = 'list';
  }
  byId('search').focus();
}

/** @param {Conversation} conversation */
function onCreated(conversation) {
  store.dispatch({ type: 'conversation-loaded', conversation });
  go(conversation.id);
}

/** @param {Message} message */
function onDeleted(message) {
  const tombstone = { ...message, content: null, deletedAt: new Date().toISOString() };
  store.dispatch({ type: 'message-deleted', conversationId: message.conversationId, message: tombstone });
}

// Events.

/** @param {FeedEvent} event */
function onEvent(event) {
  store.dispatch(event.type === 'typing-start' ? { ...event, at: Date.now() } : event);
  sync.onEvent(event);
  // An event that is late has the message as it is now, which may be a tombstone.
  if (event.type === 'new-message' && event.message.senderId !== user && !event.message.deletedAt) {
    announceMessage(event.message);
  }
}

/** @param {Message} message */
function announceMessage(message) {
  const state = store.get();
  const conversation = state.conversations.get(message.conversationId);
  const sender = senderName(message);
  if (message.conversationId === state.open) announce(`${sender}: ${message.content}`);
  else if (conversation) announce(`New message from ${sender} in ${titleOf(state, conversation)}`);
}

const presence = createPresence({ api, user, onHeartbeat: sync.refresh });
const account = createAccount({
  sessions,
  guard,
  presence,
  hasUnsent: () => store.get().pending.length > 0 || composer.hasDraft(),
});
const openSource = createSources({
  api,
  // The service marks the page that it sends through a gateway.
  hasGateway: 'gateway' in document.documentElement.dataset,
  verify: guard.verify,
});
const connect = () => openFeed({ open: openSource, onEvent, onUp, onDown });
let feed = connect();

function onUp() {
  const isFirst = store.get().connection === 'connecting';
  store.dispatch({ type: 'connection', status: 'live' });
  outbox.retryNow();
  sync.refresh();
  if (!isFirst) presence.online();
}

function onDown() {
  if (store.get().connection === 'live') store.dispatch({ type: 'connection', status: 'reconnecting' });
}

function wake() {
  if (document.visibilityState !== 'visible' || !isOpen()) return;
  feed.reconnectNow();
  outbox.retryNow();
  sync.refresh();
}

/** Nothing is shown, stored or received while the user is signed out. */
function onLock() {
  feed.close();
  removeLeftovers(sessionStorage);
  hidePage();
}

function onUnlock() {
  showPage();
  render();
  feed = connect();
  outbox.resume();
}

document.addEventListener('visibilitychange', wake);
addEventListener('online', () => {
  // The stream may belong to a network that is gone.
  if (isOpen()) feed.replace();
  wake();
});
addEventListener('hashchange', route);
// A page that the browser keeps for its back button shows nothing before its session was asked for again.
addEventListener('pagehide', () => {
  if (identity.hasSession) hidePage();
});
addEventListener('pageshow', ({ persisted }) => {
  if (persisted && identity.hasSession) location.reload();
  else if (persisted) wake();
});
setInterval(() => store.dispatch({ type: 'tick', at: Date.now() }), 1_000);
byId('back').onclick = leaveThread;
byId('search-here').onclick = searchHere;
document.querySelector('.skip-link')?.addEventListener('click', (event) => {
  event.preventDefault();
  (store.get().open ? byId('message') : byId('new-conversation')).focus();
});

render();
await sync.refreshList();
route();

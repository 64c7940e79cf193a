// The endpoints of the service that the page uses (docs/api.md).

import { createHttp, readJson } from './http.js';

/**
 * @import { Conversation, Message, Receipts, SearchPage } from '../types/service.d.ts'
 * @import { Caller, Query } from './http.js'
 * @import { PendingMessage, SearchQuery } from '../types/state.d.ts'
 * @typedef {ReturnType<typeof createApi>} Api
 */

/**
 * A page of a list, with the links to the pages before and after it.
 *
 * @template T
 * @typedef {{ items: T[], prev: string | undefined, next: string | undefined }} Page
 */

/** How many items a page has, if there are so many. */
export const PAGE_SIZE = 50;

/** @param {Caller & { user: number }} caller */
export function createApi(caller) {
  const { user } = caller;
  const { request, url } = createHttp(caller);

  /** @type {(path: string, query?: Query) => Promise<any>} */
  const get = async (path, query) => readJson(await request('GET', path, { query }));
  /** @type {(path: string, body?: object) => Promise<any>} */
  const post = async (path, body) => readJson(await request('POST', path, { body }));
  /** @type {(path: string, query?: Query) => Promise<Page<any>>} */
  const page = async (path, query) => {
    const response = await request('GET', path, { query });
    const { prev, next } = links(response);
    return { items: await readJson(response), prev, next };
  };

  return {
    /**
     * A page of conversations: the first, or the one of a `next` link.
     * @type {(next?: string) => Promise<Page<Conversation>>}
     */
    conversations: (next) => (next ? page(next) : page('/api/v1/conversations', { limit: PAGE_SIZE })),
    /** @type {(id: number) => Promise<Conversation>} */
    conversation: (id) => get(`/api/v1/conversations/${id}`),
    /** @type {(conversation: { title?: string, participantIds: number[] }) => Promise<Conversation>} */
    createConversation: (conversation) => post('/api/v1/conversations', conversation),

    /**
     * The newest messages, or the page of a `prev` link.
     * @type {(conversationId: number, prev?: string) => Promise<Page<Message>>}
     */
    messages: (conversationId, prev) =>
      prev ? page(prev) : page('/api/v1/messages', { conversationId, limit: PAGE_SIZE }),
    /**
     * The messages just before another one, which need not be loaded.
     * @type {(conversationId: number, before: number) => Promise<Page<Message>>}
     */
    messagesBefore: (conversationId, before) =>
      page('/api/v1/messages', { conversationId, before, limit: PAGE_SIZE }),
    /** @type {(conversationId: number, after: number) => Promise<Page<Message>>} */
    messagesAfter: (conversationId, after) => page('/api/v1/messages', { conversationId, after, limit: PAGE_SIZE }),
    /** @type {(id: number) => Promise<Message>} */
    message: (id) => get(`/api/v1/messages/${id}`),
    /**
     * Idempotent: the service writes one message for each `clientMessageId`.
     * @type {(pending: PendingMessage) => Promise<Message>}
     */
    send: ({ conversationId, content, clientMessageId, replyToId }) =>
      post('/api/v1/messages', { conversationId, senderId: user, content, clientMessageId, replyToId }),
    /** @type {(id: number, content: string) => Promise<Message>} */
    edit: async (id, content) =>
      readJson(await request('PATCH', `/api/v1/messages/${id}`, { body: { content, senderId: user } })),
    /** @type {(id: number) => Promise<unknown>} */
    remove: (id) => request('DELETE', `/api/v1/messages/${id}`),

    /** @type {(query: SearchQuery, cursor?: string) => Promise<SearchPage>} */
    search: ({ text, sort, scope }, cursor) =>
      get('/api/v1/messages/search', { q: text, sort, conversationId: scope, cursor }),

    /** @type {(messageId: number) => Promise<unknown>} */
    read: (messageId) => post(`/api/v1/messages/messages/${messageId}/read`, { userId: user }),
    /** @type {(messageId: number) => Promise<Receipts>} */
    receipts: (messageId) => get(`/api/v1/messages/messages/${messageId}/receipts`),

    /** @type {(conversationId: number) => Promise<{ users: number[] }>} */
    typing: (conversationId) => get(`/api/v1/messages/conversations/${conversationId}/typing`),
    /** @type {(conversationId: number, isTyping: boolean) => Promise<unknown>} */
    setTyping: (conversationId, isTyping) =>
      post(`/api/v1/messages/conversations/${conversationId}/typing`, { userId: user, isTyping }),

    /** @type {() => Promise<unknown>} */
    online: () => post(`/api/v1/messages/users/${user}/online`),
    /**
     * The browser completes this request even while the page is unloaded.
     * @type {() => Promise<unknown>}
     */
    offline: () => request('POST', `/api/v1/messages/users/${user}/offline`, { keepalive: true }),
    /** @type {() => Promise<{ users: number[] }>} */
    onlineUsers: () => get('/api/v1/messages/users/online'),

    /**
     * The URL of the user's event stream that resumes after an event.
     * @type {(lastEventId: string) => string}
     */
    feedUrl: (lastEventId) =>
      url(`/api/v1/messages/users/${user}/events`, { lastEventId: lastEventId || undefined }).href,

    /**
     * The URL of the user's socket.
     * @type {() => string}
     */
    socketUrl() {
      const socket = url(`/api/v1/messages/users/${user}/socket`);
      socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:';
      return socket.href;
    },
  };
}

/**
 * The targets of a `Link` header, by relation.
 *
 * @param {Response} response
 * @returns {{ [relation: string]: string | undefined }}
 */
function links(response) {
  const header = response.headers.get('link') ?? '';
  return Object.fromEntries(Array.from(header.matchAll(/<([^>]+)>;\s*rel="?(\w+)"?/g), ([, url, rel]) => [rel, url]));
}

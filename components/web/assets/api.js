// The service's HTTP interface, as promises.

const REQUEST_TIMEOUT_MS = 15_000;
/** Client errors after which the same request may succeed later. */
const RETRYABLE = new Set([401, 408, 425, 429]);

/** A request that got no response (status 0), or a response that is not a success. */
export class ApiError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem?.detail ?? (status ? `The service answered ${status}.` : 'The service cannot be reached.'));
    this.status = status;
    this.fields = problem?.errors ?? [];
    this.retryAfterMs = Number(retryAfter ?? 0) * 1000;
  }

  /** Whether a retry of the same request would be refused again. */
  get isPermanent() {
    return this.status >= 400 && this.status < 500 && !RETRYABLE.has(this.status);
  }

  /** The reason as shown to the user, with the fault of each invalid field. */
  get reason() {
    const fields = this.fields.map(({ field, message }) => `${field} ${message}`);
    return fields.length ? `${fields.join('; ')}.` : this.message;
  }
}

/**
 * Requests on behalf of a user. Every request names the user in its query: with `auth_mode` open
 * the query is the identity; with jwt it repeats the subject of the token.
 */
export function createApi({ user, token, onUnauthorized }) {
  async function request(method, path, { body, keepalive, ...query } = {}) {
    const response = await send(address(path, query), {
      method,
      keepalive,
      headers: headers(body),
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (response.ok) return response;
    if (response.status === 401) onUnauthorized();
    throw new ApiError(response.status, await problem(response), response.headers.get('retry-after'));
  }

  const get = async (path, query) => (await request('GET', path, query)).json();
  const post = async (path, options) => (await request('POST', path, options)).json();
  const list = async (path, query) => {
    const response = await request('GET', path, query);
    return { items: await response.json(), ...links(response) };
  };

  function address(path, query) {
    const url = new URL(path, location.origin);
    Object.entries({ ...query, userId: user }).forEach(([name, value]) => url.searchParams.set(name, value));
    return url;
  }

  const headers = (body) => ({
    ...(body && { 'content-type': 'application/json' }),
    ...(token && { authorization: `Bearer ${token}` }),
  });

  return {
    /** A page of conversations: the first, or the one of a `next` link. */
    conversations: (next) => (next ? list(next) : list('/api/v1/conversations', { limit: 50 })),
    conversation: (id) => get(`/api/v1/conversations/${id}`),
    createConversation: (body) => post('/api/v1/conversations', { body }),

    /** The newest messages, or the page of a `prev` link. */
    messages: (conversationId, prev) =>
      prev ? list(prev) : list('/api/v1/messages', { conversationId, limit: 50 }),
    message: (id) => get(`/api/v1/messages/${id}`),
    /** Idempotent: the service writes one message for each `clientMessageId`. */
    send: ({ conversationId, content, clientMessageId, replyToId }) =>
      post('/api/v1/messages', { body: { conversationId, senderId: user, content, clientMessageId, replyToId } }),
    edit: async (id, content) =>
      (await request('PATCH', `/api/v1/messages/${id}`, { body: { content, senderId: user } })).json(),
    remove: (id) => request('DELETE', `/api/v1/messages/${id}`),

    read: (id) => post(`/api/v1/messages/messages/${id}/read`, { body: { userId: user } }),
    receipts: (id) => get(`/api/v1/messages/messages/${id}/receipts`),

    typing: (conversationId) => get(`/api/v1/messages/conversations/${conversationId}/typing`),
    setTyping: (conversationId, isTyping) =>
      post(`/api/v1/messages/conversations/${conversationId}/typing`, { body: { userId: user, isTyping } }),

    online: () => post(`/api/v1/messages/users/${user}/online`),
    /** The browser completes this request even while the page is unloaded. */
    offline: () => request('POST', `/api/v1/messages/users/${user}/offline`, { keepalive: true }),
    onlineUsers: () => get('/api/v1/messages/users/online'),

    /** The URL of the event stream. `EventSource` sends no headers, so the token is exchanged for a one-time ticket. */
    async feedUrl(lastEventId) {
      const ticket = token && (await post('/api/v1/messages/stream-tickets')).ticket;
      return address(`/api/v1/messages/users/${user}/events`, {
        ...(lastEventId && { lastEventId }),
        ...(ticket && { ticket }),
      }).href;
    },
  };
}

async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new ApiError(0);
  }
}

async function problem(response) {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

/** The targets of a `Link` header, by relation. */
function links(response) {
  const header = response.headers.get('link') ?? '';
  return Object.fromEntries(Array.from(header.matchAll(/<([^>]+)>;\s*rel="?(\w+)"?/g), ([, url, rel]) => [rel, url]));
}

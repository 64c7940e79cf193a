// Requests to the service: identity, timeout, and errors as `ApiError`.

/**
 * @import { Problem } from '../types/service.d.ts'
 * @typedef {{ [parameter: string]: string | number | undefined }} Query
 * @typedef {{ query?: Query, body?: object, keepalive?: boolean, token?: string }} Options
 * @typedef {{ user?: number, isOpen?: () => boolean, onUnauthorized?: () => void }} Caller
 */

const REQUEST_TIMEOUT_MS = 15_000;
/** Client errors after which the same request may succeed later. */
const RETRYABLE = new Set([401, 408, 425, 429]);

/** A request that got no response (status 0), or a response that is not a success. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Problem} [problem]
   * @param {string | null} [retryAfter] in seconds
   */
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

  /** Whether what was asked for is not there, or not for this user. */
  get isGone() {
    return this.status === 403 || this.status === 404;
  }

  /** The reason as shown to the user, with the fault of each invalid field. */
  get reason() {
    const fields = this.fields.map(({ field, message }) => `${field} ${message}`);
    return fields.length ? `${fields.join('; ')}.` : this.message;
  }
}

/**
 * Requests on behalf of a user. Every request names the user in its query: with `auth_mode` open
 * the query is the identity; with jwt the session's cookie is, and one of another user is refused.
 * While the page is not open (guard.js), no request is sent.
 *
 * @param {Caller} caller
 */
export function createHttp({ user, isOpen = () => true, onUnauthorized = () => {} } = {}) {
  /**
   * @param {string} method
   * @param {string} path
   * @param {Options} [options]
   */
  async function request(method, path, { query, body, keepalive, token } = {}) {
    if (!isOpen()) throw new ApiError(401);
    const response = await send(url(path, query), {
      method,
      keepalive,
      headers: headers(body, token),
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (response.ok) return response;
    if (response.status === 401) onUnauthorized();
    throw new ApiError(response.status, await problemOf(response), response.headers.get('retry-after'));
  }

  /**
   * @param {string} path
   * @param {Query} [query]
   */
  function url(path, query) {
    const result = new URL(path, location.origin);
    for (const [name, value] of Object.entries({ ...query, userId: user })) {
      if (value !== undefined) result.searchParams.set(name, String(value));
    }
    return result;
  }

  /**
   * @param {object} [body]
   * @param {string} [token]
   */
  const headers = (body, token) => ({
    ...(body && { 'content-type': 'application/json' }),
    ...(token && { authorization: `Bearer ${token}` }),
  });

  return { request, url };
}

/**
 * @param {URL} url
 * @param {RequestInit} init
 */
async function send(url, init) {
  try {
    return await fetch(url, init);
  } catch {
    throw new ApiError(0);
  }
}

/**
 * The body of a response. One that breaks off counts as no response.
 *
 * @param {Response} response
 * @returns {Promise<any>}
 */
export async function readJson(response) {
  try {
    return await response.json();
  } catch {
    throw new ApiError(0);
  }
}

/**
 * The reason of any failure, as shown to the user.
 *
 * @param {unknown} error
 */
export function reasonOf(error) {
  if (error instanceof ApiError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {Response} response
 * @returns {Promise<Problem | undefined>}
 */
async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

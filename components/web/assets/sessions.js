// The endpoints of sessions. They need no user: the cookie, or a token, says whose they are.

import { createHttp, readJson } from './http.js';

/**
 * @import { Session } from '../types/service.d.ts'
 * @typedef {ReturnType<typeof createSessions>} Sessions
 */

const PATH = '/api/v1/sessions';

export function createSessions() {
  const { request } = createHttp();
  return {
    /**
     * The sessions of this browser's user. 401 if it has none; with `auth_mode` open none is needed.
     * @type {() => Promise<Session[]>}
     */
    list: async () => readJson(await request('GET', PATH)),
    /**
     * Exchanges a token for a session, whose cookie the browser keeps.
     * @type {(token: string, device: string) => Promise<Session>}
     */
    begin: async (token, device) => readJson(await request('POST', PATH, { body: { device }, token })),
    /** @type {(id: number) => Promise<unknown>} */
    end: (id) => request('DELETE', `${PATH}/${id}`),
    /** Ends all of the user's sessions, this one too. */
    endAll: () => request('DELETE', PATH),
    /** Ends this browser's session, and takes its cookie away. */
    endCurrent: () => request('DELETE', `${PATH}/current`),
  };
}

// Where the feed's events come from: a socket where there is a gateway, else an event stream.

import { SocketSource } from './socket.js';

/**
 * @import { Api } from './api.js'
 * @typedef {EventSource | SocketSource} Source
 */

/** After so many sockets that the gateway did not greet, the next attempt is an event stream. */
const ATTEMPTS = 2;

/**
 * Neither kind of source says why it was refused, so `verify` asks first whether the session is there.
 *
 * @param {{ api: Pick<Api, 'feedUrl' | 'socketUrl'>, hasGateway: boolean, verify: () => Promise<void> }} context
 */
export function createSources({ api, hasGateway, verify }) {
  let refused = 0;
  /** @type {SocketSource | undefined} */
  let last;

  /** @param {string} lastEventId @returns {Promise<Source>} */
  return async function open(lastEventId) {
    refused = last && !last.isGreeted ? refused + 1 : 0;
    last = undefined;
    await verify();
    if (!hasGateway || refused >= ATTEMPTS) return new EventSource(api.feedUrl(lastEventId));
    last = new SocketSource(api.socketUrl(), lastEventId);
    return last;
  };
}

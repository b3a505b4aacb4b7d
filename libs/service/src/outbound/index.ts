/** Calls services outside: docs/outside-services.md. */
export type { HttpPeer } from './http-peer.js';
export { HttpPeers } from './http-peers.js';
export { NotSentError } from './not-sent-error.js';

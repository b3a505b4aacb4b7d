import { Socket } from 'node:net';

export interface SocketGuard {
  readonly mayConnect: (host: string) => boolean;
  /** Adds how to do it right. */
  readonly describe: (host: string) => string;
  readonly onRefused?: (host: string) => void;
}

export class ConnectionRefusal extends Error {
  override readonly name = 'ConnectionRefusal';
  readonly code = 'ECONNREFUSED';
}

const admitted = new WeakSet<Socket>();

/** Lets one socket connect to a host to which the rest of the process may not. */
export function admit(socket: Socket): Socket {
  admitted.add(socket);
  return socket;
}

/**
 * Refuses the TCP connections of the process to hosts that it may not reach, whichever library opens them. It does not
 * see threads, child processes and UDP: those are left to the network. @returns a function that removes it
 */
export function installSocketGuard({ mayConnect, describe, onRefused = () => {} }: SocketGuard): () => void {
  const prototype = Socket.prototype as { connect: Connect };
  const original = prototype.connect;
  const guarded: Connect = function (...args) {
    const host = readHost(args);
    if (host === undefined || admitted.has(this) || mayConnect(host)) return original.apply(this, args);
    onRefused(host);
    return this.destroy(new ConnectionRefusal(describe(host)));
  };
  prototype.connect = guarded;
  return () => {
    if (prototype.connect === guarded) prototype.connect = original;
  };
}

type Connect = (this: Socket, ...args: unknown[]) => Socket;

/** @returns undefined for a path, such as the socket of a Docker engine */
function readHost(args: unknown[]): string | undefined {
  // `net.connect` passes its own arguments as one list.
  const [first, second] = (Array.isArray(args[0]) ? args[0] : args) as unknown[];
  if (typeof first === 'object' && first !== null) {
    const { path, host } = first as { path?: unknown; host?: unknown };
    return typeof path === 'string' ? undefined : typeof host === 'string' && host !== '' ? host : 'localhost';
  }
  if (typeof first === 'string' && !/^\d+$/.test(first)) return undefined;
  return typeof second === 'string' ? second : 'localhost';
}

import { request, setGlobalProxyFromEnv } from 'node:http';
import type { Socket } from 'node:net';

/** Node would ask the proxy for the process's own probes too. */
const HERE = 'localhost,127.0.0.1,::1';

/**
 * `fetch` and the default agents of node:http and node:https, which most libraries use, go through the proxy.
 * @returns a function that undoes it
 */
export function useProxyByDefault(proxy: string | undefined): () => void {
  if (proxy === undefined) return () => {};
  return setGlobalProxyFromEnv({ http_proxy: proxy, https_proxy: proxy, no_proxy: HERE });
}

/** A connection to the host, by CONNECT. @throws with the code EPROXY if the proxy refuses it */
export function connectThrough(
  proxy: string,
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const options = { method: 'CONNECT', path: authority, headers: { host: authority }, agent: false, signal };
    const asked = request(proxy, options);
    asked.once('error', reject);
    asked.once('connect', ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(Object.assign(new Error(`${host}: the proxy responded with ${statusCode}`), { code: 'EPROXY' }));
    });
    asked.end();
  });
}

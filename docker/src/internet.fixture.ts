import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '@airlock/config/testing';
import { run, waitFor } from './engine.fixture.js';

const IMAGE = 'node:24.21.0-trixie-slim';
const PORT = 7777;

/** Prints the first bytes of each connection, and each datagram. */
const LISTENER = `
const say = (bytes) => console.log(String(bytes).split('\\r\\n')[0]);
require('node:net').createServer((socket) => socket.on('error', () => {}).once('data', (bytes) => {
  say(bytes);
  socket.end('HTTP/1.1 200 OK\\r\\ncontent-length: 7\\r\\nconnection: close\\r\\n\\r\\narrived');
})).listen(${PORT});
require('node:dgram').createSocket('udp4').on('message', say).bind(${PORT}, () => console.log('listening'));`;

/** Each way past the guard of a process: native code can do no more than a child process. */
const SENDS = `
const [, ADDRESSES, PORT] = process.argv;
const send = (name) => \`
const wait = (socket, done) => { socket.on('error', done); socket.setTimeout(1500, () => { socket.destroy(); done(); }); };
for (const host of '\${ADDRESSES}'.split(',')) {
  const socket = require('node:net').connect({ host, port: \${PORT} }, () => socket.end('\${name} socket ' + host + '\\\\r\\\\n'));
  wait(socket, () => {});
  const datagram = require('node:dgram').createSocket('udp4').on('error', () => {});
  datagram.send('\${name} datagram ' + host, \${PORT}, host, () => datagram.close());
}\`;
new Function('require', send('process'))(require);
new (require('node:worker_threads').Worker)(send('thread'), { eval: true });
require('node:child_process').spawn(process.execPath, ['-e', send('child')], { stdio: 'inherit' });`;

export const WAYS = ['process', 'thread', 'child'].flatMap((who) => [`${who} socket`, `${who} datagram`]);

/** A server outside: in another network, and published on every address of this machine. */
export class Internet {
  readonly #name: string;
  #port = '';

  constructor(run: string) {
    this.#name = `${run}-internet`;
  }

  async start(): Promise<void> {
    const port = String(await findFreePort());
    this.#port = port;
    run('docker', ['network', 'create', this.#name]);
    const ports = [`--publish=${port}:${PORT}`, `--publish=${port}:${PORT}/udp`];
    run('docker', [
      'run',
      '--detach',
      '--name',
      this.#name,
      '--network',
      this.#name,
      ...ports,
      IMAGE,
      'node',
      '-e',
      LISTENER,
    ]);
    await waitFor('the server outside', () => Promise.resolve(this.arrived().includes('listening') || undefined));
  }

  /** An address of this machine, which every network with a way out reaches. */
  get address(): string {
    return run('docker', ['network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}']);
  }

  get url(): string {
    return `http://${this.address}:${this.#port}`;
  }

  arrived(): string[] {
    return run('docker', ['logs', this.#name]).split('\n');
  }

  /** Sends in each way from inside a container to each address. @returns the ways that arrived */
  async plant(container: string, addresses = [this.address]): Promise<string[]> {
    const before = this.arrived().length;
    run('docker', ['exec', container, 'node', '-e', SENDS, addresses.join(','), this.#port]);
    await sleep(500);
    return [...new Set(this.arrived().slice(before))].sort();
  }

  /** The response of the server to a library that uses the proxy, inside a container. */
  fetchThrough(proxy: string, container: string, url = this.url): string {
    const script = `fetch('${url}').then(async (r) => console.log(r.status, await r.text()), (e) => console.log(e.message))`;
    const settings = ['--env=NODE_USE_ENV_PROXY=1', `--env=HTTP_PROXY=${proxy}`];
    return run('docker', ['exec', ...settings, container, 'node', '-e', script]).trim();
  }

  /** Its own address, and those of the host in the networks of a container. */
  addressesFor(container: string): string[] {
    const own = run('docker', [
      'inspect',
      this.#name,
      '--format',
      '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}',
    ]);
    const gateways = run('docker', [
      'inspect',
      container,
      '--format',
      '{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}',
    ]);
    const nexts = `${own} ${gateways} ${this.address}`.split(/\s+/).filter((text) => text !== '');
    return [...new Set(nexts)];
  }

  stop(): void {
    run('docker', ['rm', '--force', this.#name]);
    run('docker', ['network', 'rm', '--force', this.#name]);
  }
}

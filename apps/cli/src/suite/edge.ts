import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { describe } from '@jest/globals';
import { skipUnless } from '@airlock/config/testing';
import { execute } from '@airlock/deploy/testing';
import { readRun, WORKSPACE } from './run.js';

/** For tests that need the real Traefik. The summary of the run reports when it is missing. */
export const describeEdge = skipUnless(readRun().edge !== undefined, describe, 'no image of Traefik');

export const PREVIEW_DOMAIN = 'preview.localhost';

export interface EdgeCertificate {
  /** The certificate for clients to trust, and the variables that make a command trust it. */
  readonly pem: string;
  readonly env: Readonly<Record<string, string>>;
  /** The variables of docker/traefik/edge.yml and of the suites' overlays. */
  readonly variables: Readonly<Record<string, string>>;
}

/** docker/traefik/tls.yml with a certificate, because no public authority signs one for this machine. */
export async function createEdgeCertificate(): Promise<EdgeCertificate> {
  const folder = await mkdtemp(join(readRun().folder, 'edge-'));
  const [key, path, tls] = ['edge.key', 'edge.pem', 'tls.yml'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const names = ['-subj', '/CN=localhost', '-addext', `subjectAltName=DNS:localhost,DNS:*.${PREVIEW_DOMAIN}`];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const { status, stderr } = await execute('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', path]);
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
  const indent = (text: string) => text.trim().replace(/^/gm, '        ');
  const pem = await readFile(path, 'utf8');
  const pair = [`    - certFile: |\n${indent(pem)}`, `      keyFile: |\n${indent(await readFile(key, 'utf8'))}`];
  const options = await readFile(join(WORKSPACE, 'docker/traefik/tls.yml'), 'utf8');
  await writeFile(tls, [options.trimEnd(), '  certificates:', ...pair, ''].join('\n'));
  const { gid } = await stat('/var/run/docker.sock');
  const { edge } = readRun();
  const variables = { ...edge, SUITE_TLS: tls, DOCKER_GID: String(gid), ACME_EMAIL: 'operations@example.com' };
  return { pem, env: { NODE_EXTRA_CA_CERTS: path }, variables };
}

export interface EdgeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends one request to an edge on this machine, on its own connection. */
export function askEdge(edge: { port: number; ca: string }, path: string, host = 'localhost'): Promise<EdgeResponse> {
  const options = { host: '127.0.0.1', port: edge.port, ca: edge.ca, servername: host, path, agent: false };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, headers: { host } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.once('error', reject).end();
  });
}

/** Below the 250 requests in progress that Traefik accepts on one connection. */
const FLOOD = 200;
const FLOOD_LIMIT_MS = 60_000;

/**
 * Sends requests on one connection, {@link FLOOD} at a time, until one is refused with 429, and returns every status.
 * One connection, because a busy machine opens fewer than the limit's requests a second.
 */
export async function floodEdge(edge: { port: number; ca: string }, path: string): Promise<number[]> {
  const session = connectHttp2(`https://localhost:${edge.port}`, { ca: edge.ca });
  const statuses: number[] = [];
  const deadline = performance.now() + FLOOD_LIMIT_MS;
  const client = async () => {
    while (!statuses.includes(429) && performance.now() < deadline) statuses.push(await askStream(session, path));
  };
  try {
    await Promise.all(Array.from({ length: FLOOD }, client));
  } finally {
    session.destroy();
  }
  return statuses;
}

function askStream(session: ClientHttp2Session, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    let status = 0;
    stream.once('response', (headers) => (status = headers[':status'] ?? 0));
    stream.once('error', reject).once('end', () => resolve(status));
    stream.resume();
  });
}

/** The protocol that the edge accepts, or its TLS alert. */
export function shakeHands(
  edge: { port: number; ca: string },
  servername: string,
  maxVersion: SecureVersion,
): Promise<string> {
  // Node itself refuses the old versions at its default security level.
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const options = { host: '127.0.0.1', port: edge.port, ca: edge.ca, servername, maxVersion, ...old };
  return new Promise((resolve) => {
    const socket = connect(options, () => {
      resolve(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { attempt, run, workspace } from './engine.fixture.js';

const KEYS = ['TRAEFIK_IMAGE', 'SOCKET_PROXY_IMAGE'] as const;

/** The images of the edge that docker/pin-images names, if this engine has them or can pull them. */
export function findEdgeImages(): Readonly<Record<string, string>> | undefined {
  const names = readFileSync(join(workspace, 'docker/pin-images'), 'utf8');
  const images = KEYS.map((key) => [key, new RegExp(`^ *${key}=(\\S+)$`, 'm').exec(names)?.[1] ?? ''] as const);
  const has = (image: string) =>
    [
      ['image', 'inspect'],
      ['pull', '--quiet'],
    ].some((words) => attempt('docker', [...words, image], '/').status === 0);
  return images.every(([, image]) => has(image)) ? Object.fromEntries(images) : undefined;
}

/** Prepares the edge of a checkout for tests: free ports and a self-signed certificate. */
export function prepareEdge(folder: string, host: string): { ca: string } {
  const edge = join(folder, 'docker/traefik/edge.yml');
  const ports = "ports: ['80:80', '443:443']";
  const text = readFileSync(edge, 'utf8');
  if (!text.includes(ports)) throw new Error(`${edge} has no ${ports}`);
  writeFileSync(edge, text.replace(ports, "ports: ['127.0.0.1::80', '127.0.0.1::443']"));
  const [key, certificate] = ['edge.key', 'edge.pem'].map((name) => join(folder, '..', name)) as [string, string];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  run('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', certificate]);
  const indent = (file: string) => readFileSync(file, 'utf8').trim().replace(/^/gm, '        ');
  const pair = `    - certFile: |\n${indent(certificate)}\n      keyFile: |\n${indent(key)}\n`;
  const tls = join(folder, 'docker/traefik/tls.yml');
  writeFileSync(tls, `${readFileSync(tls, 'utf8').trimEnd()}\n  certificates:\n${pair}`);
  return { ca: readFileSync(certificate, 'utf8') };
}

export const socketGroup = (): string => String(statSync('/var/run/docker.sock').gid);

/** Sends one request with a host name to the edge at `address`. */
export function askEdge(
  { address, host, ca }: { address: string; host: string; ca: string },
  path: string,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const { hostname, port } = new URL(`https://${address}`);
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port, path, ca, servername: host, headers: { host }, agent: false };
    const sent = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.once('error', reject).end();
  });
}

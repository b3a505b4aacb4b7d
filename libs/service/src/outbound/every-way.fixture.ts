/** Every way in which code of a product could try to reach a host outside, with the mail server of production. */
import { connect } from 'node:net';
import { type Config, type Environment, Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { goodEnvironments } from '@airlock/config/testing';
import { createTransport } from 'nodemailer';
import { Agent, fetch as undiciFetch } from 'undici';
import { html } from '../mail/html.js';
import type { Mailer } from '../mail/mailer.js';
import { MAIL_HOST, OUTSIDE } from '../testing/outside.fixture.js';
import type { HttpPeers } from './http-peers.js';

export interface PlantedPorts {
  readonly http: number;
  readonly mail: number;
  readonly raw: number;
}

export interface PlantedProcess {
  readonly environment: Environment;
  readonly ports: PlantedPorts;
  /** OUTBOUND_HOSTS. */
  readonly hosts?: string;
  /** OUTBOUND_PROXY. */
  readonly proxy?: string | undefined;
}

/** Tries each way once. @returns the outcomes */
export async function tryEveryWay(peers: HttpPeers, mailer: Mailer, { http, mail, raw }: PlantedPorts) {
  const url = `http://${OUTSIDE}:${http}`;
  const content = { name: 'planted', subject: 'mailer', text: 'mailer', html: html`<p>mailer</p>` };
  const post = { method: 'POST', body: '' };
  const library = { host: MAIL_HOST, port: mail, requireTLS: true };
  return {
    mailer: await outcomeOf(mailer.deliver({ key: '1', to: 'ada@example.com', mail: content })),
    nodemailer: await outcomeOf(
      createTransport(library).sendMail({ from: 'a@b.test', to: 'ada@example.com', subject: 'nodemailer' }),
    ),
    peer: await outcomeOf(peers.to({ name: 'shop', address: () => url }).fetch('/peer', post)),
    own: await outcomeOf(peers.toOwn({ name: 'shop', url }).fetch('/own', post)),
    fetch: await outcomeOf(fetch(`${url}/fetch`, post)),
    undici: await outcomeOf(undiciFetch(`${url}/undici`, { ...post, dispatcher: new Agent() })),
    socket: await outcomeOf(writeRaw(raw)),
  };
}

/** Valid, with the mail server of production, as if every rule about it had failed. */
export function createPlantedConfig({ environment, ports, hosts, proxy }: PlantedProcess): Config {
  const config = loadConfig({
    env: {
      ...goodEnvironments[environment],
      ...{ OUTBOUND_HOSTS: hosts, OUTBOUND_PROXY: proxy, LOG_FORMAT: 'json', LOG_LEVEL: 'info' },
    },
    cwd: '/',
  });
  const server = { host: MAIL_HOST, port: ports.mail, user: '', password: new Secret(''), isCatcher: false };
  return {
    ...config,
    service: { ...config.service, workers: 1, port: 0, managementPort: 0 },
    auth: { ...config.auth, issuer: 'https://id.corp.net', jwksUrl: 'https://id.corp.net/keys.json' },
    mail: { server: { ...server, tls: 'starttls' }, from: 'no-reply@example.org' },
  };
}

function outcomeOf(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    (value) => (typeof value === 'string' ? value : 'sent'),
    (error: Error) => {
      const { name } = error.cause instanceof Error ? error.cause : error;
      return name;
    },
  );
}

function writeRaw(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, OUTSIDE, () => socket.end('socket', resolve));
    socket.once('error', reject);
  });
}

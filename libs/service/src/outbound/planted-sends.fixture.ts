/** A process of an environment that tries to reach a host outside in every way. Prints the outcome of each. */
import { connect } from 'node:net';
import { type Environment, Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { goodEnvironments } from '@airlock/config/testing';
import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { Agent, fetch as undiciFetch } from 'undici';
import { serve } from '../lifecycle/serve-app.js';
import { html } from '../mail/html.js';
import { MailModule } from '../mail/mail.module.js';
import { Mailer } from '../mail/mailer.js';
import { MAIL_HOST, OUTSIDE } from '../testing/outside.fixture.js';
import { HttpPeers } from './http-peers.js';

const [environment = '', http = '', mail = '', raw = '', hosts] = process.argv.slice(2);
const url = `http://${OUTSIDE}:${http}`;
const content = { name: 'planted', subject: 'mailer', text: 'mailer', html: html`<p>mailer</p>` };

@Injectable()
class Planted implements OnApplicationBootstrap {
  constructor(
    private readonly peers: HttpPeers,
    private readonly mailer: Mailer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const post = { method: 'POST', body: '' };
    const library = { host: MAIL_HOST, port: Number(mail), requireTLS: true };
    const outcomes = {
      mailer: await outcomeOf(this.mailer.deliver({ key: '1', to: 'ada@example.com', mail: content })),
      nodemailer: await outcomeOf(
        createTransport(library).sendMail({ from: 'a@b.test', to: 'ada@example.com', subject: 'nodemailer' }),
      ),
      peer: await outcomeOf(this.peers.to({ name: 'shop', address: () => url }).fetch('/peer', post)),
      own: await outcomeOf(this.peers.toOwn({ name: 'shop', url }).fetch('/own', post)),
      fetch: await outcomeOf(fetch(`${url}/fetch`, post)),
      undici: await outcomeOf(undiciFetch(`${url}/undici`, { ...post, dispatcher: new Agent() })),
      socket: await outcomeOf(writeRaw(Number(raw))),
    };
    process.stdout.write(`\n${JSON.stringify({ outcomes })}\n`, () => process.exit(0));
  }
}

@Module({ imports: [MailModule], providers: [Planted] })
class PlantedModule {}

/** Valid, with the mail server of production, as if every rule about it had failed. */
const config = loadConfig({
  env: {
    ...goodEnvironments[environment as Environment],
    OUTBOUND_HOSTS: hosts,
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'info',
  },
  cwd: '/',
});
const server = { host: MAIL_HOST, port: Number(mail), user: '', password: new Secret(''), isCatcher: false };
await serve(
  {
    ...config,
    service: { ...config.service, workers: 1, port: 0, managementPort: 0 },
    auth: { ...config.auth, issuer: 'https://id.corp.net', jwksUrl: 'https://id.corp.net/keys.json' },
    mail: { server: { ...server, tls: 'starttls' }, from: 'no-reply@example.org' },
  },
  {
    version: '0.0.0',
    definition: {
      title: 'Planted',
      prefix: 'api/v1',
      module: PlantedModule,
      checkSchema: () => Promise.resolve(undefined) as never,
      loadEntities: () => Promise.resolve([]),
      constraints: [],
      cachedTables: [],
      jobs: [],
      jobModules: [],
    },
  },
);

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

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '@airlock/config';
// @ts-expect-error -- the package has no types
import { Provider as OidcProvider } from 'oidc-provider';

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface Interaction {
  readonly prompt: { readonly name: string };
  readonly params: { readonly scope: string };
  readonly session?: { readonly accountId: string };
}

interface Oidc {
  readonly Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
  callback(): Handler;
  interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
  interactionFinished(
    request: IncomingMessage,
    response: ServerResponse,
    result: object,
    options: object,
  ): Promise<void>;
}

export interface TestProviderOptions {
  readonly name: string;
  /** Of the callback that it sends users to. */
  readonly callbackUrl: string;
  readonly accessTokenSeconds?: number;
}

const CLIENT = { clientId: 'airlock', clientSecret: 'a-secret-of-the-test-provider' };

// The package warns of settings that matter only outside of tests.
for (const level of ['info', 'warn'] as const) {
  const print = console[level].bind(console);
  console[level] = (...words: unknown[]) => {
    if (!String(words[0]).startsWith('oidc-provider ')) print(...words);
  };
}

/** A real provider of OpenID Connect on a free port. It requires PKCE. */
export class TestProvider {
  /** The account with which the next user signs in. */
  account = 'account_1';
  /** Whether a refresh token is accepted once, and the response has the next one. */
  isRotating = true;
  /** Whether the next user refuses. */
  isRefused = false;
  /** Changes an answer before it is sent, or sends another one. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>) | undefined;
  /** The paths of all requests. */
  readonly requests: string[] = [];
  readonly name: string;
  readonly #server: Server;
  #handle: Handler = () => Promise.resolve();
  #oidc!: Oidc;

  static async start(options: TestProviderOptions): Promise<TestProvider> {
    const provider = new TestProvider(options.name);
    provider.#server.listen(0, '127.0.0.1');
    await once(provider.#server, 'listening');
    provider.#open(options);
    return provider;
  }

  private constructor(name: string) {
    this.name = name;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Its entry in the configuration. */
  get config() {
    const { clientId, clientSecret } = CLIENT;
    const scopes = ['openid', 'offline_access'];
    return { name: this.name, issuer: this.issuer, clientId, clientSecret: new Secret(clientSecret), scopes };
  }

  /** A user opens the address in a new browser, signs in and agrees. @returns the address that the user is sent back to */
  async visit(address: string): Promise<string> {
    const cookies = new Map<string, string>();
    for (let url = address; ;) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        cookies.set(name, value);
      }
      const location = response.headers.get('location');
      if (location === null) throw new Error(`${url}: sent status ${response.status}: ${await response.text()}`);
      url = new URL(location, url).href;
      if (!url.startsWith(`${this.issuer}/`)) return url;
    }
  }

  /** Whether it accepts an access token. */
  async accepts(accessToken: string): Promise<boolean> {
    return (await fetch(`${this.issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } })).ok;
  }

  count(path: string): number {
    return this.requests.filter((one) => one === path).length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #open({ callbackUrl, accessTokenSeconds = 3_600 }: TestProviderOptions): void {
    const client = {
      client_id: CLIENT.clientId,
      client_secret: CLIENT.clientSecret,
      redirect_uris: [`${callbackUrl}/callback/${this.name}`],
      grant_types: ['authorization_code', 'refresh_token'],
    };
    // eslint-disable-next-line @typescript-eslint/no-unsafe-call -- as above
    this.#oidc = new OidcProvider(this.issuer, {
      clients: [client],
      cookies: { keys: ['the cookies of a test'] },
      features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
      findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
      interactions: { url: () => '/interaction' },
      pkce: { required: () => true },
      rotateRefreshToken: () => this.isRotating,
      ttl: { AccessToken: accessTokenSeconds },
    }) as Oidc;
    this.#handle = this.#oidc.callback();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(/\?.*/, '');
    this.requests.push(path);
    if (await this.intercept?.(request, response)) return;
    if (path === '/interaction') await this.#interact(request, response);
    else await this.#handle(request, response);
  }

  async #interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params, session } = await this.#oidc.interactionDetails(request, response);
    const finish = (result: object) =>
      this.#oidc.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
    if (this.isRefused) return finish({ error: 'access_denied' });
    if (prompt.name === 'login') return finish({ login: { accountId: this.account } });
    const grant = new this.#oidc.Grant({ accountId: session?.accountId, clientId: CLIENT.clientId });
    grant.addOIDCScope(params.scope);
    return finish({ consent: { grantId: await grant.save() } });
  }
}

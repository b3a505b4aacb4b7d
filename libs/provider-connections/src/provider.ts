import { type Config, type Environment, traitsOf } from '@airlock/config';
import * as openid from 'openid-client';
import { describeProviderError, ProviderError } from './provider-error.js';

/** A request of the client of OpenID Connect. */
export interface ProviderCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  /** Milliseconds since 1970; undefined if the provider does not say. */
  readonly expiresAt?: number | undefined;
}

/** The secrets of one attempt. The provider sees the challenge of the verifier, and repeats the nonce. */
export interface Proof {
  readonly verifier: string;
  readonly nonce: string;
}

type ProviderConfig = Config['connections']['providers'][number];
type Answer = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

const MAX_ACCOUNT_LENGTH = 255;

export interface ProviderOptions {
  readonly environment: Environment;
  /** With limits of time and size. */
  readonly fetch: (url: string, call: ProviderCall) => Promise<Response>;
  /** The address at the callback to which this provider sends users, and no other provider does. */
  readonly redirectUri: string;
}

/** One provider of the configuration. Its metadata are loaded when they are first needed. */
export class Provider {
  readonly name: string;
  readonly #config: ProviderConfig;
  readonly #options: ProviderOptions;
  #client: Promise<openid.Configuration> | undefined;

  constructor(config: ProviderConfig, options: ProviderOptions) {
    this.name = config.name;
    this.#config = config;
    this.#options = options;
  }

  static createProof(): Proof {
    return { verifier: openid.randomPKCECodeVerifier(), nonce: openid.randomNonce() };
  }

  /** @throws ProviderError */
  describeAuthorization(state: string, { verifier, nonce }: Proof): Promise<URL> {
    return this.#ask(async (client) =>
      openid.buildAuthorizationUrl(client, {
        redirect_uri: this.#options.redirectUri,
        scope: this.#config.scopes.join(' '),
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        // Without it, OpenID Connect gives no refresh token (Core, 11).
        ...(this.#config.scopes.includes('offline_access') && { prompt: 'consent' }),
      }),
    );
  }

  /**
   * Checks the response with which the provider sent the user back (state, `iss`), and exchanges its code.
   *
   * @throws ProviderError
   */
  exchange(query: string, state: string, { verifier, nonce }: Proof): Promise<{ account: string; tokens: Tokens }> {
    return this.#ask(async (client) => {
      const answer = await openid.authorizationCodeGrant(client, new URL(`${this.#options.redirectUri}?${query}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
      });
      const account = answer.claims()?.sub ?? '';
      if (account === '' || account.length > MAX_ACCOUNT_LENGTH) throw new ProviderError(this.name, 'refused', 'sub');
      return { account, tokens: readTokens(answer) };
    });
  }

  /** @throws ProviderError, whose failure is `refused` only if the provider no longer accepts the token */
  refresh(refreshToken: string): Promise<Tokens> {
    return this.#ask(async (client) => {
      const answer = await openid.refreshTokenGrant(client, refreshToken).catch((error: unknown) => {
        const isRefused = (error as { error?: unknown }).error === 'invalid_grant';
        throw new ProviderError(
          this.name,
          isRefused ? 'refused' : 'unavailable',
          describeProviderError('', error).message,
        );
      });
      return { refreshToken, ...readTokens(answer) };
    });
  }

  /** Does nothing at a provider that cannot revoke (RFC 7009). @throws ProviderError */
  revoke({ refreshToken, accessToken }: Tokens): Promise<void> {
    return this.#ask(async (client) => {
      if (client.serverMetadata().revocation_endpoint === undefined) return;
      await openid.tokenRevocation(client, refreshToken ?? accessToken);
    });
  }

  async #ask<T>(work: (client: openid.Configuration) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#load());
    } catch (error) {
      throw describeProviderError(this.name, error);
    }
  }

  #load(): Promise<openid.Configuration> {
    this.#client ??= this.#discover().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  #discover(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret } = this.#config;
    const { environment, fetch } = this.#options;
    return openid.discovery(new URL(issuer), clientId, undefined, authenticate(clientSecret.reveal()), {
      [openid.customFetch]: (url, { method, headers, body }) =>
        fetch(url, { method, headers, ...(body && { body: (body as URLSearchParams).toString() }) }),
      // The rules of the configuration accept http only on this machine.
      execute: traitsOf(environment).runsLocally ? [openid.allowInsecureRequests] : [],
    });
  }
}

/** A provider that names no method supports HTTP Basic (OpenID Connect Discovery, 3). */
function authenticate(secret: string): openid.ClientAuth {
  const [basic, post] = [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return methods.includes('client_secret_basic') ? basic(server, ...rest) : post(server, ...rest);
  };
}

function readTokens(answer: Answer): Tokens {
  const seconds = answer.expires_in;
  return {
    accessToken: answer.access_token,
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
    ...(seconds !== undefined && { expiresAt: Date.now() + seconds * 1_000 }),
  };
}

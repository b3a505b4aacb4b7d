import { Logger } from '@nestjs/common';
import type { Provider, Tokens } from './provider.js';
import { ProviderError } from './provider-error.js';

const logger = new Logger('connections');

/** Revokes tokens of which nothing is left here. If that fails, the provider keeps them until they expire. */
export async function revokeQuietly(provider: Provider, tokens: Tokens): Promise<void> {
  await provider.revoke(tokens).catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error;
    logger.warn(`tokens were not revoked: ${error.message}`);
  });
}

import { canonicalHost, type Config, type Secret } from '@airlock/config';

/** The outside services of the system itself: they are in the configuration, and rules have judged them. */
export function listOwnHosts({
  auth,
  observability,
  storage,
}: Pick<Config, 'auth' | 'observability' | 'storage'>): string[] {
  const buckets = storage?.kind === 'bucket' ? [storage.host] : [];
  const addresses = [auth.jwksUrl, observability.otlpEndpoint, observability.sentryDsn];
  return [...buckets, ...addresses.flatMap(hostOf)].map(canonicalHost);
}

export function hostOf(address: string | Secret | undefined): string[] {
  if (address === undefined) return [];
  return [new URL(typeof address === 'string' ? address : address.reveal()).hostname];
}

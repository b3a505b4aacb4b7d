import type { RestoredSource } from '@airlock/backups';
import { type Config, environmentsWith } from '@airlock/config';
import { withClient } from '@airlock/database/operations';

export interface SourceFlags {
  readonly folder: string;
  readonly maxLagMs: number;
}

type Session = Parameters<Parameters<typeof withClient>[2]>[0];
type Use<T> = (session: Session, restored?: Pick<RestoredSource, 'backup' | 'recovery'>) => Promise<T>;

/** A session in the newest backup of production, restored for as long as `use` runs, or in the server that is named. */
export async function withRefreshSource<T>(config: Config, flags: SourceFlags, use: Use<T>): Promise<T> {
  const { backups, source, identity } = config.refresh;
  const context = { config, purpose: 'refresh-source' };
  if (source) return withClient(source, context, (session) => use(session));
  const [{ openSourceBackups }, { withRestoredSource }, { model }] = await Promise.all([
    import('@airlock/storage'),
    import('@airlock/backups'),
    import('@airlock/model'),
  ]);
  // Today there is one.
  const environment = environmentsWith('feedsCopies')[0]!;
  const storage = await openSourceBackups(backups!, { ...config, environment });
  const options = {
    ...flags,
    environment,
    storage,
    identity,
    tools: config.backups.tools,
    migrations: model.migrations,
  };
  try {
    return await withRestoredSource(options, ({ address, ...restored }) =>
      withClient(address, context, (session) => use(session, restored)),
    );
  } finally {
    storage.close();
  }
}

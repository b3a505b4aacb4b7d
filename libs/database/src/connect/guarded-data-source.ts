import { DataSource, type QueryRunner } from 'typeorm';

/**
 * The data source of a service. Its own repositories and its own manager run nothing: without a user, row-level security
 * would show no row and report no error. Those of a transaction that was opened for a user work.
 */
export class GuardedDataSource extends DataSource {
  /** @throws UnownedAccessError always. TypeORM calls it for every query outside of a transaction. */
  override createQueryRunner(): never {
    throw new UnownedAccessError();
  }

  openRunner(): QueryRunner {
    return super.createQueryRunner('master');
  }
}

/** For code that sets a user first, or that reads no table of the product. */
export function openRunner(dataSource: DataSource): QueryRunner {
  return dataSource instanceof GuardedDataSource ? dataSource.openRunner() : dataSource.createQueryRunner('master');
}

export class UnownedAccessError extends Error {
  override readonly name = 'UnownedAccessError';

  constructor() {
    super(
      'database: a repository was used outside of a transaction; expected one of asUser: ' +
        'database.asUser(userId, (tx) => tx.getRepository(Record)…)',
    );
  }
}

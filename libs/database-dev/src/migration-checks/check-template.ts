import {
  findSchemaDrift,
  DriftError,
  hasDrift,
  readCatalogue,
  loadSchemaFile,
  saveSchemaFile,
} from '@airlock/database/internal';
import { MigrationError, type Model } from '@airlock/database/model';
import { type ThrowawayDatabase, withThrowawayDatabase } from '../lint/trace/throwaway-database.js';
import { checkKnownObjects } from '../testing/contents/record-objects.js';

/**
 * Migrates an empty database and compares four descriptions of the schema: what the migrations made, the committed
 * schema.sql and known-objects.json, and the entities.
 * @throws DriftError, or MigrationError with what TypeORM would change
 */
export async function checkTemplate({ isWritten = false, ...model }: Model & { isWritten?: boolean }): Promise<void> {
  await withThrowawayDatabase(async (database) => {
    // Migrates it as well, step by step.
    await checkKnownObjects(database, { ...model, isWritten });
    const actual = await readThrowaway(database);
    if (isWritten) saveSchemaFile(model, actual);
    const drift = findSchemaDrift(loadSchemaFile(model), actual);
    if (hasDrift(drift)) throw new DriftError('schema.sql', drift, 'airlock db drift --template --write');
    const changes = await findEntityChanges(database, model);
    if (changes.length > 0) throw new MigrationError(describeChanges(changes));
  });
}

function readThrowaway({ config, withOwner }: ThrowawayDatabase): Promise<string[]> {
  const { app, migration } = config.database;
  return withOwner((client) => readCatalogue(client, { app: app.user, migrator: migration?.user ?? '' }));
}

/** What TypeORM would run to make the database fit the entities. It only writes that down. */
export async function findEntityChanges(
  { config }: Pick<ThrowawayDatabase, 'config'>,
  model: Pick<Model, 'loadEntities'>,
): Promise<string[]> {
  // Loaded only here: TypeORM takes far longer to load than the other commands of this door take to run.
  const [{ createDataSource }, entities] = await Promise.all([
    import('@airlock/database/internal'),
    model.loadEntities(),
  ]);
  const dataSource = await createDataSource(config, { entities: [...entities], purpose: 'drift' }).initialize();
  try {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  } finally {
    await dataSource.destroy();
  }
}

export function describeChanges(changes: readonly string[]): string {
  const lost = findLostColumns(changes);
  const warning = lost.map(
    (column) =>
      `\n  TypeORM would drop ${column} and add it empty, for it knows no change of type: never take that over.`,
  );
  return (
    `entities: differ from what the migrations make; expected no difference\n${changes.map((sql) => `+ ${sql}`).join('\n')}` +
    `${warning.join('')}\n  Write the difference into a migration (airlock new migration NAME), or mend the entity.`
  );
}

/** Columns that are dropped and added under the same name: their contents would be gone. */
export function findLostColumns(changes: readonly string[]): string[] {
  const columns = (form: RegExp) => changes.flatMap((sql) => form.exec(sql)?.slice(1, 3).join('.') ?? []);
  const added = new Set(columns(/ALTER TABLE (\S+) ADD (?!CONSTRAINT)(\S+)/));
  return columns(/ALTER TABLE (\S+) DROP COLUMN (\S+)/).filter((column) => added.has(column));
}

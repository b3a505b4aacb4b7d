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
 * Migrates an empty database and compares four descriptions of the schema: the result of the migrations, the committed
 * schema.sql and known-objects.json, and the entities.
 *
 * @throws DriftError, or MigrationError with the changes that TypeORM would make
 */
export async function checkTemplate({ isWritten = false, ...model }: Model & { isWritten?: boolean }): Promise<void> {
  await withThrowawayDatabase(async (database) => {
    // Also tests the migrations, one by one.
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

/** Statements that TypeORM would run to make the database match the entities. They are only listed. */
export async function findEntityChanges(
  { config }: Pick<ThrowawayDatabase, 'config'>,
  model: Pick<Model, 'loadEntities'>,
): Promise<string[]> {
  // Loaded only here: loading TypeORM takes far longer than the other commands of this entry point.
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
      `\n  TypeORM would drop ${column} and add it empty, because it cannot change a type: never use these statements.`,
  );
  return (
    `entities: differ from the schema of the migrations; expected no difference\n${changes.map((sql) => `+ ${sql}`).join('\n')}` +
    `${warning.join('')}\n  Write a migration for the difference (airlock new migration NAME), or correct the entity.`
  );
}

/** Columns that are dropped and added under the same name: their contents would be lost. */
export function findLostColumns(changes: readonly string[]): string[] {
  const columns = (form: RegExp) => changes.flatMap((sql) => form.exec(sql)?.slice(1, 3).join('.') ?? []);
  const added = new Set(columns(/ALTER TABLE (\S+) ADD (?!CONSTRAINT)(\S+)/));
  return columns(/ALTER TABLE (\S+) DROP COLUMN (\S+)/).filter((column) => added.has(column));
}

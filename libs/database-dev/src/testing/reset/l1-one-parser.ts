import { traitsOf } from '@airlock/config';
import type { Inspection } from '@airlock/config/loading';
import type { StaticLayer } from './layer.js';
import { type ResetProblem, problemIf } from './verdict.js';

/**
 * One reading of the address: all sources agree, a single strict parser reads it, and no other parser reads it
 * differently.
 */
export const oneParser: StaticLayer = {
  id: 'L1',
  title: 'one parser',
  phase: 'static',
  danger: 'if two parsers read one address differently, the wrong database is reset',
  judge({ variables, inspection }) {
    const { app, migration } = inspection.config?.database ?? {};
    const ignored = Object.keys(variables)
      .filter((name) => /^PG[A-Z]+$/.test(name))
      .sort();
    const source = inspection.texts.get('DATABASE_MIGRATION_URL')?.source;
    const split = app && migration && (app.host !== migration.host || app.port !== migration.port);
    return {
      saw:
        `${migration ? `${migration.host}:${migration.port}/${migration.database} as ${migration.user}` : 'no usable address'}` +
        ` from ${source?.path ?? source?.kind ?? 'nowhere'}; libpq variables, never consulted: ${ignored.join(', ') || 'none'}`,
      problems: [
        ...findViolations(inspection),
        ...problemIf(
          inspection.config !== undefined && migration === undefined,
          'DATABASE_MIGRATION_URL is not set; expected the address of the migrator',
          'write it into .env.testing, beside DATABASE_URL',
        ),
        ...problemIf(
          split === true,
          'DATABASE_URL and DATABASE_MIGRATION_URL name two servers; expected one',
          'airlock config print',
        ),
      ],
    };
  },
};

/** Settings that are missing for other environments do not matter here. */
function findViolations({ environment, violations }: Inspection): ResetProblem[] {
  if (!traitsOf(environment).mayBeReset) {
    const problem = `the configuration belongs to ${environment ?? 'no environment'}; expected testing`;
    return [{ problem, fix: 'ENVIRONMENT=testing, and .env.testing at the root of the checkout' }];
  }
  return violations.map(({ name, problem, expected, fix }) => ({
    problem: `${name} ${problem}; expected ${expected}`,
    fix,
  }));
}

import type { ParsedStatement } from './parsed-text.js';
import { CHANGES_PARSING, isParsedDifferently } from './session-settings.js';

/** @throws for a statement that one session cannot emulate */
export function assertFollowable(statements: readonly ParsedStatement[], values: readonly unknown[]): void {
  for (const { sql, refusal, settings } of statements) {
    if (refusal !== undefined) throw refuse(sql, refusal);
    for (const { name, value } of settings) {
      if (typeof name === 'number' && isParsedDifferently(String(values[name - 1]), value ?? '')) {
        throw refuse(sql, CHANGES_PARSING);
      }
    }
  }
}

export function refuse(sql: string, reason: string): Error {
  return new Error(`test database: "${sql.trim()}" ${reason}; expected isolation: 'delete' or 'clone'`);
}

export interface NamedSetting {
  readonly name: string;
  readonly isLocal: boolean;
  readonly isDeferred: boolean;
}

/** The parameters complete the text. PostgreSQL reads `App.User_Id` as `app.user_id`. */
export function nameSettings(statements: readonly ParsedStatement[], values: readonly unknown[] = []): NamedSetting[] {
  return statements
    .flatMap(({ settings }) => settings)
    .map(({ name, isLocal, isDeferred = false }) => ({
      name: (typeof name === 'string' ? name : String(values[name - 1])).toLowerCase(),
      isLocal: typeof isLocal === 'number' ? isTrue(values[isLocal - 1]) : isLocal,
      isDeferred,
    }));
}

/** Parses a boolean text like PostgreSQL. */
function isTrue(value: unknown): boolean {
  return value === true || /^(t|tr|tru|true|y|ye|yes|on|1)$/i.test(String(value).trim());
}

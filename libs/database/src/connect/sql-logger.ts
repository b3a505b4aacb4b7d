import { Logger as NestLogger } from '@nestjs/common';
import type { Logger } from 'typeorm';

export type SqlPrinter = Pick<NestLogger, 'log' | 'warn'>;

/** DB_ECHO prints the statement and the number of its parameters, never their values. */
export class SqlLogger implements Logger {
  readonly #echo: boolean;
  readonly #print: SqlPrinter;

  constructor(echo: boolean, print: SqlPrinter = new NestLogger('SQL')) {
    this.#echo = echo;
    this.#print = print;
  }

  logQuery(sql: string, parameters?: unknown): void {
    if (this.#echo) this.#print.log(formatStatement(sql, parameters));
  }

  /** The caller receives the error and logs it once; its message may contain values. */
  logQueryError(_error: string | Error, sql: string, parameters?: unknown): void {
    if (this.#echo) this.#print.warn(`failed: ${formatStatement(sql, parameters)}`);
  }

  logQuerySlow(timeMs: number, sql: string, parameters?: unknown): void {
    this.#print.warn(`slow, ${timeMs} ms: ${formatStatement(sql, parameters)}`);
  }

  logSchemaBuild(): void {}

  logMigration(message: string): void {
    this.#print.log(message);
  }

  log(level: 'log' | 'info' | 'warn', message: unknown): void {
    if (level === 'warn') this.#print.warn(String(message));
    else if (this.#echo) this.#print.log(String(message));
  }
}

/** Names and comments first: a quote inside of them does not start a literal. */
const TOKENS =
  /("(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/)|(\$\w*\$)[\s\S]*?\2|\bE'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'/gi;

/** Redacts literals too: not every statement uses parameters. */
function formatStatement(sql: string, parameters: unknown): string {
  const text = sql.replace(TOKENS, (_, kept: string | undefined) => keepName(kept)).replace(/\s+/g, ' ');
  const count = Array.isArray(parameters) ? parameters.length : Object.keys(parameters ?? {}).length;
  return count === 0 ? text : `${text} -- ${count} ${count === 1 ? 'parameter' : 'parameters'} [redacted]`;
}

function keepName(kept: string | undefined): string {
  if (kept === undefined) return "'[redacted]'";
  return kept.startsWith('"') ? kept : ' ';
}

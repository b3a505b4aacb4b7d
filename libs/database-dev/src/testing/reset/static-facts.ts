import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { type DatabaseAddress, type EnvironmentVariables, parseDatabaseUrl } from '@airlock/config';
import { inspectConfig, type Inspection } from '@airlock/config/loading';
import { type AuditFile, openAudit } from './audit.js';

/** A database that another environment's file names. */
export interface ForeignAddress extends Pick<DatabaseAddress, 'host' | 'port' | 'database'> {
  readonly where: string;
}

/** All facts that are known before a server is contacted. */
export interface StaticFacts {
  readonly workspace: string;
  readonly variables: EnvironmentVariables;
  readonly inspection: Inspection;
  readonly foreign: readonly ForeignAddress[];
  /** Files of other environments that could not be parsed. */
  readonly unreadable: readonly string[];
  readonly audit: AuditFile;
  /** The folder that this code runs from. */
  readonly runsFrom: string;
}

/** Reads, and opens the audit; checks nothing and throws nothing. */
export function loadStaticFacts(variables: EnvironmentVariables, workspace: string): StaticFacts {
  const inspection = inspectConfig({ env: variables, cwd: workspace });
  const files = listForeignFiles(workspace, inspection.file);
  const foreign: ForeignAddress[] = [];
  const unreadable: string[] = [];
  for (const file of files) {
    try {
      foreign.push(...findAddresses(join(workspace, file), file));
    } catch {
      unreadable.push(file);
    }
  }
  const audit = openAudit(workspace);
  return { workspace, variables, inspection, foreign, unreadable, audit, runsFrom: fileURLToPath(import.meta.url) };
}

/** Every .env file except the current one and the examples, whose addresses are not real. */
function listForeignFiles(workspace: string, used: string | undefined): string[] {
  if (!existsSync(workspace)) return [];
  return readdirSync(workspace)
    .filter((name) => /^\.env(\..+)?$/.test(name) && !name.endsWith('.example') && name !== used)
    .filter((name) => !lstatSync(join(workspace, name)).isDirectory())
    .sort();
}

function findAddresses(path: string, file: string): ForeignAddress[] {
  const values = Object.entries(parseEnv(readFileSync(path, 'utf8')));
  return values
    .filter(([, text]) => /^postgres(ql)?:/i.test(text ?? ''))
    .flatMap(([name, text]) => {
      const where = `${name} in ${file}`;
      const { host, port, database } = parseDatabaseUrl(text ?? '', where);
      return { where, host, port, database };
    });
}

import { appendFileSync, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { isRefusal, type Verdict } from './layer.js';
import type { StaticFacts } from './static-facts.js';

export const AUDIT_FILE = join('.airlock', 'reset-audit.jsonl');

/** One line for each attempt, refused or not, before anything is touched. Without it there is no reset. */
export function appendAudit(facts: StaticFacts, verdicts: readonly Verdict[], mode: 'reset' | 'explain'): void {
  const address = facts.inspection.config?.database.migration;
  mkdirSync(join(facts.workspace, '.airlock'), { recursive: true, mode: 0o700 });
  const line = {
    at: new Date().toISOString(),
    mode,
    outcome: isRefusal(verdicts) ? 'refused' : 'allowed',
    refusedBy: verdicts.filter(({ verdict }) => verdict === 'refuses').map(({ layer }) => layer),
    environment: facts.variables['ENVIRONMENT']?.slice(0, 40) ?? null,
    server: address ? `${address.host}:${address.port}` : null,
    database: address?.database ?? null,
    role: address?.user ?? null,
    by: userInfo().username,
    pid: process.pid,
  };
  appendFileSync(join(facts.workspace, AUDIT_FILE), `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

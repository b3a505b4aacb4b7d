import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, type Stats, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type EnvironmentVariables, readUserName } from '@airlock/config';
import type { Inspection } from '@airlock/config/loading';
import { isRefusal, type LayerVerdict } from './verdict.js';

const FOLDER = '.airlock';
export const AUDIT_FILE = join(FOLDER, 'reset-audit.jsonl');

/** Opened before any other step; otherwise the reason why it could not be opened. */
export interface AuditFile {
  readonly file: number | undefined;
  readonly problem: string | undefined;
}

/** The outcome of an attempt in a line of the audit. */
interface AuditedFacts {
  readonly audit: AuditFile;
  readonly inspection: Inspection;
  readonly variables: EnvironmentVariables;
}

/** The line could not be written; nothing was changed yet. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
  readonly exitCode = 3;
}

/** Follows no link, does not wait for the reader of a FIFO, and accepts only a regular file. */
export function openAudit(workspace: string): AuditFile {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
  let file: number | undefined;
  try {
    const folder = join(workspace, FOLDER);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!lstatSync(folder).isDirectory()) return { file, problem: 'is in a folder that is a link' };
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
    file = openSync(join(workspace, AUDIT_FILE), flags, 0o600);
    const problem = findFlaw(fstatSync(file));
    if (problem === undefined) return { file, problem };
    closeSync(file);
    return { file: undefined, problem };
  } catch (error) {
    return { file: undefined, problem: describeOpening((error as { code?: string }).code) };
  }
}

export function closeAudit({ file }: AuditFile): void {
  if (file !== undefined) closeSync(file);
}

/** One line for each attempt, refused or not, before anything is changed. @throws AuditError when it cannot be kept */
export function appendAudit(facts: AuditedFacts, verdicts: readonly LayerVerdict[], mode: 'reset' | 'explain'): void {
  if (facts.audit.file === undefined) return;
  const address = facts.inspection.config?.database.migration;
  const line = {
    at: new Date().toISOString(),
    mode,
    outcome: isRefusal(verdicts) ? 'refused' : 'allowed',
    refusedBy: verdicts.filter(({ verdict }) => verdict === 'refuses').map(({ layer }) => layer),
    environment: facts.variables['ENVIRONMENT']?.slice(0, 40) ?? null,
    server: address ? `${address.host}:${address.port}` : null,
    database: address?.database ?? null,
    role: address?.user ?? null,
    by: readUserName(),
    pid: process.pid,
  };
  writeWhole(facts.audit.file, `${JSON.stringify(line)}\n`);
}

function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  try {
    if (writeSync(file, bytes) === bytes.length) return;
  } catch (cause) {
    throw new AuditError(refuseWriting((cause as Error).message), { cause });
  }
  throw new AuditError(refuseWriting('it accepted only a part of the line'));
}

function refuseWriting(reason: string): string {
  return `${AUDIT_FILE}: cannot be written (${reason}); expected to record each attempt. Nothing was changed.\n  free space on its disk`;
}

function findFlaw(stats: Stats): string | undefined {
  if (stats.isFIFO()) return 'is a FIFO';
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return 'is a device';
  if (!stats.isFile()) return 'is not a regular file';
  return stats.nlink > 1 ? 'has a second name elsewhere (a hard link)' : undefined;
}

function describeOpening(code = 'unknown error'): string {
  const reasons: Record<string, string> = {
    ELOOP: 'is a link',
    EISDIR: 'is a folder',
    ENXIO: 'is a FIFO or a socket',
    EEXIST: 'is in a folder that is a file',
    ENOTDIR: 'is in a folder that is a file',
    EACCES: 'may not be written by this user',
    EROFS: 'is on a read-only disk',
    ENOSPC: 'has no space left on its disk',
  };
  return reasons[code] ?? `cannot be opened (${code})`;
}

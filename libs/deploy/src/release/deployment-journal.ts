import { appendFile, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import type { DeploymentRecord } from './release-record.js';

/**
 * Checks deployments.jsonl before anything is changed, because a deploy that cannot be recorded must not start. The
 * file holds the same records as the swarm, for users, pipelines and artefacts.
 */
export async function assertWritable(file: string): Promise<void> {
  try {
    await makeFolder(dirname(file));
    await (await open(file, 'a')).close();
  } catch (cause) {
    throw new DeployError({
      text: `${file}: cannot be written (${codeOf(cause)}); expected a writable file`,
      fix: 'nothing was changed; choose another file: --journal FILE',
      cause,
    });
  }
}

/** Creates one level only: Node's recursive mkdir hangs on file systems that cannot have folders, such as /proc. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/** Starts a new line even if a full disk or a killed process left the last line incomplete. */
export async function appendRecord(file: string, record: DeploymentRecord): Promise<void> {
  const separator = (await endsInALine(file)) ? '' : '\n';
  await appendFile(file, `${separator}${JSON.stringify(record)}\n`);
}

/** Throws on the first line that is not a record: a promotion must not rely on an incomplete history. */
export async function loadJournal(file: string): Promise<DeploymentRecord[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new DeployError({
      text: `${file}: cannot be read (${codeOf(cause)}); expected the deployments.jsonl of staging`,
      fix: 'choose the file: --record FILE',
      exitCode: EXIT.usage,
      cause,
    });
  });
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(file, line, index + 1)]));
}

function parseLine(file: string, line: string, number: number): DeploymentRecord {
  const record = parseRecord(line);
  if (record !== undefined) return record;
  throw new DeployError({
    text: `${file}:${number}: is not a deployment record; expected one JSON object with environment, digest and outcome`,
    fix: 'print the records of the swarm: airlock status staging --records',
  });
}

function parseRecord(line: string): DeploymentRecord | undefined {
  try {
    const record = JSON.parse(line) as Partial<Record<string, unknown>> | null;
    const hasText = (name: string) => typeof record?.[name] === 'string';
    const isRecord = ['environment', 'image', 'digest', 'outcome', 'smoke', 'startedAt', 'finishedAt'].every(hasText);
    return isRecord ? (record as unknown as DeploymentRecord) : undefined;
  } catch {
    return undefined;
  }
}

async function endsInALine(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return true;
  try {
    const { size } = await handle.stat();
    if (size === 0) return true;
    const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 });
    return buffer.toString() === '\n';
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

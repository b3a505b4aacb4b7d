import { text } from 'node:stream/consumers';
import { refuse } from '../problems/backup-error.js';
import { startTool, type ToolName, TOOLS_HINT } from './start-tool.js';

/**
 * pg_dump refuses a newer server, and an older server may not read the dump of a newer pg_dump.
 *
 * @returns the version of the first program, such as 18.6
 * @throws BackupError wrong-tools unless each program has the major version of the server
 */
export async function assertTools(
  serverMajor: number,
  folder: string | undefined,
  names: readonly ToolName[] = ['pg_dump', 'pg_restore'],
): Promise<string> {
  const versions: string[] = [];
  for (const name of names) {
    const version = await readVersion(name, folder);
    versions.push(version);
    if (Number.parseInt(version, 10) === serverMajor) continue;
    throw refuse(
      'wrong-tools',
      `${name}: is version ${version}, and the server ${serverMajor}; expected the same major version\n  ${TOOLS_HINT}`,
    );
  }
  return versions[0] ?? '';
}

async function readVersion(name: ToolName, folder: string | undefined): Promise<string> {
  const tool = startTool(name, ['--version'], { folder });
  tool.input.end();
  const [output] = await Promise.all([text(tool.output), tool.ended]);
  return /\b(\d+[.\w]*)/.exec(output)?.[1] ?? 'unknown';
}

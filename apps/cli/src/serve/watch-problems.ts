// Used by docker/watch.mjs too, which runs it without our compiler: only Node's own modules, only types to strip.
import { readFileSync } from 'node:fs';

/** The reason why folders cannot be watched, and the command that raises the limit. */
export function describeWatchLimit(code: string): string {
  const { name, limit, cure } = findLimit(code);
  return [
    `Watching files: ${name}${limit} is reached (${code}); expected a limit that allows a watch for each source folder.`,
    '  Edits are still served: the files are compared four times a second instead.',
    `  To raise the limit: ${cure}`,
  ].join('\n');
}

type Problems = ReadonlyMap<string, string>;

/**
 * Reports each path that cannot be read, unless it was reported before.
 *
 * @param mode the permission that the reader needs, for `chmod`
 */
export function reportProblems(problems: Problems, { before, mode = 'u+rwX' }: { before?: Problems; mode?: string }) {
  for (const [path, code] of problems)
    if (before?.get(path) !== code) console.error(describeProblem(path, { code, mode }));
}

function describeProblem(path: string, { code, mode }: { code: string; mode: string }): string {
  const shown = path || '.';
  const cure = code === 'EACCES' || code === 'EPERM' ? `chmod ${mode} ${shown}` : `ls -la ${shown}`;
  return `${shown}: cannot be read (${code}), so edits there are not served; expected a readable folder.\n  ${cure}`;
}

function findLimit(code: string): { name: string; limit: string; cure: string } {
  const instances = describeSysctl('fs.inotify.max_user_instances', 1024);
  if (code === 'ENOSPC') return describeSysctl('fs.inotify.max_user_watches', 524_288) ?? describeOpenFiles();
  return (code === 'EMFILE' ? instances : undefined) ?? describeOpenFiles();
}

/** @returns undefined if the system has no such setting, such as macOS */
function describeSysctl(name: string, to: number): { name: string; limit: string; cure: string } | undefined {
  try {
    const limit = readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
    return { name, limit: ` (${limit})`, cure: `sudo sysctl ${name}=${Math.max(to, 2 * Number(limit))}` };
  } catch {
    return undefined;
  }
}

function describeOpenFiles(): { name: string; limit: string; cure: string } {
  return { name: 'the number of open files', limit: '', cure: 'ulimit -n 10240' };
}

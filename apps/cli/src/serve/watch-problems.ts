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

/** @param code the error code of a folder, or a file in it, that cannot be read */
export function describeProblem(path: string, code: string): string {
  const shown = path || '.';
  const cure = code === 'EACCES' || code === 'EPERM' ? `chmod u+rwX ${shown}` : `ls -la ${shown}`;
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

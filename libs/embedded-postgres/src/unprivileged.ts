import { spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { SYSTEM_ENVIRONMENT } from './system-environment.js';

/** How PostgreSQL is run: as we are, or, because it refuses root, as somebody who owns nothing. */
export interface Identity {
  /** Words that come before the command. */
  prefix: readonly string[];
  /** The user that must own the data folder; undefined when it is ours. */
  uid: number | undefined;
  gid: number | undefined;
}

const OURS: Identity = { prefix: [], uid: undefined, gid: undefined };
let chosen: Identity | undefined;

/** No user is created: root lends its place to `nobody`, by `setpriv` of util-linux. */
export function chooseIdentity(): Identity {
  chosen ??= process.getuid?.() === 0 ? findUnprivilegedIdentity() : OURS;
  return chosen;
}

/**
 * The words before `initdb`, which asks for the name of its user: one without an entry in /etc/passwd, as containers
 * run under, is shown to it as `nobody`, inside a user namespace. The server itself does not ask.
 */
export function chooseInitdbPrefix(): readonly string[] {
  const { prefix } = chooseIdentity();
  if (prefix.length > 0 || hasName()) return prefix;
  const { uid, gid } = findNobody();
  const asNobody = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`];
  if (canRun(asNobody)) return asNobody;
  const own = process.getuid?.();
  throw new Error(
    `embedded PostgreSQL: user ${own} has no entry in /etc/passwd; expected one, because initdb asks for its name\n` +
      `Add one (echo 'app:x:${own}:0::/tmp:/bin/sh' >> /etc/passwd), or use a server of your own: DATABASE_SERVER=external.`,
  );
}

export function giveTo({ uid, gid }: Identity, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function findUnprivilegedIdentity(): Identity {
  const { uid, gid } = findNobody();
  const switchUser = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  // A clone below a folder that only root may enter (/root, mktemp -d) is reached with this capability alone. initdb
  // asks access(2), which drops capabilities for every user but root unless the secure bit forbids it.
  const enterAnyFolder = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  for (const prefix of [[...switchUser, ...enterAnyFolder], switchUser])
    if (canRun(prefix)) return { prefix, uid, gid };
  throw new Error(
    'embedded PostgreSQL: it refuses to run as root and `setpriv` (util-linux) could not change the user.\n' +
      'Run as an ordinary user, or use a server of your own: DATABASE_SERVER=external.',
  );
}

function canRun([command = '', ...args]: readonly string[]): boolean {
  return spawnSync(command, [...args, 'true'], { stdio: 'ignore', env: SYSTEM_ENVIRONMENT }).status === 0;
}

function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

function findNobody(): { uid: number; gid: number } {
  const line = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  return { uid: Number(line?.[1] ?? 65534), gid: Number(line?.[2] ?? 65534) };
}

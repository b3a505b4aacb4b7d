import { spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { SYSTEM_ENVIRONMENT } from './system-environment.js';

/** How PostgreSQL is run: as the current user or, because it refuses root, as a user that owns nothing. */
export interface Identity {
  /** The prefix of the command. */
  prefix: readonly string[];
  /** The user that must own the data folder; undefined for the current user. */
  uid: number | undefined;
  gid: number | undefined;
}

const OURS: Identity = { prefix: [], uid: undefined, gid: undefined };
let chosen: Identity | undefined;

/** No user is created: root switches to `nobody` with `setpriv` of util-linux. */
export function chooseIdentity(): Identity {
  chosen ??= process.getuid?.() === 0 ? findUnprivilegedIdentity() : OURS;
  return chosen;
}

/**
 * The command prefix of `initdb`, which looks up the name of its user. A user without an entry in /etc/passwd, as in
 * containers, appears as `nobody` inside a user namespace. The server itself does not look it up.
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
      `Add one (echo 'app:x:${own}:0::/tmp:/bin/sh' >> /etc/passwd), or use your own server: DATABASE_SERVER=external.`,
  );
}

export function changeOwner({ uid, gid }: Identity, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function findUnprivilegedIdentity(): Identity {
  const { uid, gid } = findNobody();
  const switchUser = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  // A clone below a folder that only root may enter (/root, mktemp -d) needs this one capability. initdb calls
  // access(2), which drops capabilities for every user but root unless the secure bit forbids it.
  const enterAnyFolder = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  for (const prefix of [[...switchUser, ...enterAnyFolder], switchUser])
    if (canRun(prefix)) return { prefix, uid, gid };
  throw new Error(
    'embedded PostgreSQL: it refuses to run as root and `setpriv` (util-linux) could not change the user.\n' +
      'Run as an ordinary user, or use your own server: DATABASE_SERVER=external.',
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

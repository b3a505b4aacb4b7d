import { spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
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

export function giveTo({ uid, gid }: Identity, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function findUnprivilegedIdentity(): Identity {
  const { uid, gid } = findNobody();
  const switchUser = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  // A clone below a folder that only root may enter (/root, mktemp -d) is reached with this capability alone. initdb
  // asks access(2), which drops capabilities for every user but root unless the secure bit forbids it.
  const enterAnyFolder = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  for (const prefix of [[...switchUser, ...enterAnyFolder], switchUser]) {
    const [command = '', ...args] = [...prefix, 'true'];
    if (spawnSync(command, args, { stdio: 'ignore', env: SYSTEM_ENVIRONMENT }).status === 0)
      return { prefix, uid, gid };
  }
  throw new Error(
    'embedded PostgreSQL: it refuses to run as root and `setpriv` (util-linux) could not change the user.\n' +
      'Run as an ordinary user, or use a server of your own: DATABASE_SERVER=external.',
  );
}

function findNobody(): { uid: number; gid: number } {
  const line = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  return { uid: Number(line?.[1] ?? 65534), gid: Number(line?.[2] ?? 65534) };
}

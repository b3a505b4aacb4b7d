import { randomBytes } from 'node:crypto';
import type { Docker } from '../engine/docker.js';
import { secretsVolume } from './preview-stack.js';

/**
 * Generates the secrets on the host of the preview, in its own volume, which Compose then mounts file by file. No user
 * sees them, and an engine behind SSH needs no access to files of the deployer.
 */
export async function ensureSecrets(docker: Docker, project: string, image: string): Promise<string> {
  const volume = secretsVolume(project);
  await docker.run(['volume', 'create', '--label', `com.docker.compose.project=${project}`, volume]);
  const run = ['run', '--rm', '--interactive', '--network', 'none', '--user', '0:0', '--volume', `${volume}:/secrets`];
  await docker.run([...run, '--entrypoint', 'node', image, '-e', WRITE_ONCE], {
    input: JSON.stringify(createSecrets()),
    timeoutMs: 300_000,
  });
  return (await docker.run(['volume', 'inspect', '--format', '{{.Mountpoint}}', volume])).trim();
}

/** An update of a preview keeps its database, so existing secrets stay. The container's user can read the files. */
const WRITE_ONCE = `
const fs = require('node:fs');
const secrets = JSON.parse(fs.readFileSync(0, 'utf8'));
if (!fs.existsSync('/secrets/secret_key'))
  for (const [name, value] of Object.entries(secrets)) fs.writeFileSync('/secrets/' + name, value, { mode: 0o444 });
`;

/** The names are those of compose.preview.yml. The key is written last and marks that all others were written. */
export function createSecrets(): Record<string, string> {
  const [admin, migrator, app, key] = Array.from({ length: 4 }, () => randomBytes(32).toString('hex'));
  const address = (user: string, password: string | undefined, database: string) =>
    `postgres://${user}:${password ?? ''}@postgres:5432/${database}`;
  return {
    postgres_password: admin ?? '',
    database_admin_url: address('postgres', admin, 'postgres'),
    database_migration_url: address('airlock_migrator', migrator, 'airlock_preview'),
    database_url: address('airlock_app', app, 'airlock_preview'),
    secret_key: key ?? '',
  };
}

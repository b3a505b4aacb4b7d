import { appendFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, copyFolder, nameOwnedFolder, startCluster } from '@airlock/embedded-postgres';

/** A server and a standby that streams from it. */
export async function startReplicated(): Promise<{ primary: Cluster; standby: Cluster }> {
  const [source, copy] = ['primary', 'standby'].map((purpose) => join(tmpdir(), nameOwnedFolder(purpose))) as [
    string,
    string,
  ];
  // Shut down cleanly, its folder may be copied.
  await (await startCluster({ dataDir: source, durable: true })).stop();
  await copyFolder(source, copy);
  const primary = await startCluster({ dataDir: source, durable: true, keepFolder: false });
  const { host, port, user, password } = primary.superuser;
  const address = `host=${host} port=${port} user=${user} password=${password.reveal()} application_name=standby`;
  appendFileSync(join(copy, 'postgresql.auto.conf'), `primary_conninfo = '${address}'\n`);
  writeFileSync(join(copy, 'standby.signal'), '');
  return { primary, standby: await startCluster({ dataDir: copy, durable: true, keepFolder: false }) };
}

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { skipUnless } from '@airlock/config/testing';
import { withClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { ask, runAs } from '../provision/provision.fixture.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const describeWithOpenssl = skipUnless(hasOpenssl, describe, 'no openssl on PATH');
const context = { config: createSessionConfig('development'), purpose: 'spec' };

describeWithOpenssl('a session over TLS', () => {
  let cluster: Cluster;
  let folder: string;
  const stops: (() => void)[] = [];

  beforeAll(async () => {
    cluster = await startScratchCluster();
    folder = mkdtempSync(join(tmpdir(), 'airlock-tls-'));
    const { key, cert } = makeCertificate(folder, 'server');
    writeFileSync(join(cluster.dataDir, 'server.key'), key);
    writeFileSync(join(cluster.dataDir, 'server.crt'), cert);
    const owner = spawnSync('stat', ['-c', '%u:%g', join(cluster.dataDir, 'PG_VERSION')])
      .stdout.toString()
      .trim();
    for (const name of ['server.key', 'server.crt']) {
      spawnSync('chown', [owner, join(cluster.dataDir, name)]);
      chmodSync(join(cluster.dataDir, name), 0o600);
    }
    await runAs(cluster.superuser, async (admin) => {
      await admin.query('ALTER SYSTEM SET ssl = on');
      await admin.query('SELECT pg_reload_conf()');
    });
  }, 60_000);
  afterAll(async () => {
    for (const stop of stops) stop();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('opens with the server itself', async () => {
    const address = { ...cluster.superuser, sslMode: 'require' as const };
    const sql = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
    expect(await withClient(address, context, (client) => ask(client, sql))).toBe(true);
  });

  it('does not open through a proxy that ends TLS with its own certificate and forwards the rest', async () => {
    const port = await startInterceptor(cluster.port, makeCertificate(folder, 'other'));
    const address = { ...cluster.superuser, port, sslMode: 'require' as const };
    await expect(withClient(address, context, (client) => ask(client, 'SELECT 1'))).rejects.toThrow(
      'SCRAM channel binding check failed',
    );
  });

  /** Ends the client's TLS, opens TLS to the server, and forwards every byte between them. */
  async function startInterceptor(upstreamPort: number, { key, cert }: { key: string; cert: string }): Promise<number> {
    const request = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
    const open: Socket[] = [];
    const server = createServer((client) => {
      open.push(client.on('error', () => undefined));
      client.once('data', () => {
        client.write('S');
        const clear = new TLSSocket(client, { isServer: true, key, cert });
        const upstream = connect(upstreamPort, '127.0.0.1', () => upstream.write(request));
        open.push(upstream.on('error', () => undefined));
        upstream.once('data', () => {
          const secure = connectTls({ socket: upstream, rejectUnauthorized: false });
          clear
            .on('error', () => undefined)
            .pipe(secure.on('error', () => undefined))
            .pipe(clear);
        });
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    stops.push(() => (open.forEach((socket) => socket.destroy()), server.close()));
    return (server.address() as { port: number }).port;
  }
});

function makeCertificate(folder: string, name: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const subject = ['-subj', `/CN=${name}`, '-days', '2'];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject];
  const { status, stderr } = spawnSync('openssl', [...made, '-keyout', key, '-out', cert]);
  if (status !== 0) throw new Error(stderr.toString());
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ArchivedHost } from './archive.fixture.js';
import { listTraces, report, run, waitFor, type Outcome } from './engine.fixture.js';

/** Production's PostgreSQL with its archive: a bad delete, and the way back to the second before it. */
const stack = new ArchivedHost();
const { host } = stack;
const WAL = '/var/lib/pgbackrest/archive/main/18-1';

beforeAll(async () => {
  stack.setUp();
  expectDone(host.compose('up', '--detach', '--wait', 'worker', 'archive'));
  await waitFor('the first backup', () => Promise.resolve(backups().length > 0 || undefined));
});

afterAll(() => {
  stack.tearDown();
  const left = listTraces(stack.name);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
});

function expectDone({ status, output }: Outcome): void {
  if (status !== 0) throw new Error(output.slice(-4000));
}

/** The labels of the complete backups. */
const backups = () =>
  stack.inArchive('pgbackrest --log-level-console=off info --output=json').match(/(?<="label":")[^"]+/g) ?? [];
const now = () => host.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00')");
const count = (database = 'airlock') => host.compose(...psql(database, 'SELECT count(*) FROM probe')).output.trim();
const psql = (database: string, text: string) =>
  ['exec', '--no-TTY', 'postgres', 'psql', '--username=postgres', `--dbname=${database}`, '-XAtc', text] as const;
const look = (text: string) => stack.recover('look', 'airlock', '-XAtc', text).output.trim();
/** PostgreSQL pauses for a minute after three failed attempts. */
const ARCHIVER_MS = 130_000;
/** Finishes a WAL file, and waits until it is in the archive. */
const archive = async () => {
  const file = host.sql('SELECT pg_walfile_name(pg_switch_wal())');
  const isArchived = () => host.sql(`SELECT last_archived_wal >= '${file}' FROM pg_stat_archiver`) === 't';
  const probe = () => Promise.resolve(isArchived() || undefined);
  await waitFor(`${file} in the archive`, probe, ARCHIVER_MS).catch((cause: unknown) => {
    throw new Error(host.compose('logs', '--tail=30', 'postgres', 'archive').output, { cause });
  });
  return file;
};

let beforeDelete: string;

describe('recovery to a moment', () => {
  beforeAll(() => {
    host.sql('CREATE TABLE probe AS SELECT n, repeat(md5(n::text), 4) AS text FROM generate_series(1, 20000) n');
    expectDone(host.compose('exec', '--no-TTY', 'archive', 'archive', 'pgbackrest', 'backup', '--type=diff'));
    host.sql('INSERT INTO probe SELECT 20001, now()::text');
    beforeDelete = now();
    host.sql('DELETE FROM probe');
  });
  afterAll(() => void stack.recover('remove'));

  it('brings back the rows beside the server, and leaves the server as it is', () => {
    const outcome = stack.recover('to', beforeDelete);
    report('docker/recover production to the moment before the delete', `${outcome.seconds.toFixed(1)} s`);
    expect([outcome.status, outcome.output]).toEqual([0, expect.stringContaining(`recovered to ${beforeDelete}`)]);
    expect([look('SELECT count(*) FROM probe'), count()]).toEqual(['20001', '0']);
  });

  it('pauses it: read-only, without an address, and archiving nothing', () => {
    expect(look('SELECT pg_is_in_recovery(), pg_get_wal_replay_pause_state()')).toBe('t|paused');
    expect(look("SELECT current_setting('listen_addresses'), current_setting('archive_mode')")).toBe('|off');
    expect(look('DELETE FROM probe')).toMatch(/read-only transaction/);
    const ask = (port: number) => `(exec 3<>/dev/tcp/archive/${port}) 2>/dev/null && echo open || echo closed`;
    const [{ Id = '' } = {}] = host.containers('postgres');
    // The port of pgBackRest shows that the name and the way are right.
    expect([5432, 8432].map((port) => run('docker', ['exec', Id, 'bash', '-c', ask(port)]))).toEqual([
      'closed',
      'open',
    ]);
  });

  it('is not shown as that of another environment', () => {
    const { status, output } = stack.recoverAs('staging', 'info');
    expect([status, output]).toEqual([64, expect.stringContaining('is of production; expected staging')]);
  });

  it('cannot write the data of the server', () => {
    expect(() => stack.inArchive('touch "$PGDATA/written"')).toThrow(/Read-only file system/);
  });

  it('has the stamp of the original, so that the copy needs another name to leave', () => {
    const stamp = `SELECT system_identifier, database_oid, database_name FROM ops.environment`;
    const place = `SELECT s.system_identifier::text, d.oid, d.datname FROM pg_control_system() s, pg_database d WHERE datname = current_database()`;
    expect(look(stamp)).toBe(look(place));
  });

  it('is refused a second time while a copy exists', () => {
    const { status, output } = stack.recover('to', beforeDelete);
    expect([status, output]).toEqual([3, expect.stringContaining(`a copy exists, recovered to ${beforeDelete}`)]);
  });

  it('leaves as a new database, on which no process starts', () => {
    expectDone(stack.recover('copy', 'airlock', 'airlock_recovered'));
    expect([count('airlock_recovered'), count()]).toEqual(['20001', '0']);
    host.sql('GRANT CONNECT ON DATABASE airlock_recovered TO airlock_migrator');
    const { status, output } = stack.releaseWith('airlock_recovered', 'db', 'status');
    expect([status, output]).toEqual([
      3,
      expect.stringContaining('stamped as "airlock", but this one is "airlock_recovered"'),
    ]);
    expect(stack.release('db', 'status').status).toBe(0);
  });

  it.each([
    ['airlock', 'airlock: exists; expected a name without a database'],
    ['Robert"; --', 'the name "Robert"; --": is not a name for the copy'],
  ])('is not copied to the name %s', (name, problem) => {
    const { status, output } = stack.recover('copy', 'airlock', name);
    expect([status, output]).toEqual([3, expect.stringContaining(problem)]);
  });

  it('leaves as a file of pg_dump', () => {
    expect(stack.recover('dump', 'airlock').output).toMatch(/^PGDMP/);
  });

  it('is removed', () => {
    expect(stack.recover('remove').status).toBe(0);
    expect(stack.recover('look', 'airlock').output).toContain('no copy runs; expected one that was recovered');
    expect(stack.inArchive('ls /var/lib/pgbackrest /tmp')).not.toContain('recovered');
  });
});

describe('a recovery that cannot succeed', () => {
  afterEach(() => {
    expect(stack.inArchive('ls /var/lib/pgbackrest /tmp')).not.toContain('recovered');
    expect(count()).toBe('0');
  });

  it.each([
    ['a word', 'yesterday', 3, 'is not a time with its offset; expected for example "2026-11-28 10:00:00+00"'],
    ['a time without an offset', '2026-11-28 10:00:00', 3, 'is not a time with its offset'],
    ['a day that does not exist', '2026-11-31 10:00:00+00', 3, 'is not a time with its offset'],
    ['the future', '2126-01-01 00:00:00+00', 3, 'is in the future'],
    ['a time before the first backup', '2020-01-01 00:00:00+00', 1, 'no backup that ended before this moment'],
  ])('names the reason: %s', (_, time, code, problem) => {
    const { status, output } = stack.recover('to', time);
    expect([status, output]).toEqual([code, expect.stringContaining(problem)]);
  });

  it('names the reason: another key', () => {
    const file = stack.writeSecret('other_key', 'f'.repeat(64));
    const { status, output } = stack.recoverWith([`--volume=${file}:/run/secrets/archive_key:ro`], 'to', beforeDelete);
    expect([status, output]).toEqual([3, expect.stringContaining('cannot be read with archive_key')]);
    expect(output).not.toContain('f'.repeat(64));
  });

  it('names the reason: an empty repository', () => {
    const { status, output } = stack.recoverWith(['--env=PGBACKREST_REPO1_PATH=/tmp/empty'], 'to', beforeDelete);
    expect([status, output]).toEqual([3, expect.stringContaining('has no history of this server')]);
  });

  const flip = (file: string) =>
    `at=$(($(stat -c %s ${file}) / 2)); byte=$(od -An -tu1 -j $at -N 1 ${file}); ` +
    `printf "\\\\x$(printf %02x $((byte ^ 255)))" | dd of=${file} bs=1 seek=$at conv=notrunc status=none`;

  it('names the reason: a damaged file of the backup', () => {
    const file = stack.inArchive('find /var/lib/pgbackrest/backup/main/*F/bundle -type f | sort | head -n 1');
    stack.inArchive(`chmod u+w ${file}; ${flip(file)}`);
    try {
      const { status, output } = stack.recover('to', beforeDelete);
      expect([status, output]).toEqual([1, expect.stringMatching(/error restoring '.*checksum|zst error/)]);
    } finally {
      stack.inArchive(flip(file));
    }
  });

  describe('in the WAL after the backup', () => {
    let file: string;
    let target: string;
    beforeAll(async () => {
      host.sql('CREATE TABLE later (n int)');
      file = await archive();
      host.sql('INSERT INTO later VALUES (1)');
      await archive();
      target = now();
    });
    const stored = () => stack.inArchive(`find ${WAL} -name '${file}-*'`);

    it('names the file: damaged', () => {
      const path = stored();
      stack.inArchive(`chmod u+w ${path}; ${flip(path)}`);
      try {
        const { status, output } = stack.recover('to', target);
        expect([status, output]).toEqual([1, expect.stringContaining(file)]);
        expect(output).toMatch(/zlib threw error/);
      } finally {
        stack.inArchive(flip(path));
      }
    });

    it('names the file: missing', () => {
      const path = stored();
      stack.inArchive(`mv ${path} /tmp/missing`);
      try {
        const { status, output } = stack.recover('to', target);
        const problem = `the WAL file ${file} is missing in the archive, which has later ones`;
        expect([status, output]).toEqual([1, expect.stringContaining(problem)]);
      } finally {
        stack.inArchive(`mv /tmp/missing ${path}`);
      }
      expectDone(stack.recover('to', target));
      expect(look('SELECT count(*) FROM later')).toBe('1');
      expectDone(stack.recover('remove'));
    });
  });
});

describe('an archive that cannot be written', () => {
  const status = () => stack.release('db', 'status').output;
  const metric = () => {
    const script = "fetch('http://127.0.0.1:9000/metrics').then(async (r) => console.log(await r.text()))";
    const [{ Id = '' } = {}] = host.containers('worker');
    const text = run('docker', ['exec', Id, 'node', '-e', script]);
    return Number(/^backup_archive_behind_seconds (.*)$/m.exec(text)?.[1]);
  };

  it('shows in the status and as a metric, keeps the WAL, and loses nothing once it is repaired', async () => {
    await archive();
    expect([status(), metric()]).toEqual([expect.stringContaining('the archive has 0000'), 0]);
    stack.inArchive(`chmod -R u-w ${WAL}`);
    host.sql('CREATE TABLE outage AS SELECT 1 AS n');
    const file = host.sql('SELECT pg_walfile_name(pg_switch_wal())');
    const during = now();
    await waitFor('a failed attempt', () => Promise.resolve(metric() > 0 || undefined));
    expect(status()).toMatch(/the archive FAILS: it has 0000.* and \d+ attempts failed/);
    expect(host.sql(`SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name = '${file}.ready'`)).toBe('1');

    stack.inArchive(`chmod -R u+w ${WAL}`);
    await archive();
    expect([status(), metric()]).toEqual([expect.not.stringContaining('FAILS'), 0]);
    expectDone(stack.recover('to', during));
    expect(look('SELECT n FROM outage')).toBe('1');
    expectDone(stack.recover('remove'));
  });
});

describe('the service archive', () => {
  const inspect = (service: string, format: string) =>
    run('docker', ['inspect', '--format', format, host.compose('ps', '--all', '--quiet', service).output.trim()]);

  it('takes the next backup after it was killed in the middle of one', async () => {
    host.sql('INSERT INTO probe SELECT n, repeat(md5(n::text), 40) FROM generate_series(1, 100000) n');
    const before = backups();
    const [{ Id = '' } = {}] = host.containers('archive');
    const slow = ['pgbackrest', 'backup', '--type=full', '--compress-level=19', '--no-repo1-bundle'];
    run('docker', ['exec', '--detach', Id, 'archive', ...slow]);
    const begun = `ls -d /var/lib/pgbackrest/backup/main/*F/pg_data 2>/dev/null | wc -l`;
    await waitFor('an unfinished backup', () =>
      Promise.resolve(Number(stack.inArchive(begun)) > before.length - 1 || undefined),
    );
    run('docker', ['kill', Id]);
    expectDone(host.compose('up', '--detach', '--wait', '--no-deps', 'archive'));
    expect(backups()).toEqual(before);
    expectDone(host.compose('exec', '--no-TTY', 'archive', 'archive', 'pgbackrest', 'backup', '--type=full'));
    expect(backups()).toEqual([...before, expect.stringMatching(/^\d{8}-\d{6}F$/)]);
  });

  it('may be stopped: the server stops and starts without it', () => {
    expectDone(host.compose('stop', 'archive'));
    host.sql('CREATE TABLE unarchived (n int)');
    const { seconds } = host.compose('stop', 'postgres');
    report('stop of PostgreSQL without its archive', `${seconds.toFixed(1)} s`);
    expect(inspect('postgres', '{{.State.ExitCode}}')).toBe('0');
    expectDone(host.compose('up', '--detach', '--wait', 'postgres', 'archive'));
    expect(count('airlock')).toBe('100000');
  });

  it('shows no secret in a configuration or log', () => {
    const seen = run('docker', ['inspect', ...host.containers().map(({ Id }) => Id)]) + host.compose('logs').output;
    const secrets = [...Object.values(host.passwords), stack.archiveKey];
    expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
  });
});

describe('a server that is lost with its volume', () => {
  it('is recovered into a new one, which the archive accepts after stanza-upgrade', async () => {
    const before = now();
    host.sql('CREATE TABLE last (n int)');
    await archive();
    const after = now();
    expectDone(host.compose('down'));
    run('docker', ['volume', 'rm', `${host.project}_postgres`]);
    expectDone(host.compose('up', '--detach', '--wait', 'postgres', 'archive'));
    expectDone(host.compose('run', '--rm', '--no-deps', '--no-TTY', 'provision'));
    expect(host.sql("SELECT to_regclass('probe') IS NULL")).toBe('t');

    const { status, output } = stack.recover('to', after);
    expect([status, output]).toEqual([
      1,
      expect.stringMatching(/last completed transaction was at log time .*choose a moment before it/s),
    ]);
    expectDone(stack.recover('to', before));
    expectDone(stack.recover('copy', 'airlock', 'airlock_recovered'));
    expectDone(stack.recover('remove'));
    expect(count('airlock_recovered')).toBe('100000');

    expect(stack.release('db', 'status').output).toContain('the archive FAILS: it has nothing yet');
    stack.inArchive('pgbackrest stanza-upgrade && pgbackrest backup --type=full');
    await archive();
    expect(stack.release('db', 'status').output).toContain('the archive has 0000');
    expectDone(stack.recover('to', before));
    expect(look('SELECT count(*) FROM probe')).toBe('100000');
  });
});

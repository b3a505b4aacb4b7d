import { type ClusterMark, createMarkSetting } from './cluster-mark.js';

type Settings = Readonly<Record<string, string | number>>;

/**
 * Reachable only by TCP on the loopback address. All settings are on the command line, so no file can be edited or
 * drift.
 */
const COMMON: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Inside the data folder, so that it is removed with it: the default, /dev/shm, is not cleared after a SIGKILL.
  dynamic_shared_memory_type: 'mmap',
  password_encryption: 'scram-sha-256',
  log_line_prefix: '%m [%p] %q%u@%d ',
};

const DURABLE: Settings = { ...COMMON, max_connections: 100, shared_buffers: '128MB' };

/** No data outlives the run, so none is protected against a crash; fewer background processes start faster. */
const DISPOSABLE: Settings = {
  ...COMMON,
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  wal_init_zero: 'off',
  wal_recycle: 'off',
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  io_method: 'sync',
  jit: 'off',
  max_connections: 200,
  shared_buffers: '64MB',
  // The password is random and the address is loopback, so slow password hashing would only slow down each connection.
  scram_iterations: 1,
};

export interface ServerArguments {
  readonly durable: boolean;
  readonly port: number;
  readonly dataDir: string;
  readonly mark: ClusterMark;
}

export function listServerArguments({ durable, port, dataDir, mark }: ServerArguments): string[] {
  // The folder again, as a setting: it takes precedence over a postgresql.conf that names another one.
  const settings = { ...(durable ? DURABLE : DISPOSABLE), port, data_directory: dataDir };
  const options = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return ['-D', dataDir, ...[...options, createMarkSetting(mark)].flatMap((option) => ['-c', option])];
}

import { ConfigError } from '@airlock/config';

const INVALID_PASSWORD = '28P01';
const INVALID_AUTHORIZATION = '28000';

/** Explains why the server rejects the provisioning role. Both usual causes are in the data of a container. */
export function explainRefusal(user: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  if (error.code === INVALID_PASSWORD) return explainRefusedPassword(user, error);
  const isClosed = error.code === INVALID_AUTHORIZATION && error.message.includes('pg_hba.conf');
  return isClosed ? explainClosedServer(error) : error;
}

function explainRefusedPassword(user: string, cause: unknown): ConfigError {
  const fix = [
    'PostgreSQL stores passwords in its data: a new password in .env does not change them. With Docker Compose, either',
    `  keep the data:   docker compose exec postgres psql --username=${user} --command='\\password'  (enter the password in .env)`,
    '  or start over:   docker compose down --volumes  (deletes the data)',
  ].join('\n  ');
  const expected = 'the password that its data was created with';
  const problem = `the server rejects the password of "${user}"`;
  return new ConfigError([{ name: 'DATABASE_ADMIN_URL', problem, expected, fix }], { cause });
}

function explainClosedServer(cause: unknown): ConfigError {
  const fix = [
    'If the first start of its container was killed, the server is incomplete and has no data: docker compose down --volumes',
    'Otherwise add a line for this client to its pg_hba.conf',
  ].join('\n  ');
  const expected = 'a line in its pg_hba.conf that allows it';
  const problem = 'the server accepts no connection from this machine';
  return new ConfigError([{ name: 'DATABASE_ADMIN_URL', problem, expected, fix }], { cause });
}

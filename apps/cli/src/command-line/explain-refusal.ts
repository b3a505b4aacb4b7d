import { ConfigError } from '@airlock/config';

const INVALID_PASSWORD = '28P01';
const INVALID_AUTHORIZATION = '28000';

/** What to do where the server refuses the role that provisions. Both usual causes are the data of a container. */
export function explainRefusal(user: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  if (error.code === INVALID_PASSWORD) return explainRefusedPassword(user, error);
  const isClosed = error.code === INVALID_AUTHORIZATION && error.message.includes('pg_hba.conf');
  return isClosed ? explainClosedServer(error) : error;
}

function explainRefusedPassword(user: string, cause: unknown): ConfigError {
  const fix = [
    'PostgreSQL keeps passwords in its data: a new one in .env changes nothing there. With Docker Compose, either',
    `  keep the data:   docker compose exec postgres psql --username=${user} --command='\\password'  (give it the one in .env)`,
    '  or start afresh: docker compose down --volumes  (deletes the data)',
  ].join('\n  ');
  const expected = 'the one that its data was made with';
  const problem = `the server refuses the password of "${user}"`;
  return new ConfigError([{ name: 'DATABASE_ADMIN_URL', problem, expected, fix }], { cause });
}

function explainClosedServer(cause: unknown): ConfigError {
  const fix = [
    'A container whose first start was killed leaves such a server, without data: docker compose down --volumes',
    'In any other, add a line to its pg_hba.conf',
  ].join('\n  ');
  const expected = 'a line in its pg_hba.conf that does';
  const problem = 'the server lets nobody in from here';
  return new ConfigError([{ name: 'DATABASE_ADMIN_URL', problem, expected, fix }], { cause });
}

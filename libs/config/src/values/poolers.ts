/** The port of PgBouncer and of managed poolers that are based on it. */
export const POOLER_PORT = 6432;

/** Words in host names that identify pooler programs and services. */
const WORDS = /^(pgbouncer|pgcat|pgpool|pgdog|odyssey|supavisor|pooler)(-\d+)?$/;

/** Whether the name of a host is that of a connection pooler: of Neon, Supabase, RDS Proxy or a container. */
export function isPoolerHost(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  const isProxyOfRds = /\.proxy-[a-z0-9-]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$/.test(labels.join('.'));
  return isProxyOfRds || labels.some((label) => WORDS.test(label) || label.endsWith('-pooler'));
}

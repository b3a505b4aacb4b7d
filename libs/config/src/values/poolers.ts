/** The port that PgBouncer and the managed poolers made of it listen on. */
export const POOLER_PORT = 6432;

/** Programs and services by the words that their hosts are named with. */
const WORDS = /^(pgbouncer|pgcat|pgpool|pgdog|odyssey|supavisor|pooler)(-\d+)?$/;

/** Whether a host is known by its name to be a connection pooler: those of Neon, Supabase, RDS Proxy and containers. */
export function isPoolerHost(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  const isProxyOfRds = /\.proxy-[a-z0-9-]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$/.test(labels.join('.'));
  return isProxyOfRds || labels.some((label) => WORDS.test(label) || label.endsWith('-pooler'));
}

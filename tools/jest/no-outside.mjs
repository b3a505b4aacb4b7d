// Refuses connections of tests to hosts outside, whichever library opens them.
import { isListed } from '../../libs/config/src/values/hosts.ts';
import { installSocketGuard } from '../../libs/service/src/outbound/socket-guard.ts';

/** Where the servers of a test run may be, besides this machine: in Compose they are other services. */
const SERVERS = ['DATABASE_URL', 'DATABASE_MIGRATION_URL', 'DATABASE_ADMIN_URL', 'REDIS_URL'];

/** @param reaches further hosts, such as the network of containers. @returns a function that removes the guard */
export function refuseOutside(reaches = []) {
  const servers = SERVERS.flatMap((name) =>
    URL.canParse(process.env[name] ?? '') ? new URL(process.env[name]).hostname : [],
  );
  const inside = ['127.0.0.1', '::1', 'localhost', ...servers, ...reaches];
  return installSocketGuard({
    mayConnect: (host) => isListed(host, inside),
    describe: (host) =>
      `${host}: is outside of this test; expected a fake, a server on 127.0.0.1, or a reading of what was kept\n` +
      '  docs/outside-services.md',
  });
}

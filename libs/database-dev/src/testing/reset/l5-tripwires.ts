import { type ServerLayer } from './layer.js';
import { problemIf } from './verdict.js';

const MEBIBYTE = 1024 * 1024;
/** More than tests create, and less than users would miss. Constants, so that no environment can raise them. */
const MAX_BYTES = 256 * MEBIBYTE;
const MAX_ROWS = 200_000;

/** Signs that this database is in use, or that a reset would affect more than this database. */
export const tripwires: ServerLayer = {
  id: 'L5',
  title: 'tripwires',
  phase: 'server',
  danger: 'the database is in use, contains real data, or replicates its changes',
  judge({ acting, inside }) {
    const others = acting.sessions.filter(({ pid }) => pid !== inside.pid);
    const links = [...inside.subscriptions, ...inside.foreignAccess, ...acting.slots.map((slot) => `slot ${slot}`)];
    return {
      saw: `${others.length} other sessions, ${Math.ceil(inside.sizeBytes / MEBIBYTE)} MiB, ${inside.rows} rows, links: ${links.join(', ') || 'none'}`,
      problems: [
        ...others.map(({ pid, user, applicationName }) => ({
          problem: `process ${pid} is connected, as ${user} from "${applicationName}"; expected no other session`,
          fix: 'stop it: a development server belongs on the development database',
        })),
        ...links.map((link) => ({
          problem: `the database has the ${link}; expected no link to other systems`,
          fix: 'remove it: a test database has no links',
        })),
        ...problemIf(
          acting.preparedTransactions > 0,
          `the number of prepared transactions in the database is ${acting.preparedTransactions}; expected 0`,
          'COMMIT PREPARED or ROLLBACK PREPARED them',
        ),
        ...inside.strayStamps.map((relation) => ({
          problem: `${relation} is the stamp of another database, restored into this one; expected none`,
          fix: 'find out where its contents come from; drop this database by hand and provision it again',
        })),
        ...problemIf(
          inside.sizeBytes > MAX_BYTES || inside.rows > MAX_ROWS,
          `it holds ${inside.rows} rows in ${Math.ceil(inside.sizeBytes / MEBIBYTE)} MiB; expected at most ${MAX_ROWS} rows and ${MAX_BYTES / MEBIBYTE} MiB`,
          'inspect its contents: they may be a dump of real data',
        ),
      ],
    };
  },
};

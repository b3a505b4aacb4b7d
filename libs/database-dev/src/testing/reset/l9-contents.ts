import { describeObject, findUnknownObjects, listObjects } from '../contents/objects.js';
import { type ServerLayer } from './layer.js';
import { problemIf } from './verdict.js';

/** They say that something leads out of the database, or protects it: the tripwires and the protected side name them. */
const JUDGED_ELSEWHERE = ['publication', 'subscription', 'server', 'foreign-data wrapper', 'event trigger'];

/** Everything in the database is made by provisioning or by a migration. */
export const contents: ServerLayer = {
  id: 'L9',
  title: 'contents',
  phase: 'server',
  danger: 'other data is kept in the test database, and is lost with it',
  judge({ inside, known, address }) {
    const unknown = findUnknownObjects(inside.objects, known).filter(({ kind }) => !JUDGED_ELSEWHERE.includes(kind));
    return {
      saw: `${inside.objects.length} objects; made by no migration: ${unknown.map(describeObject).slice(0, 3).join(', ') || 'none'}`,
      problems: problemIf(
        unknown.length > 0,
        `"${address.database}" holds ${listObjects(unknown)}, made by no migration of this checkout; expected nothing else`,
        'drop it by hand if a test left it there; move it elsewhere if anyone needs it; where a migration of another branch made it, reset from that branch',
      ),
    };
  },
};

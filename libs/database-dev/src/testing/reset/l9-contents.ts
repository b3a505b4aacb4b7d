import { describeObject, findUnknownObjects, listObjects } from '../contents/objects.js';
import { type ServerLayer } from './layer.js';
import { problemIf } from './verdict.js';

/** Links out of the database, or protections of it: the tripwires and the protected side report them. */
const JUDGED_ELSEWHERE = ['publication', 'subscription', 'server', 'foreign-data wrapper', 'event trigger'];

/** Every object in the database was created by provisioning or by a migration. */
export const contents: ServerLayer = {
  id: 'L9',
  title: 'contents',
  phase: 'server',
  danger: 'the test database contains other data, which would be lost',
  judge({ inside, known, address }) {
    const unknown = findUnknownObjects(inside.objects, known).filter(({ kind }) => !JUDGED_ELSEWHERE.includes(kind));
    return {
      saw: `${inside.objects.length} objects; not from a migration: ${unknown.map(describeObject).slice(0, 3).join(', ') || 'none'}`,
      problems: problemIf(
        unknown.length > 0,
        `"${address.database}" holds ${listObjects(unknown)}, which no migration of this checkout creates; expected no other objects`,
        'drop it by hand if a test left it there; move it elsewhere if it is needed; if a migration of another branch created it, reset from that branch',
      ),
    };
  },
};

import { type ServerLayer } from './layer.js';
import { problemIf } from './verdict.js';

/** No database of another environment is on this server. */
export const protectedSide: ServerLayer = {
  id: 'L7',
  title: 'protected side',
  phase: 'server',
  danger: 'an important server also contains a test database, and one mistake affects both',
  judge({ acting, inside }) {
    const neighbours = acting.databases.filter(
      ({ seal }) => seal?.startsWith('airlock ') && !seal.startsWith('airlock testing '),
    );
    return {
      saw: `databases of other environments on this server: ${neighbours.map(({ name }) => name).join(', ') || 'none'}; protections: ${inside.protections.join(', ') || 'none'}`,
      problems: [
        ...neighbours.map(({ name, seal }) => ({
          problem: `the server also contains "${name}", sealed "${seal}"; expected a server only for tests`,
          fix: 'run the tests on the server of compose.test.yml, or on the embedded one',
        })),
        ...problemIf(
          inside.protections.length > 0,
          `the database is protected by ${inside.protections.join(', ')}; expected a test database, which has no such trigger`,
          'find out what this database is; no command here removes its protection',
        ),
      ],
    };
  },
};

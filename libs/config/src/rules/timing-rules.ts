import { environmentsWith } from '../values/environment.js';
import type { VariableName } from '../variables/schema.js';
import { DEPLOYED, EVERYWHERE, type Facts, type ConfigRule, violationIf } from './config-rule.js';

/** The margin between the end of the shutdown and the platform's kill. */
const MARGIN_MS = 5_000;

export const timingRules: readonly ConfigRule[] = [
  {
    title: '`SHUTDOWN_GRACE` below drain + requests + teardown + 5s',
    environments: EVERYWHERE,
    find: ({ values: v }) => {
      const neededMs = (v.SHUTDOWN_DRAIN ?? 0) + (v.SHUTDOWN_REQUESTS ?? 0) + (v.SHUTDOWN_TEARDOWN ?? 0) + MARGIN_MS;
      return violationIf(v.SHUTDOWN_GRACE !== undefined && v.SHUTDOWN_GRACE < neededMs, {
        name: 'SHUTDOWN_GRACE',
        problem: `is ${show(v.SHUTDOWN_GRACE ?? 0)}, so the platform kills the process before the shutdown ends`,
        expected: `at least ${show(neededMs)}: SHUTDOWN_DRAIN + SHUTDOWN_REQUESTS + SHUTDOWN_TEARDOWN + ${show(MARGIN_MS)}`,
        fix: 'raise SHUTDOWN_GRACE and the stop grace period of the platform, or lower the others',
      });
    },
  },
  {
    title: '`REQUEST_TIMEOUT` above `SHUTDOWN_REQUESTS`',
    environments: DEPLOYED,
    find: findCutRequests,
  },
  {
    title: 'the same, if `SHUTDOWN_DRAIN` is more than 0',
    environments: environmentsWith('runsLocally'),
    find: (facts) => ((facts.values.SHUTDOWN_DRAIN ?? 0) > 0 ? findCutRequests(facts) : []),
  },
  {
    title: '`DATABASE_STATEMENT_TIMEOUT` above `REQUEST_TIMEOUT`',
    environments: EVERYWHERE,
    find: (facts) =>
      exceeds(
        facts,
        'DATABASE_STATEMENT_TIMEOUT',
        'REQUEST_TIMEOUT',
        'the database would keep working for a request that has ended',
      ),
  },
  {
    title: '`DATABASE_LOCK_TIMEOUT` above `DATABASE_STATEMENT_TIMEOUT`',
    environments: EVERYWHERE,
    find: (facts) =>
      exceeds(
        facts,
        'DATABASE_LOCK_TIMEOUT',
        'DATABASE_STATEMENT_TIMEOUT',
        'a lock timeout would be reported as a slow statement',
      ),
  },
  {
    title: 'a timeout of 0, which means no limit to PostgreSQL and HTTP clients',
    environments: EVERYWHERE,
    find: ({ values }) =>
      TIMEOUTS.flatMap((name) =>
        violationIf(values[name] === 0, {
          name,
          problem: 'is 0, which means no limit',
          expected: 'a duration such as 5s',
          fix: `remove ${name} to use the default, or set a longer one`,
        }),
      ),
  },
];

const TIMEOUTS = [
  'REQUEST_TIMEOUT',
  'HTTP_CLIENT_TIMEOUT',
  'DATABASE_CONNECT_TIMEOUT',
  'DATABASE_STATEMENT_TIMEOUT',
  'DATABASE_LOCK_TIMEOUT',
  'DATABASE_IDLE_IN_TRANSACTION_TIMEOUT',
] as const satisfies readonly VariableName[];

type Timing = (typeof TIMEOUTS)[number] | 'SHUTDOWN_REQUESTS';

function exceeds({ values }: Facts, name: Timing, limit: Timing, danger: string) {
  const [value = 0, most = Infinity] = [values[name], values[limit]];
  return violationIf(value > most && (most > 0 || limit === 'SHUTDOWN_REQUESTS'), {
    name,
    problem: `is ${show(value)}, above ${limit} of ${show(most)}: ${danger}`,
    expected: `at most ${show(most)}`,
    fix: `lower ${name}, or raise ${limit}`,
  });
}

function findCutRequests(facts: Facts) {
  return exceeds(facts, 'REQUEST_TIMEOUT', 'SHUTDOWN_REQUESTS', 'requests in flight would be aborted at shutdown');
}

function show(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

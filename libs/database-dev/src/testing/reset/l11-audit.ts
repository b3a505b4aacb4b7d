import { AUDIT_FILE } from './audit.js';
import { type StaticLayer } from './layer.js';
import { problemIf } from './verdict.js';

/** Each attempt adds a line to a permanent file. */
export const audit: StaticLayer = {
  id: 'L11',
  title: 'audit',
  phase: 'static',
  danger: 'without a record, a reset cannot be explained to the users who lost data',
  judge({ audit: { problem } }) {
    return {
      saw: `${AUDIT_FILE} ${problem ?? 'is open'}`,
      problems: problemIf(
        problem !== undefined,
        `${AUDIT_FILE} ${problem}; expected a regular file that can be appended to`,
        `remove ${AUDIT_FILE}; the next attempt creates it`,
      ),
    };
  },
};

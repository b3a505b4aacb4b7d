import { AUDIT_FILE } from './audit.js';
import { type StaticLayer } from './layer.js';
import { problemIf } from './verdict.js';

/** Each attempt leaves a line in a file that stays. */
export const audit: StaticLayer = {
  id: 'L11',
  title: 'audit',
  phase: 'static',
  danger: 'a reset that leaves no trace cannot be explained to those who miss their data',
  judge({ audit: { problem } }) {
    return {
      saw: `${AUDIT_FILE} ${problem ?? 'is open'}`,
      problems: problemIf(
        problem !== undefined,
        `${AUDIT_FILE} ${problem}; expected a regular file that takes lines`,
        `remove ${AUDIT_FILE}; the next attempt makes it`,
      ),
    };
  },
};

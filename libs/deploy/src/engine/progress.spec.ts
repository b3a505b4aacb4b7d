import { describe, expect, it } from '@jest/globals';
import { createProgress } from './progress.js';

describe('createProgress', () => {
  it('writes one plain line for each step and each new detail without a terminal', () => {
    expect(tell(false)).toBe(
      '   0.0 s  render\n   0.0 s  roll out\n   0.0 s    1 of 2\n   0.0 s    2 of 2\n   0.0 s  done\n',
    );
  });

  it('rewrites one line on a terminal and keeps one line for each step', () => {
    const text = tell(true);
    expect(text.split('\n')).toHaveLength(4);
    expect(text).toContain('\r\x1b[2K   0.0 s  roll out: 1 of 2\r\x1b[2K');
  });
});

function tell(isTTY: boolean): string {
  let written = '';
  const progress = createProgress({ isTTY, columns: 80, write: (text) => (written += text) }, () => 0);
  progress.step('render');
  progress.step('roll out');
  for (const detail of ['1 of 2', '1 of 2', '2 of 2']) progress.detail(detail);
  progress.end('done');
  return written;
}

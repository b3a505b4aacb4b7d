import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type StaticLayer } from './layer.js';
import { problemIf } from './verdict.js';

/** The code exists only in the workspace: builds leave it out, so anywhere else it was copied. */
export const absence: StaticLayer = {
  id: 'L8',
  title: 'absence',
  phase: 'static',
  danger: 'an image that can reset a database may do so by mistake',
  judge({ runsFrom, workspace }) {
    const isSource = runsFrom.endsWith('.ts') && !/[\\/](dist|node_modules)[\\/]/.test(runsFrom);
    const isWorkspace = existsSync(join(workspace, 'nx.json'));
    return {
      saw: `runs from ${isSource ? 'sources' : 'a build'}, in ${isWorkspace ? 'a workspace' : 'a folder that is not a workspace'}`,
      problems: problemIf(
        !isSource || !isWorkspace,
        `this code runs from ${runsFrom} in ${workspace}; expected the sources of the workspace`,
        'run it in a checkout, at its root',
      ),
    };
  },
};

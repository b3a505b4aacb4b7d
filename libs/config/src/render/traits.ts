import { describePermission, ENVIRONMENTS, permissions, traitsOf } from '../values/environment.js';
import { renderTable } from './markdown-table.js';

/** The table of traits for docs/environments.md. An empty cell means the strict value. */
export function renderTraits(): string {
  const rows = permissions.map((permission) => [
    describePermission(permission),
    ...ENVIRONMENTS.map((environment) => (traitsOf(environment)[permission] ? 'yes' : '')),
  ]);
  return renderTable(['It', ...ENVIRONMENTS], rows);
}

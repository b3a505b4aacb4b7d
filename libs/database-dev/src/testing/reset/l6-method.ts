import { type ServerLayer } from './layer.js';
import { problemIf } from './verdict.js';
import { formatSeal, nameOwner, nameTemplate } from './minted-names.js';

/**
 * Nothing is emptied: a clone of the provisioned template takes the name, and only names generated here are dropped.
 */
export const method: ServerLayer = {
  id: 'L6',
  title: 'method',
  phase: 'server',
  danger: 'the replacement of the test database was not provisioned, or an interrupted swap cannot be reverted',
  judge({ acting, address, journal }) {
    const name = nameTemplate(address.database);
    const owner = nameOwner(address.database);
    const template = acting.databases.find((entry) => entry.name === name);
    const current = acting.databases.find((entry) => entry.name === address.database);
    const seal = template && formatSeal(acting.systemIdentifier, template.oid);
    const isForeign = typeof journal === 'object' && journal.systemIdentifier !== acting.systemIdentifier;
    const elsewhere = [template, current].filter((entry) => entry !== undefined && entry.tablespace !== 'pg_default');
    const isSound = template?.isTemplate && !template.allowsConnections && template.owner === owner;
    return {
      saw: `template ${template ? `${name}, owned by ${template.owner}` : 'absent'}; journal ${typeof journal === 'object' ? `stopped after "${journal.step}"` : (journal ?? 'clear')}`,
      problems: [
        ...problemIf(
          !template,
          `there is no template "${name}"; expected the one that provisioning creates`,
          'airlock db provision',
        ),
        ...problemIf(
          template !== undefined && (!isSound || template.seal !== seal),
          `"${name}" is not the template that provisioning created; expected it closed to sessions, owned by ${owner} and sealed "${seal}"`,
          `find out what "${name}" is; drop it by hand and run airlock db provision`,
        ),
        ...problemIf(
          template?.hasLoginTrigger === true,
          `"${name}" runs an event trigger when a session opens, and so would its clone; expected none`,
          `find out who created it; drop "${name}" by hand and run airlock db provision`,
        ),
        ...elsewhere.map((entry) => ({
          problem: `"${entry?.name}" is in the tablespace ${entry?.tablespace}; expected pg_default, the server's own folder`,
          fix: `find out what "${entry?.name}" is; drop it by hand and run airlock db provision`,
        })),
        ...problemIf(
          current?.owner !== owner,
          `the database belongs to ${current?.owner}; expected ${owner}`,
          'airlock db provision',
        ),
        ...problemIf(
          journal === 'unreadable' || isForeign,
          'the journal of an earlier reset is damaged or from another server; expected the names that it generated',
          'drop the databases that the file in .airlock/reset/ names by hand, and remove the file',
        ),
      ],
    };
  },
};

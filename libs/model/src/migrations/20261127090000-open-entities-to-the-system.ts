import { defineMigration } from '@airlock/database/model';

export const openEntitiesToTheSystem = defineMigration({
  name: '20261127090000-open-entities-to-the-system',
  phase: 'expand',
  statements: [
    // Only for asSystem, which becomes this role for one transaction.
    `CREATE POLICY entities_system ON public.entities TO airlock_system USING (true) WITH CHECK (true)`,
  ],
});

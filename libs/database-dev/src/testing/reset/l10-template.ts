import { findPlantedObjects, listObjects } from '../contents/objects.js';
import { type CloneLayer } from './layer.js';
import { problemIf } from './verdict.js';

/** A clone of the template holds what provisioning makes, and nothing that runs. Judged before anything in it runs. */
export const template: CloneLayer = {
  id: 'L10',
  title: 'template',
  phase: 'clone',
  danger: 'code that lies in the template runs, with the rights of the migrator, while its clone is migrated',
  judge({ objects, template: name }) {
    const planted = findPlantedObjects(objects);
    return {
      saw: `${objects.length} objects in a clone of ${name}`,
      problems: problemIf(
        planted.length > 0,
        `"${name}" holds ${listObjects(planted)}, not as provisioning makes it; expected a template without it`,
        `find out who changed it; then drop it (ALTER DATABASE "${name}" IS_TEMPLATE false; DROP DATABASE "${name}") and run airlock db provision`,
      ),
    };
  },
};

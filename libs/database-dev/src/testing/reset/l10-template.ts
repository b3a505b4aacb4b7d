import { findPlantedObjects, listObjects } from '../contents/objects.js';
import { type CloneLayer } from './layer.js';
import { problemIf } from './verdict.js';

/**
 * A clone of the template contains only objects of provisioning, and no other code. Checked before any code in it runs.
 */
export const template: CloneLayer = {
  id: 'L10',
  title: 'template',
  phase: 'clone',
  danger: 'code in the template runs with the rights of the migrator while its clone is migrated',
  judge({ objects, template: name }) {
    const planted = findPlantedObjects(objects);
    return {
      saw: `${objects.length} objects in a clone of ${name}`,
      problems: problemIf(
        planted.length > 0,
        `"${name}" holds ${listObjects(planted)}, which provisioning did not create like this; expected a template without it`,
        `find out who changed it; then drop it (ALTER DATABASE "${name}" IS_TEMPLATE false; DROP DATABASE "${name}") and run airlock db provision`,
      ),
    };
  },
};

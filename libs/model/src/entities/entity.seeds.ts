import { defineSeeds } from '@airlock/database/model';
import type { EntityRecord } from './entity.entity.js';

const COLOURS = ['Amber', 'Coral', 'Indigo', 'Olive', 'Teal', 'White'];
const NOUNS = ['beacon', 'compass', 'espresso machine', 'harbour chart', 'lantern', 'logbook', 'oar', 'sextant'];
const TAGS = ['fragile', 'lent', 'new', 'on loan', 'repaired', 'spare'];
/** One letter, apostrophes, other scripts, right to left, an emoji of several code points, 200 characters. */
const UNUSUAL = [
  ...[
    'Q',
    'Captain’s “best” chair',
    'Ångström-Lineal 30 cm',
    '六分儀',
    'बोतल',
    'فانوس البحر',
    'מצפן ישן',
    '👩‍🔧 toolbox',
  ],
  `Rope, ${'very '.repeat(37)}long rope`,
];

export const entitySeeds = defineSeeds<EntityRecord>({
  table: 'entities',
  key: ['id'],
  create({ userId, index, sample }) {
    const createdAt = sample.date();
    const isChanged = sample.chance(20);
    const colour = sample.pick(COLOURS);
    return [
      {
        id: sample.id(createdAt),
        ownerId: userId,
        name: sample.chance(10) ? sample.pick(UNUSUAL) : `${colour} ${sample.pick(NOUNS)} ${index + 1}`,
        attributes: {
          colour: colour.toLowerCase(),
          priority: sample.integer(0, 4),
          ...(sample.chance(50) && { tags: [sample.pick(TAGS)] }),
          ...(sample.chance(30) && { contact: sample.person() }),
          ...(sample.chance(10) && { note: sample.words(20, 120) }),
        },
        version: isChanged ? sample.integer(2, 9) : 1,
        createdAt,
        updatedAt: isChanged ? sample.date({ after: createdAt, days: 90 }) : createdAt,
      },
    ];
  },
});

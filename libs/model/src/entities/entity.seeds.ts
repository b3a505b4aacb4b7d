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
  create({ userId, index, fake }) {
    const createdAt = fake.date();
    const isChanged = fake.chance(20);
    const colour = fake.pick(COLOURS);
    return [
      {
        id: fake.id(createdAt),
        ownerId: userId,
        name: fake.chance(10) ? fake.pick(UNUSUAL) : `${colour} ${fake.pick(NOUNS)} ${index + 1}`,
        attributes: {
          colour: colour.toLowerCase(),
          priority: fake.integer(0, 4),
          ...(fake.chance(50) && { tags: [fake.pick(TAGS)] }),
          ...(fake.chance(30) && { contact: fake.person() }),
          ...(fake.chance(10) && { note: fake.words(20, 120) }),
        },
        version: isChanged ? fake.integer(2, 9) : 1,
        createdAt,
        updatedAt: isChanged ? fake.date({ after: createdAt, days: 90 }) : createdAt,
      },
    ];
  },
});

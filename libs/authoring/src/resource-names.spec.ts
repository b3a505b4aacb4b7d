import { describe, expect, it } from '@jest/globals';
import { articleOf, parseResourceNames, spell } from './resource-names.js';
import { renameIn } from './rename.js';

describe('parseResourceNames', () => {
  it.each([
    ['notes', 'note'],
    ['companies', 'company'],
    ['boxes', 'box'],
    ['batches', 'batch'],
    ['addresses', 'address'],
    ['houses', 'house'],
    ['keys', 'key'],
    ['order-items', 'order-item'],
    ['orders', 'order'],
  ])('treats %s as the plural of %s', (plural, singular) => {
    expect(parseResourceNames(plural).singular.kebab).toBe(singular);
  });
});

describe('articleOf', () => {
  it.each([
    'an order',
    'an hour',
    'an umbrella',
    'an invoice',
    'a note',
    'a user',
    'a unit',
    'an unnamed',
    'a one off',
  ])('returns the article of %s', (spoken) => {
    const [article, ...words] = spoken.split(' ');
    expect(articleOf(spell(words.join('-')))).toBe(article);
  });
});

describe('renameIn', () => {
  const from = parseResourceNames('parcels');
  const to = parseResourceNames('order-items');
  const rename = (source: string) => renameIn(source, { from, to });

  it.each([
    [
      `import { parcelSchema } from './parcel.schemas.js';`,
      `import { orderItemSchema } from './order-item.schemas.js';`,
    ],
    ['class ParcelsService {}', 'class OrderItemsService {}'],
    ['const PARCELS = newParcel;', 'const ORDER_ITEMS = newOrderItem;'],
    [`@Controller('parcels') class A {}`, `@Controller('order-items') class A {}`],
    ['x(`/api/v1/parcels/${parcel.id}`);', 'x(`/api/v1/order-items/${orderItem.id}`);'],
    [`const a = { table: 'parcels' };`, `const a = { table: 'order_items' };`],
    [
      'const a = `SELECT parcels.id FROM parcels WHERE ${b}`;',
      'const a = `SELECT order_items.id FROM order_items WHERE ${b}`;',
    ],
    ['const a = { parcels_pkey: 1 };', 'const a = { order_items_pkey: 1 };'],
    [`const a = 'Create a parcel';`, `const a = 'Create an order item';`],
    [`const a = { id: 'NewParcel' };`, `const a = { id: 'NewOrderItem' };`],
    ['// Parcels of an owner; see ParcelsService.', '// Order items of an owner; see OrderItemsService.'],
    ['// A parcel is sent.', '// An order item is sent.'],
    ['const parcelled = 1;', 'const parcelled = 1;'],
  ])('writes %s as %s', (source, expected) => {
    expect(rename(source)).toEqual({ text: expected, clashes: [] });
  });

  it('does not rename imports from other folders', () => {
    const source = `import { Parcel } from 'post';\nimport { parcels } from './parcels.js';\n`;
    expect(rename(source).text).toBe(
      `import { Parcel } from 'post';\nimport { orderItems } from './order-items.js';\n`,
    );
  });

  it('renames imports in a file of a subfolder', () => {
    expect(rename(`import { parcelSchema } from '../parcel.schemas.js';`).text).toBe(
      `import { orderItemSchema } from '../order-item.schemas.js';`,
    );
  });

  it('finds a new name that the source already uses', () => {
    expect(rename('const orderItem = 1; const parcel = 2;').clashes).toEqual(['orderItem']);
    expect(rename('const parcel = { orderItem: 1 };').clashes).toEqual([]);
  });

  it('renames a name of several words to one word', () => {
    const source = `// An order item\nconst orderItem = { 'order-items': 'order_items', text: 'two order items' };`;
    expect(renameIn(source, { from: to, to: from }).text).toBe(
      `// A parcel\nconst parcel = { 'parcels': 'parcels', text: 'two parcels' };`,
    );
  });
});

import { createHash } from 'node:crypto';
import type { SeedRow, SeedRows } from '@airlock/database/model';

/** A seed never overwrites: a row that a developer changed stays changed. */
const SQL = `
INSERT INTO public.entities (id, owner_id, name, attributes, created_at, updated_at)
SELECT id, owner_id, name, attributes, created_at, created_at
  FROM jsonb_to_recordset($1::jsonb)
    AS row (id uuid, owner_id text, name text, attributes jsonb, created_at timestamptz)
    ON CONFLICT (id) DO NOTHING`;

const OWNERS = ['user_ada', 'user_grace', 'user_linus'] as const;
const NOUNS = ['Beacon', 'Compass', 'Harbour', 'Lantern', 'Meridian', 'Pier', 'Quay', 'Sextant'] as const;
const COLOURS = ['amber', 'coral', 'indigo', 'olive', 'teal'] as const;
/** A fixed time, so that the rows never change. */
const EPOCH_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

/** Ids, times and contents depend only on the number of the row. */
export const seedRows: SeedRows = { sql: SQL, createRow };

function createRow(index: number): SeedRow {
  const random = createHash('sha256').update(`seed ${index}`).digest();
  const createdAtMs = EPOCH_MS + index * MINUTE_MS;
  const userId = OWNERS[index % OWNERS.length] as string;
  const values = {
    id: createUuidV7(createdAtMs, random),
    owner_id: userId,
    name: `${pick(NOUNS, random, 0)} ${index + 1}`,
    attributes: { colour: pick(COLOURS, random, 1), priority: (random[2] ?? 0) % 5 },
    created_at: new Date(createdAtMs).toISOString(),
  };
  return { userId, values };
}

function pick<T>(choices: readonly T[], random: Buffer, at: number): T {
  return choices[(random[at] ?? 0) % choices.length] as T;
}

/** RFC 9562: 48 bits of time, then version, variant and bits that are derived from the seed. */
function createUuidV7(timeMs: number, random: Buffer): string {
  const time = timeMs.toString(16).padStart(12, '0');
  const tail = random.toString('hex');
  const variant = ((parseInt(tail.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-${variant}${tail.slice(4, 7)}-${tail.slice(7, 19)}`;
}

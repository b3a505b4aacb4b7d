import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { WORKSPACE_ROOT } from './workspace-root.js';

const CONTROLLER = `import { Controller, Get } from '@nestjs/common';
import { type Parcel, parcelSchema } from './parcel.schemas.js';

@Controller('parcels')
export class ParcelsController {
  @Get()
  @Operation({ summary: 'Read a parcel', schema: parcelSchema })
  read(): Parcel {
    return { id: '1' };
  }
}
`;
const MIGRATION = `import { defineMigration } from '@airlock/database/model';

export const createParcels = defineMigration({
  name: '20260101000000-create-parcels',
  phase: 'expand',
  statements: [
    \`CREATE TABLE public.parcels (id uuid, CONSTRAINT parcels_pkey PRIMARY KEY (id))\`,
    \`CREATE TABLE public.labels (parcel_id uuid REFERENCES public.parcels (id))\`,
    // Pages go by id.
    \`CREATE INDEX parcels_id_idx ON public.parcels (id)\`,
  ],
});
`;
const NICKNAME = `import { defineMigration } from '@airlock/database/model';

export const addNickname = defineMigration({
  name: '20260102000000-add-nickname',
  phase: 'expand',
  statements: [\`ALTER TABLE public.parcels ADD COLUMN nickname text\`],
});
`;
const FILES = {
  '.prettierrc.json': '{ "singleQuote": true, "printWidth": 120 }',
  'apps/api/openapi.json': `{ "components": { "schemas": { "Parcel": {}, "Page": {} } } }`,
  'apps/api/src/app.module.ts': `import { ParcelsModule } from './parcels/parcels.module.js';\n\nexport const imports = [ParcelsModule];\n`,
  'apps/api/src/parcels/parcels.controller.ts': CONTROLLER,
  'apps/api/src/parcels/parcels.module.ts': `export class ParcelsModule {}\n`,
  'apps/api/src/parcels/rules/weight.ts': `export const parcelWeight = 1;\n`,
  'apps/api/src/parcels/parcels.spec.ts': `import './parcels.module.js';\n`,
  'apps/api/src/parcels/parcel.schemas.ts': `export const parcelSchema = {};\nexport type Parcel = { id: string };\n`,
  'libs/jobs/src/index.ts': `import { weigh } from './weigh.js';\n\nexport { weigh };\n\nexport const jobs = [weigh] as const;\n`,
  'libs/jobs/src/weigh.ts': `export const weigh = {};\n`,
  'libs/model/src/model.ts': `export const model = { cachedTables: ['parcels'] };\n`,
  'libs/model/src/entities/index.ts': `import { parcelClasses, ParcelRecord } from './parcel.entity.js';

export const all = [ParcelRecord];

export const classes = Object.fromEntries([parcelClasses]);
`,
  'libs/model/src/entities/parcel.entity.ts': `@Entity({ name: 'parcels' })
export class ParcelRecord {}

export const parcelClasses = classify<ParcelRecord>('parcels', { id: 'internal' });
`,
  'libs/model/src/entities/parcel.seeds.ts': `import type { ParcelRecord } from './parcel.entity.js';

export const parcelSeeds = defineSeeds<ParcelRecord>({ table: 'parcels', key: ['id'], create: () => [{ id: '1' }] });
`,
  'libs/model/src/entities/seeds.ts': `import { parcelSeeds } from './parcel.seeds.js';

export const seeds = { users: ['user_ada'], tables: [parcelSeeds] };
`,
  'libs/model/src/migrations/20260101000000-create-parcels.ts': MIGRATION,
  'libs/model/src/migrations/20260102000000-add-nickname.ts': NICKNAME,
  'libs/model/src/migrations/index.ts': `import type { Migration } from '@airlock/database/model';
import { createParcels } from './20260101000000-create-parcels.js';
import { addNickname } from './20260102000000-add-nickname.js';

export const migrations: readonly Migration[] = [createParcels, addNickname];
`,
  'libs/model/src/schema.sql': `CREATE TABLE public.labels ();\nCREATE TABLE public.parcels ();\n`,
};
/** The sources of this workspace that a generator changes. */
const COPIED = [
  '.gitignore',
  'compose.override.yml',
  'eslint.config.mjs',
  'package-lock.json',
  'libs/config/src',
  'checks/package.json',
  'docker/package.json',
];

/** A workspace with one resource, `parcels`, in its own folder. */
export class ScratchWorkspace {
  readonly root = mkdtempSync(join(tmpdir(), 'authoring-'));

  constructor() {
    for (const [path, text] of Object.entries(FILES)) this.write(path, text);
    for (const path of COPIED) cpSync(join(WORKSPACE_ROOT, path), join(this.root, path), { recursive: true });
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Every file and folder with its content, to compare. */
  snapshot(): Record<string, string> {
    const entries = globSync('**/*', { cwd: this.root, withFileTypes: true });
    return Object.fromEntries(
      entries.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path, entry.isFile() ? readFileSync(path, 'utf8') : ''];
      }),
    );
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

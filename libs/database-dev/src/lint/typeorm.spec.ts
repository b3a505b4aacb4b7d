import { beforeAll, describe, expect, it } from '@jest/globals';
import { EntitySchema } from 'typeorm';
import { createDataSource } from '@airlock/database/internal';
import { defineMigration } from '@airlock/database/model';
import { useScratchCluster } from '@airlock/database/fixtures';
import { sampleModel } from '@airlock/database/sample';
import { lintMigrations } from './lint.js';
import type { LintFinding } from './rules/lint-rule.js';

const cluster = useScratchCluster();

const Author = new EntitySchema<Record<string, unknown>>({
  name: 'Author',
  schema: 'public',
  columns: {
    id: { type: 'uuid', primary: true, default: () => 'gen_random_uuid()' },
    name: { type: String },
    email: { type: 'character varying', unique: true },
    isActive: { type: Boolean, default: true },
    tags: { type: 'simple-array', nullable: true },
    settings: { type: 'simple-json', nullable: true },
    attributes: { type: 'jsonb', default: {} },
    labels: { type: 'text', array: true, default: '{}' },
    price: { type: 'numeric', precision: 10, scale: 2, default: 0 },
    createdAt: { type: 'timestamptz', precision: 6, createDate: true },
    deletedAt: { type: 'timestamptz', deleteDate: true },
  },
  checks: [{ expression: '"price" >= 0' }],
  indices: [{ columns: ['name', 'createdAt'] }],
});

const BlogPost = new EntitySchema<Record<string, unknown>>({
  name: 'BlogPost',
  schema: 'public',
  columns: {
    id: { type: 'uuid', primary: true, default: () => 'gen_random_uuid()' },
    title: { type: String },
    status: { type: 'enum', enum: ['draft', 'published'], default: 'draft' },
  },
  relations: {
    author: { type: 'many-to-one', target: 'Author', joinColumn: true, onDelete: 'CASCADE' },
    readers: { type: 'many-to-many', target: 'Author', joinTable: true },
  },
});

/** Statements that TypeORM writes for tables with rows. */
const LATER = [
  `ALTER TABLE "public"."author" ADD "nickname" character varying`,
  `ALTER TABLE "public"."author" ADD "visits" integer NOT NULL DEFAULT '0'`,
  `ALTER TABLE "public"."author" ADD "origin" jsonb NOT NULL DEFAULT '{}'`,
  `ALTER TABLE "public"."author" ADD "seenAt" TIMESTAMP(6) WITH TIME ZONE NOT NULL DEFAULT now()`,
  `ALTER TABLE "public"."author" ALTER COLUMN "name" SET DEFAULT ''`,
  `COMMENT ON COLUMN "public"."author"."name" IS 'as it is printed'`,
  `CREATE INDEX CONCURRENTLY IF NOT EXISTS "IDX_b5a1e9b8a5f1c5f1d3a1f0c6e2" ON "public"."author" ("isActive", "createdAt")`,
];

describe('a migration that TypeORM generates', () => {
  let generated: readonly string[];
  let findings: readonly LintFinding[];

  beforeAll(async () => {
    const { config } = await cluster.create();
    const dataSource = await createDataSource(config, { entities: [Author, BlogPost] }).initialize();
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    await dataSource.destroy();
    generated = upQueries.map(({ query }) => query);
    const define = (index: number, statements: readonly string[], transaction?: false) =>
      defineMigration({
        name: `29990101${String(index).padStart(6, '0')}-generated`,
        phase: 'expand',
        ...(transaction === false && { transaction }),
        statements,
      });
    const added = [
      define(
        1,
        generated.filter((sql) => !sql.startsWith('CREATE TYPE')),
      ),
      define(2, generated.map(qualify)),
      ...LATER.map((sql, index) => define(3 + index, [sql], sql.includes('CONCURRENTLY') ? false : undefined)),
    ];
    ({ findings } = await lintMigrations({
      ...sampleModel,
      isAll: true,
      migrations: [...sampleModel.migrations, ...added],
    }));
  }, 180_000);

  const rules = (index: number) => [
    ...new Set(
      findings
        .filter(
          ({ migration, rule }) => migration.startsWith(`2999010100000${index}`) && rule !== 'unclassified-column',
        )
        .map(({ rule }) => rule),
    ),
  ];

  it('contains the subjects of this spec: PK_ and UQ_ names, strings without a length, an enum, relations', () => {
    const text = generated.join('\n');
    for (const part of [/"PK_\w+"/, /"UQ_\w+"/, /character varying NOT/, /AS ENUM/, /"FK_\w+"/, /TIMESTAMP\(6\)/])
      expect(text).toMatch(part);
  });

  it('must name its schemas', () => {
    expect(rules(1)).toEqual(['unqualified-name']);
  });

  it('passes with schemas, except for its enum and the key without an index', () => {
    expect(rules(2).sort()).toEqual(['create-enum', 'unindexed-foreign-key']);
  });

  it.each(LATER.map((sql, index) => [sql, index] as const))('passes on existing tables: %s', (_, index) => {
    expect(rules(3 + index)).toEqual([]);
  });
});

/** TypeORM omits the default schema of its connection. */
function qualify(sql: string): string {
  return sql.replaceAll(/\b(TABLE|ON|REFERENCES) ("\w+")(?!\.)/g, '$1 "public".$2');
}

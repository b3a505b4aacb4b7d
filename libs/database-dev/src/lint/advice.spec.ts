import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { useScratchCluster } from '@airlock/database/fixtures';
import { withDrafts } from './draft-folder.fixture.js';
import { lintFiles } from './lint-files.js';
import type { LintFinding } from './rules/lint-rule.js';
import { loadSqlFile } from './sql-file.js';

const cluster = useScratchCluster();

/**
 * One object of each kind, with names that need quotes: capitals, spaces, dots, quotes, reserved words, other scripts.
 */
const SCHEMA = `
CREATE SCHEMA "My Schema";
CREATE TYPE "My Schema"."Mood" AS ENUM ('so ''so''', 'Happy');
CREATE TABLE "My Schema"."Order" (
  "Id" bigint NOT NULL, "customer.Id" bigint, "user" text DEFAULT 'x', "He said ""hi""" text, "Größe$" integer DEFAULT 1,
  "Mood" "My Schema"."Mood");
CREATE TABLE "My Schema"."Customer ""A""" ("Id" bigint PRIMARY KEY, "group" text);
CREATE UNIQUE INDEX "Order.Id key" ON "My Schema"."Order" ("Id");
CREATE INDEX "Order ""state"" idx" ON "My Schema"."Order" ("user");
CREATE TABLE "My Schema"."Events" ("Id" bigint) PARTITION BY RANGE ("Id");
CREATE TABLE "My Schema"."Events 1" PARTITION OF "My Schema"."Events" FOR VALUES FROM (1) TO (100);
CREATE FUNCTION "My Schema"."Touch"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION "My Schema"."Roll"() RETURNS double precision LANGUAGE sql VOLATILE AS 'SELECT random()';
CREATE TRIGGER "On Touch" BEFORE UPDATE ON "My Schema"."Order" FOR EACH ROW EXECUTE FUNCTION "My Schema"."Touch"();
CREATE DOMAIN "My Schema"."Positive" AS numeric(10, 2) CHECK (VALUE > 0);
CREATE DOMAIN "My Schema"."Token" AS uuid DEFAULT gen_random_uuid();
CREATE TABLE "My Schema"."Book" ("Id" bigint UNIQUE, "Owner ""O""" text, "isbn (13)" text);
ALTER TABLE "My Schema"."Book" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Own" ON "My Schema"."Book" USING ("Owner ""O""" = current_setting('app.user_id', true));
CREATE TABLE "My Schema"."Page USING btree (" (
  "user" text, "code" text CONSTRAINT "UQ Code" UNIQUE, "Book.Id" bigint CONSTRAINT "FK ON DELETE CASCADE"
  REFERENCES "My Schema"."Book" ("Id") ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE);
CREATE UNIQUE INDEX "Page, (lower)" ON "My Schema"."Page USING btree (" (lower("code") DESC) WHERE "code" <> '';
INSERT INTO "My Schema"."Customer ""A""" VALUES (1, 'g');
INSERT INTO "My Schema"."Order" ("Id", "customer.Id", "He said ""hi""") VALUES (1, 1, 'h');
`;

const ORDER = `"My Schema"."Order"`;
const BOOK = `"My Schema"."Book"`;
const PAGE = `"My Schema"."Page USING btree ("`;
const OWN_PAGES = `CREATE POLICY "Own" ON ${PAGE} USING ("user" = current_setting('app.user_id', true))`;
const CUSTOMER = `"My Schema"."Customer ""A"""`;

/** The bad statement of each rule whose advice contains SQL, with those names. */
const DRAFTS: Readonly<Record<string, string>> = {
  'set-not-null': `ALTER TABLE ${ORDER} ALTER COLUMN "He said ""hi""" SET NOT NULL`,
  'add-not-null-validating': `ALTER TABLE ${ORDER} ADD CONSTRAINT "Must be" NOT NULL "user"`,
  'add-column-references': `ALTER TABLE ${ORDER} ADD COLUMN "Payer.Id" bigint CONSTRAINT "Payer REFERENCES" REFERENCES ${CUSTOMER} ("Id") ON DELETE SET NULL DEFERRABLE CHECK ("Payer.Id" > 0)`,
  'add-foreign-key': `ALTER TABLE ${ORDER} ADD CONSTRAINT "FK_Order, (old)" FOREIGN KEY ("customer.Id") REFERENCES ${CUSTOMER} ("Id") ON DELETE CASCADE`,
  'add-foreign-key-unnamed': `ALTER TABLE ${ORDER} ADD FOREIGN KEY ("customer.Id") REFERENCES ${CUSTOMER}, ADD COLUMN n text`,
  'add-check': `ALTER TABLE ${ORDER} ADD CONSTRAINT "CHK_a""b" CHECK ("Größe$" IN (1, 2) AND "user" <> 'a, b)') -- sure\n, ADD COLUMN m text`,
  'add-unique': `ALTER TABLE ${ORDER} ADD CONSTRAINT "UQ_Order" UNIQUE NULLS NOT DISTINCT ("user", "Größe$") INCLUDE ("Id")`,
  'add-unique-unnamed': `ALTER TABLE ${ORDER} ADD UNIQUE ("user", "Größe$")`,
  'add-primary-key': `ALTER TABLE ${ORDER} ADD CONSTRAINT "PK_Order" PRIMARY KEY ("Id")`,
  'validate-with-add': `ALTER TABLE ${ORDER} ADD CONSTRAINT "CHK Later" CHECK ("Id" > 0) NOT VALID;\nALTER TABLE ${ORDER} VALIDATE CONSTRAINT "CHK Later"`,
  'change-column-type': `ALTER TABLE ${ORDER} ALTER COLUMN "Größe$" TYPE numeric(10, 2) USING "Größe$"::numeric`,
  'volatile-default': `ALTER TABLE ${ORDER} ADD COLUMN "Dice" double precision DEFAULT "My Schema"."Roll"() NOT NULL`,
  'volatile-default-of-domain': `ALTER TABLE ${ORDER} ADD COLUMN "Token" "My Schema"."Token"`,
  'add-domain-column': `ALTER TABLE ${ORDER} ADD COLUMN "Price" "My Schema"."Positive"`,
  'add-identity': `ALTER TABLE ${ORDER} ADD COLUMN "No." bigint GENERATED ALWAYS AS IDENTITY`,
  'create-index': `CREATE UNIQUE INDEX "Order Desc" ON ${ORDER} USING btree (lower("user") DESC NULLS LAST, "Größe$") INCLUDE ("Id") WHERE "Id" > 0`,
  'create-index-unnamed': `CREATE INDEX ON ${ORDER} ("customer.Id")`,
  'unnamed-index': `CREATE TABLE "My Schema"."New Table" ("Id" bigint PRIMARY KEY, "select" text);\nCREATE INDEX ON "My Schema"."New Table" ("select", lower("select"))`,
  'unrepeatable-index': `-- transaction: false\nCREATE INDEX CONCURRENTLY "Order Again" ON ${ORDER} ("customer.Id")`,
  'unrepeatable-drop': `-- transaction: false\nDROP INDEX CONCURRENTLY "My Schema"."Order.Id key"`,
  'drop-index': `DROP INDEX "My Schema"."Order ""state"" idx"`,
  reindex: `REINDEX INDEX "My Schema"."Order ""state"" idx"`,
  'detach-partition': `ALTER TABLE "My Schema"."Events" DETACH PARTITION "My Schema"."Events 1"`,
  'disable-trigger': `ALTER TABLE ${ORDER} DISABLE TRIGGER "On Touch"`,
  'rename-table': `ALTER TABLE ${ORDER} RENAME TO "Purchase.Order"`,
  'rename-schema': `ALTER SCHEMA "My Schema" RENAME TO "Your.Schema"`,
  'rename-enum-value': `ALTER TYPE "My Schema"."Mood" RENAME VALUE 'so ''so''' TO 'it''s \\ok'`,
  'set-schema': `ALTER TABLE ${ORDER} SET SCHEMA public`,
  'unindexed-foreign-key': `ALTER TABLE ${ORDER} ADD CONSTRAINT "FK Later" FOREIGN KEY ("customer.Id") REFERENCES ${CUSTOMER} ("Id") NOT VALID`,
  'ownerless-foreign-key': `ALTER TABLE ${BOOK} ADD CONSTRAINT "FK_Next" FOREIGN KEY ("Id") REFERENCES ${BOOK} ("Id") ON DELETE SET DEFAULT NOT VALID`,
  'ownerless-foreign-key-of-older': `${OWN_PAGES};\nALTER TABLE ${PAGE} ENABLE ROW LEVEL SECURITY`,
  'ownerless-unique-key': `-- transaction: false\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "Book ""isbn""" ON ${BOOK} ("isbn (13)" text_pattern_ops, lower("Owner ""O""")) INCLUDE ("Owner ""O""") NULLS NOT DISTINCT`,
  'ownerless-unique-key-of-older': `ALTER TABLE ${PAGE} ENABLE ROW LEVEL SECURITY;\n${OWN_PAGES}`,
  'extension-schema': `CREATE EXTENSION "uuid-ossp"`,
};

const CASES = join(import.meta.dirname, 'cases');

describe('the advice of a finding', () => {
  let findings: readonly LintFinding[];
  let client: Client;
  const statements: Record<string, readonly string[]> = {};

  beforeAll(async () => {
    client = (await cluster.create()).superuser;
    const files = Object.entries(DRAFTS).map(([name, sql]) => [`${name}.sql`, sql] as const);
    await withDrafts({ 'schema.sql': SCHEMA, ...Object.fromEntries(files) }, async (folder) => {
      ({ findings } = await lintFiles(folder));
      for (const name of Object.keys(DRAFTS)) {
        const { migration } = await loadSqlFile(join(folder, `${name}.sql`));
        statements[name] = migration.statements.map(({ sql }) => sql);
      }
    });
  }, 180_000);

  it.each(Object.keys(DRAFTS))('runs when it is pasted: %s', async (name) => {
    const advised = findings.filter(({ migration, instead }) => migration === name && sqlOf(instead).length > 0);
    expect(advised.map(({ rule }) => rule)).toContain(ruleOf(name));
    for (const finding of advised) {
      await client.query(`DROP SCHEMA IF EXISTS "My Schema" CASCADE; DROP SCHEMA IF EXISTS "Your.Schema" CASCADE;
        DROP EXTENSION IF EXISTS "uuid-ossp"; DROP VIEW IF EXISTS public."Order"`);
      await client.query(SCHEMA);
      // A finding about a missing index is reported in addition to the finding of the statement.
      const done = finding.rule === 'unindexed-foreign-key' ? 1 : 0;
      for (const sql of statements[name]?.slice(0, (finding.statement ?? 0) + done) ?? []) await client.query(sql);
      for (const sql of sqlOf(finding.instead)) await client.query(sql);
    }
  });

  it('is tested for every rule that advises SQL', () => {
    const advising = readdirSync(CASES)
      .filter((file) => file.endsWith('.txt') && sqlOf(readFileSync(join(CASES, file), 'utf8')).length > 0)
      .flatMap((file) => [
        ...readFileSync(join(CASES, file), 'utf8').matchAll(/\[([\w-]+)\]\n(?: {2}.*\n)*? {2}.*;$/gm),
      ])
      .map(([, rule]) => rule);
    expect([...new Set(Object.keys(DRAFTS).map(ruleOf))]).toEqual(expect.arrayContaining(advising));
  });
});

function ruleOf(name: string): string {
  return name.replace(/-(unnamed|of-domain|of-older)$/, '').replace('unrepeatable-drop', 'unrepeatable-index');
}

function sqlOf(advice: string): string[] {
  return advice.split('\n').filter((line) => line.trimEnd().endsWith(';'));
}

// The model and the rows of the bench: the tables of every-type.fixture.ts, and more, thirteen in all.
import { defineMigration, identifier, json, personal } from '@airlock/database/model';
import { everyType, plantPeople } from '../../libs/database/src/refresh/every-type.fixture.ts';

const create = (table, columns) =>
  `CREATE TABLE public.${table} (id bigint PRIMARY KEY, user_id text NOT NULL REFERENCES public.people (user_id), ${columns})`;
const owned = { id: 'internal', user_id: 'key' };

/** Table → its columns, the classes of those, and the SELECT list that fills them from a number n. */
const MORE = {
  logins: [
    'address inet NOT NULL, device macaddr, at timestamptz NOT NULL',
    { address: personal(), device: personal(), at: personal() },
    `('93.184.' || n % 250 || '.' || n / 250 % 250)::inet, ('08:00:2b:01:' || to_hex(16 + n % 200) || ':03')::macaddr, timestamptz '2026-03-01' + n * interval '1 second'`,
  ],
  messages: [
    'subject text NOT NULL, body text NOT NULL, sent timestamptz NOT NULL',
    { subject: personal('text'), body: personal('text'), sent: personal() },
    `'cAnArY subject ' || n, 'cAnArY body of message ' || n || repeat(' and words', 8), timestamptz '2026-03-01' + n * interval '1 second'`,
  ],
  documents: [
    'content jsonb NOT NULL, token uuid NOT NULL',
    { content: personal(json({ kind: 'keep', 'author.email': 'email' })), token: personal() },
    `jsonb_build_object('kind', 'letter', 'author', jsonb_build_object('email', 'canary' || n || '@real-mail.com', 'name', 'cAnArY'), 'pages', n % 9), md5(n::text)::uuid`,
  ],
  readings: [
    'value numeric(12, 3) NOT NULL, raw double precision NOT NULL, taken date NOT NULL, kind integer NOT NULL',
    { value: 'internal', raw: 'internal', taken: personal(), kind: 'internal' },
    `n * 1.25, n * 0.5, date '2020-01-01' + n % 2000, n % 7`,
  ],
  labels: [
    'words text[] NOT NULL, code varchar(20) NOT NULL',
    { words: personal('text'), code: personal(identifier('c_')) },
    `ARRAY['cAnArY ' || n % 5000, 'cAnArY two'], 'cAnArY' || n`,
  ],
};

const TABLES_OF_MORE = 5;
const PEOPLE_SHARE = 0.05;

export const model = {
  migrations: [
    ...everyType.migrations,
    defineMigration({
      name: '20261121060000-create-more',
      phase: 'expand',
      statements: Object.entries(MORE).flatMap(([table, [columns]]) => [
        create(table, columns),
        `CREATE INDEX ${table}_user_id_idx ON public.${table} (user_id)`,
      ]),
    }),
  ],
  classes: {
    ...everyType.classes,
    ...Object.fromEntries(Object.entries(MORE).map(([table, [, classes]]) => [table, { ...owned, ...classes }])),
  },
};

/** About `rows` rows: one in twenty is a person, each with an order, an account and a payment. */
export function* fill(rows) {
  const people = Math.round(rows * PEOPLE_SHARE);
  yield plantPeople(people);
  const each = Math.round((rows - 4 * people) / TABLES_OF_MORE);
  for (const [table, [, , list]] of Object.entries(MORE))
    yield `INSERT INTO ${table} SELECT n, 'user_cAnArY' || (1 + n % ${people}), ${list} FROM generate_series(1, ${each}) n`;
  yield 'ANALYZE';
}

/** The columns of which no value may be in the result, by an SQL expression that gives the values of a row. */
export const PERSONAL = {
  people: [
    'user_id',
    'email::text',
    'full_name',
    'given_name',
    'family_name',
    'phone',
    'code::text',
    'address',
    'notes',
    'token::text',
    `encode(photo, 'hex')`,
    'ip::text',
    'net::text',
    `unnest(tags)`,
    'diagnosis',
    'password',
    `doc->>'email'`,
    `doc->'home'->>'street'`,
    'points::text',
  ],
  orders: ['user_id', 'deliver_to'],
  accounts: ['user_id', 'email::text'],
  logins: ['user_id', 'address::text'],
  messages: ['user_id', 'subject', 'body'],
  documents: ['user_id', 'token::text', `content->'author'->>'email'`],
  labels: ['user_id', 'unnest(words)', 'code'],
};

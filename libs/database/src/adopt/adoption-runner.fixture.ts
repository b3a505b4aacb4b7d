// A process that adopts a database until a test kills it.
//   node --import tools/typescript.mjs adoption-runner.fixture.ts '{"place":…}'
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type DatabaseAddress, Secret } from '@airlock/config';
import { defineMigration, type Migration } from '../model/migration.js';
import { type AdoptionPlace } from './adopt.js';
import { adoptWith } from './adoption.fixture.js';

const OWN_PATH = fileURLToPath(import.meta.url);
const ADDRESSES = ['admin', 'app', 'migration'] as const;

export function startAdoption({ place, baseline }: { place: AdoptionPlace; baseline: Migration }): ChildProcess {
  const open = Object.fromEntries(
    ADDRESSES.map((name) => [name, { ...place[name], password: place[name].password.reveal() }]),
  );
  const { name, statements } = baseline;
  const told = JSON.stringify({ place: { ...place, ...open }, name, statements });
  const loader = fileURLToPath(new URL('../../../../tools/typescript.mjs', import.meta.url));
  const child = spawn(process.execPath, ['--import', loader, OWN_PATH], { stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin.end(told);
  return child;
}

interface Told {
  readonly place: AdoptionPlace &
    Record<(typeof ADDRESSES)[number], Omit<DatabaseAddress, 'password'> & { readonly password: string }>;
  readonly name: string;
  readonly statements: Migration['statements'];
}

if (process.argv[1] === OWN_PATH) {
  let text = '';
  for await (const part of process.stdin) text += String(part);
  const { place, name, statements } = JSON.parse(text) as Told;
  const wrapped = Object.fromEntries(
    ADDRESSES.map((one) => [one, { ...place[one], password: new Secret(place[one].password as unknown as string) }]),
  );
  await adoptWith({ ...place, ...wrapped }, defineMigration({ name, phase: 'expand', isBaseline: true, statements }));
}

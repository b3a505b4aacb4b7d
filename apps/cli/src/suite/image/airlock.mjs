#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { call, fault, migrations } from '/app/faults.mjs';

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const has = (flag) => process.argv.includes(flag);
const fail = (code, text) => {
  console.error(text);
  process.exit(code);
};

if (words[0] === 'config') {
  if (process.env.SECRET_KEY_FILE === undefined) fail(78, 'SECRET_KEY: is not set, but staging requires it');
  readFileSync(process.env.SECRET_KEY_FILE);
  console.log('The configuration is valid.');
  process.exit(0);
}

const { environment, applied } = await call('/migrations');
if (environment !== process.env.ENVIRONMENT)
  fail(3, `database: is stamped ${environment}; expected ${process.env.ENVIRONMENT}`);
const done = new Set(applied.map(({ name }) => name));
const known = new Set(migrations.map(({ name }) => name));
const pending = migrations.filter(({ name }) => !done.has(name));

if (words[1] === 'status') {
  const broken = applied.filter(
    ({ name, phase, completes }) => !known.has(name) && phase === 'contract' && !known.has(completes),
  );
  const reasons = broken.map(({ name }) => `${name} removed what this code uses`);
  console.log(
    JSON.stringify({
      environment,
      serverMajor: 18,
      migrations: [
        ...applied.map((one) => ({
          ...(migrations.find(({ name }) => name === one.name) ?? one),
          state: known.has(one.name) ? 'applied' : 'unknown',
        })),
        ...pending.map((one) => ({ ...one, state: 'pending' })),
      ],
      verdict: { state: broken.length > 0 ? 'incompatible' : 'ready', isServing: broken.length === 0, reasons },
    }),
  );
} else if (has('--plan')) {
  console.log(JSON.stringify({ pending }));
} else {
  if (fault === 'migration') fail(1, 'm-bad: statement 1 of 1: column does not exist (42703)');
  for (const migration of pending) await call('/migrations', migration);
  console.log(JSON.stringify({ applied: pending, head: migrations.at(-1)?.name }));
}

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { listFiles, readJson, readText, root } from './repository.js';
import { loadFiles, workflowsOf } from './workflow-files.js';

/** @returns the problem of a command in a document; nothing if the command exists */
export type Judge = (words: readonly string[]) => string | undefined;

/** Programs of others that a document may name; their arguments are not checked. */
const OTHERS = ['curl', 'docker', 'docker/compose', 'docker/pin-images', 'mkdir', 'mv', 'npm', 'openssl', 'ssh-keygen'];

/** Checks commands against their definitions: commander's for `airlock`, the manifests, the Makefile, the workflows. */
export async function createJudge(): Promise<Judge> {
  const program = await loadProgram();
  const judges: Record<string, Judge> = {
    [program.name()]: (words) => judgeAirlock(program, words),
    gh: judgeGh,
    'docker/recover': ([, verb = '']) =>
      readText('docker/postgres/recover').includes(`\n${verb}() {`) ? undefined : `no such command: ${verb}`,
    make: ([target]) => (readText('Makefile').includes(`\n${target}:`) ? undefined : `no such target: ${target}`),
    nx: judgeNx,
  };
  return ([name = '', ...words]) => {
    if (OTHERS.includes(name)) return undefined;
    return judges[name] ? judges[name](words) : `${name}: is not a program that a document may name`;
  };
}

/** The program as main.ts assembles it, without running it. */
async function loadProgram(): Promise<Command> {
  const imports = [...readText('apps/cli/src/main.ts').matchAll(/^import \{ (\w+Command) \} from '\.\/(.+)\.js';$/gm)];
  const program = new Command('airlock');
  for (const [, name = '', file] of imports) {
    const module = (await import(join(root, `apps/cli/src/${file}.ts`))) as Record<string, () => Command>;
    program.addCommand(module[name]?.() ?? new Command('missing'));
  }
  return silence(program);
}

/** Parsing throws instead of exiting, and calls nothing. */
function silence(command: Command): Command {
  command
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .allowExcessArguments(false);
  if (command.commands.length === 0) command.action(() => undefined);
  command.commands.forEach(silence);
  return command;
}

function judgeAirlock(program: Command, words: readonly string[]): string | undefined {
  try {
    program.parse([...words], { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    return error instanceof Error ? error.message : String(error);
  }
}

function judgeNx([verb, target = '', ...rest]: readonly string[]): string | undefined {
  const [project, name] = verb === 'run' ? target.split(':') : [target, verb];
  const manifest = listFiles(/^((apps|libs)\/[^/]+|checks|docker)\/package\.json$/).find(
    (path) => readJson<Manifest>(path).nx?.name === project,
  );
  const found = manifest && name ? readJson<Manifest>(manifest).nx?.targets?.[name] : undefined;
  if (!manifest || !found) return `no such target: ${target}`;
  const missing = rest.filter((word) => /^src\/.*\.ts$/.test(word) && !existsSync(join(root, dirname(manifest), word)));
  return missing.length > 0 ? `${project}: has no ${missing.join()}` : judgeOptions(found.command, rest);
}

/** A target that runs a source file takes the options that this file declares. */
function judgeOptions(command = '', words: readonly string[]): string | undefined {
  const [path] = /apps\/\S+\.ts/.exec(command) ?? [];
  if (path === undefined) return undefined;
  const declared = [...readText(path).matchAll(/\.(option|requiredOption)\(\s*'(--[\w-]+)/g)];
  const given = words.filter((word) => word.startsWith('--'));
  const unknown = given.filter((word) => !declared.some(([, , name]) => name === word));
  const missing = declared.filter(([, kind, name = '']) => kind === 'requiredOption' && !given.includes(name));
  if (unknown.length + missing.length === 0) return undefined;
  return `${path}: options ${unknown.join()} unknown, ${missing.map(([, , name]) => name).join()} missing`;
}

interface Manifest {
  readonly nx?: { readonly name?: string; readonly targets?: Record<string, { readonly command?: string }> };
}

/** `gh workflow run FILE -f name=value …`, the one command of gh whose inputs this repository defines. */
function judgeGh([noun, verb, file = '', ...rest]: readonly string[]): string | undefined {
  if (noun !== 'workflow' || verb !== 'run') return undefined;
  const workflow = workflowsOf(loadFiles()).find(([name]) => name === file)?.[1];
  const inputs = (workflow?.on['workflow_dispatch'] as { inputs: Record<string, { required: boolean }> } | undefined)
    ?.inputs;
  if (!inputs) return `${file}: cannot be started by hand`;
  const given = rest.filter((word) => word !== '-f').map((word) => word.split('=')[0] ?? '');
  const unknown = given.filter((name) => !(name in inputs));
  const missing = Object.keys(inputs).filter((name) => inputs[name]?.required && !given.includes(name));
  return [...unknown, ...missing].length > 0
    ? `${file}: inputs ${unknown.join()} unknown, ${missing.join()} missing`
    : undefined;
}

import type { Violation } from '../values/config-error.js';
import { createConfig, type Config } from './create-config.js';
import type { Environment } from '../values/environment.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import { exportNodeEnv, readProcessEnvironment } from '../sources/process-environment.js';
import { findViolations } from '../rules/find-violations.js';
import type { Values, VariableName } from '../variables/schema.js';
import type { ProgramName } from '../programs/programs.js';
import { loadSources, type SourcedText } from '../sources/sources.js';
import type { Texts } from '../variables/schema.js';
import { validate } from '../variables/validate.js';

export interface LoadOptions {
  /** Default: the process environment. */
  readonly env?: EnvironmentVariables;
  /** The folder whose .env files are used. Default: the working folder. */
  readonly cwd?: string;
  /** `false`: no .env file is read; `env` is complete. For tools that start from a complete environment. */
  readonly files?: boolean;
  /** Reads and requires only the variables of this program. Default: every variable, for commands of an operator. */
  readonly program?: ProgramName | undefined;
}

/** The result of loading a valid or invalid configuration. */
export interface Inspection {
  readonly environment: Environment | undefined;
  readonly file: string | undefined;
  readonly texts: ReadonlyMap<VariableName, SourcedText>;
  readonly values: Partial<Values>;
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
  /** Undefined if there are violations. */
  readonly config: Config | undefined;
}

export function inspectConfig({ env, cwd, files = true, program }: LoadOptions = {}): Inspection {
  const variables = env ?? readProcessEnvironment();
  const folder = cwd ?? findWorkingFolder();
  const sources = loadSources(variables, files ? folder : undefined, program);
  const { environment } = sources;
  if (!environment) return { ...sources, values: {}, config: undefined };
  const texts: Texts = Object.fromEntries([...sources.texts].map(([name, { text }]) => [name, text]));
  const { values, violations: invalid } = validate({ texts, environment, program, env: variables });
  const violations = invalid.filter(({ name }) => !sources.unreadable.has(name as VariableName));
  const broken = findViolations({ environment, values, texts, env: variables, cwd: folder });
  const all = [...sources.violations, ...violations, ...broken];
  if (all.length > 0) return { ...sources, values, violations: all, config: undefined };
  if (!env) exportNodeEnv(environment);
  return { ...sources, values, violations: [], config: createConfig(values as Values, sources.file, program) };
}

/** The working folder may have been removed; then it has no files. */
function findWorkingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

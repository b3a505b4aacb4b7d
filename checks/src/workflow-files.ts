import { parse } from 'yaml';
import { listFiles, readText } from './repository.js';

export interface WorkflowStep {
  name?: string;
  id?: string;
  if?: string;
  uses?: string;
  run?: string;
  shell?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

export interface WorkflowJob {
  needs?: string | string[];
  if?: string;
  uses?: string;
  'runs-on'?: string;
  'timeout-minutes'?: number;
  environment?: string | { name: string; url?: string };
  permissions?: Record<string, string>;
  concurrency?: { group: string; 'cancel-in-progress': boolean; queue?: string };
  steps?: WorkflowStep[];
}

export interface Workflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  defaults?: { run?: { shell?: string } };
  env?: Record<string, string>;
  jobs: Record<string, WorkflowJob>;
}

/** The files under .github by path, as text: rules read them, mutations change them. */
export type WorkflowTexts = Readonly<Record<string, string>>;

export const loadFiles = (): WorkflowTexts =>
  Object.fromEntries(listFiles(/^\.github\/.*\.(yml|sh)$/).map((path) => [path, readText(path)]));

export const workflowsOf = (files: WorkflowTexts): [string, Workflow][] =>
  Object.entries(files)
    .filter(([path]) => path.startsWith('.github/workflows/'))
    .map(([path, text]) => [path.replace('.github/workflows/', ''), parse(text) as Workflow]);

export const scriptsOf = (files: WorkflowTexts): [string, string][] =>
  Object.entries(files).filter(([path]) => path.endsWith('.sh'));

/** Every job as «file job». */
export const jobsOf = (files: WorkflowTexts): [string, WorkflowJob][] =>
  workflowsOf(files).flatMap(([path, workflow]) =>
    Object.entries(workflow.jobs).map(([name, job]): [string, WorkflowJob] => [`${path} ${name}`, job]),
  );

/** Every step of every job and composite action as «file job 3». */
export const stepsOf = (files: WorkflowTexts): [string, WorkflowStep][] => [
  ...jobsOf(files).flatMap(([name, job]) => numberSteps(name, job.steps)),
  ...Object.entries(files)
    .filter(([path]) => path.endsWith('/action.yml'))
    .flatMap(([path, text]) => numberSteps(path, (parse(text) as { runs: { steps: WorkflowStep[] } }).runs.steps)),
];

export const environmentOf = (job: WorkflowJob): string | undefined =>
  typeof job.environment === 'string' ? job.environment : job.environment?.name;

export const needsOf = (job: WorkflowJob): string[] => [job.needs ?? []].flat();

/** The values of the `run:` and script lines that are executed. Comments may name forbidden commands. */
export const commandsOf = (files: WorkflowTexts): [string, string][] => [
  ...stepsOf(files).map(([name, step]): [string, string] => [name, step.run ?? '']),
  ...scriptsOf(files).map(([path, text]): [string, string] => [path, text.replace(/^\s*#.*$/gm, '')]),
];

function numberSteps(name: string, steps: WorkflowStep[] = []): [string, WorkflowStep][] {
  return steps.map((step, index) => [`${name} ${index + 1}`, step]);
}

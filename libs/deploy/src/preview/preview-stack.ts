import { parseLines, type Docker } from '../engine/docker.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';

/** The running system of one pull request: one Compose project, found by the labels of its lifetime volume. */
export interface Preview {
  readonly number: number;
  readonly project: string;
  readonly image: string;
  readonly url: string;
  readonly expires: Date;
}

const LABEL = 'airlock.preview';

export function parseNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new DeployError({
    text: `N: ${JSON.stringify(text)} is not the number of a pull request; expected a number such as 42`,
    fix: 'list the previews: airlock preview list',
    exitCode: EXIT.usage,
  });
}

/** The start of the project names. Compose requires lower case, and a filter by name must be unambiguous. */
export function parsePrefix(text: string): string {
  if (/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(text) && text.length <= 40) return text;
  throw new DeployError({
    text: `--prefix: ${JSON.stringify(text)} is not a valid prefix of a project name; expected at most 40 characters of a-z, 0-9 and single hyphens, starting with a letter`,
    fix: 'for example: --prefix airlock-preview',
    exitCode: EXIT.usage,
  });
}

export function nameProject(prefix: string, number: number): string {
  return `${prefix}-${number}`;
}

/** Marks the preview before anything else of it exists, so that one that fails to start is found and removed too. */
export async function markPreview(docker: Docker, preview: Preview): Promise<void> {
  const labels = {
    number: String(preview.number),
    image: preview.image,
    url: preview.url,
    expires: preview.expires.toISOString(),
  };
  const name = lifeVolume(preview.project);
  await docker.attempt(['volume', 'rm', '--force', name]);
  const args = Object.entries(labels).flatMap(([key, value]) => ['--label', `${LABEL}.${key}=${value}`]);
  await docker.run(['volume', 'create', ...args, name]);
}

export async function listPreviews(docker: Docker, prefix: string): Promise<Preview[]> {
  const text = await docker.run(['volume', 'ls', '--filter', `label=${LABEL}.number`, '--format', 'json']);
  return parseLines<{ Name: string; Labels: string }>(text)
    .map(({ Name, Labels }) => ({ name: Name, labels: parseLabels(Labels) }))
    .map(({ name, labels }) => ({
      number: Number(labels[`${LABEL}.number`]),
      project: name.replace(/_life$/, ''),
      image: labels[`${LABEL}.image`] ?? '',
      url: labels[`${LABEL}.url`] ?? '',
      expires: new Date(labels[`${LABEL}.expires`] ?? 0),
    }))
    .filter(({ project, number }) => project === nameProject(prefix, number))
    .sort((a, b) => a.number - b.number);
}

export function lifeVolume(project: string): string {
  return `${project}_life`;
}

export function secretsVolume(project: string): string {
  return `${project}_secrets`;
}

/** As `docker volume ls` prints them: NAME=VALUE, separated by commas. None of our values contains a comma. */
function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(text.split(',').map((one) => [one.split('=')[0] ?? '', one.slice(one.indexOf('=') + 1)]));
}

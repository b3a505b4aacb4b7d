import { Problem } from '../problems/problem.js';

const TAG = /^"v([1-9]\d{0,8})"$/;

/** A strong tag: the same version has the same bytes. */
export function createEtag(version: number): string {
  return `"v${version}"`;
}

/** The versions that a change may replace; undefined for `*`, any version. @throws Problem if the header is missing */
export function parseIfMatch(header: string | undefined): readonly number[] | undefined {
  if (header === undefined) throw new Problem('precondition-required');
  if (header.trim() === '*') return undefined;
  return parseTags(header);
}

/** Whether the caller already has this version. */
export function isKnown(header: string | undefined, version: number): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || parseTags(header.replaceAll('W/', '')).includes(version);
}

/** Any other tag than a strong tag of this API matches no version. */
function parseTags(header: string): number[] {
  return header.split(',').flatMap((tag) => {
    const [, version] = TAG.exec(tag.trim()) ?? [];
    return version === undefined ? [] : [Number(version)];
  });
}

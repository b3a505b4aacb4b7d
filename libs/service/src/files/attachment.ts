const LONGEST = 200;
/** Control characters, those that change the direction of text, and those that separate folders. */
const UNSHOWABLE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069/\\]/g;

/** The name of a file as its sender gave it, without what could mislead a reader or a file system. */
export function cleanFileName(name: string | undefined): string {
  const text = (name ?? '').toWellFormed().replaceAll(UNSHOWABLE, '_').trim();
  const short = [...text].slice(0, LONGEST).join('');
  return /^\.*$/.test(short) ? 'file' : short;
}

/** A Content-Disposition (RFC 6266) with the name in UTF-8, and an ASCII form for old clients. */
export function describeAttachment(name: string): string {
  const clean = cleanFileName(name);
  const ascii = clean.replaceAll(/[^\x20-\x7e]|["%\\]/g, '_');
  const encoded = encodeURIComponent(clean).replaceAll(
    /['()*!]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

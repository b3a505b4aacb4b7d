import { X509Certificate } from 'node:crypto';

/** Bundles of providers with a certificate for each region can exceed 160 KB. */
export const MAX_CERTIFICATES_BYTES = 1_048_576;

/**
 * Parses PEM blocks as defined by RFC 7468: with explanatory text before, between and after them, any line ends, and
 * white space at the ends of lines. The result contains only the certificates.
 */
export function parseCertificates(text: string): { pem: string } | { problem: string | undefined } {
  const begins = [...text.matchAll(/-----BEGIN ([^\r\n]*?)-----/g)];
  const ends = text.match(/-----END /g)?.length ?? 0;
  if (begins.length === 0 && ends === 0) return { problem: undefined };
  // A damaged first line would otherwise count as text, and its certificate would be dropped silently.
  if (ends > begins.length) return { problem: `holds ${ends} ends of PEM blocks and ${begins.length} beginnings` };
  const pem: string[] = [];
  for (const [index, { 0: begin, 1: label = '', index: start }] of begins.entries()) {
    const body = text.slice(start + begin.length, begins[index + 1]?.index);
    const block = `number ${index + 1} of ${begins.length}`;
    if (label !== 'CERTIFICATE') return { problem: `holds a PEM block that is not a certificate, ${block}` };
    const end = body.indexOf('-----END CERTIFICATE-----');
    if (end < 0) return { problem: `holds a PEM block without its end, ${block}` };
    const certificate = readCertificate(body.slice(0, end));
    if (certificate === undefined) return { problem: `holds a PEM block that is damaged, ${block}` };
    pem.push(certificate);
  }
  return { pem: pem.join('') };
}

function readCertificate(body: string): string | undefined {
  const base64 = body.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).toString();
  } catch {
    return undefined;
  }
}

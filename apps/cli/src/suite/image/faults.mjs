// The faults of an image, chosen when it is built.
export const fault = process.env.FAULT ?? 'none';
export const migrations = JSON.parse(process.env.MIGRATIONS ?? '[]');
export const ledger = process.env.LEDGER ?? 'http://tasks.ledger:7000';

export async function call(path, body) {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`${ledger}${path}`, init);
  if (!response.ok) throw new Error(`ledger ${path}: ${response.status}`);
  return response.json();
}

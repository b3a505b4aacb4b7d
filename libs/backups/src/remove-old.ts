import type { Client } from 'pg';
import { type BackupStore, ignoreDamage } from './backup-store.js';
import { listProved } from './proofs.js';

/**
 * Removes backups that are older than the newest `keep` without doubts. Fewer than `keep` such backups remove nothing,
 * so failures and doubts displace no good backup. The newest one that a drill has restored also stays.
 */
export async function removeOld(
  client: Client,
  { store, keep }: { store: BackupStore; keep: number },
): Promise<readonly string[]> {
  const names = await store.list();
  const [newestProved] = (await listProved(client)).filter((name) => names.includes(name));
  let good = 0;
  const removed: string[] = [];
  for (const name of names) {
    if (good >= keep) {
      if (name === newestProved) continue;
      await store.remove(name);
      removed.push(name);
      continue;
    }
    // An unreadable manifest may be that of a good backup: it is not counted, and only removed with its age.
    const manifest = await store.load(name).catch(ignoreDamage);
    if (manifest?.doubts.length === 0) good += 1;
  }
  return removed;
}

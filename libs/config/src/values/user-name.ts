import { userInfo } from 'node:os';

/** The user of this process. A container may run as a uid without an entry in /etc/passwd: then `uid 12345`. */
export function readUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

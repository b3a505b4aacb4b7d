import { userInfo } from 'node:os';

/** Who runs this process. A container may run as a number that has no entry in /etc/passwd: then `uid 12345`. */
export function readUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

import { type ConnectionsReport, refreshConnections, type RefreshConnectionsOptions } from './refresh-connections.js';

/** Keeps the connections of all users usable, for a schedule. */
export class ConnectionUpkeep {
  readonly #parts: RefreshConnectionsOptions;

  constructor(parts: RefreshConnectionsOptions) {
    this.#parts = parts;
  }

  run(): Promise<ConnectionsReport> {
    return refreshConnections(this.#parts);
  }
}

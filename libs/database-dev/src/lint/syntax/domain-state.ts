/** A domain as a column of it behaves: a domain over a domain has the constraints of both. */
export interface DomainState {
  readonly name: string;
  /** The type below all domains, with its length. */
  readonly base: string;
  readonly default: string | null;
  readonly isRequired: boolean;
  /** By NOT NULL or CHECK, validated or not. */
  readonly isConstrained: boolean;
}

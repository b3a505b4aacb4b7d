/** What of a Compose file Swarm cannot do: where it stands, and what is wrong with it. */
export interface RenderProblem {
  readonly where: string;
  readonly problem: string;
}
export type Collect = (problems: RenderProblem[]) => void;

/** A part of a Compose file that Swarm does not support: its place, and the problem. */
export interface RenderProblem {
  readonly where: string;
  readonly problem: string;
}
export type Collect = (problems: RenderProblem[]) => void;

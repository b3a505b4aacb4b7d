import type { CloneFacts } from './clone-facts.js';
import type { ServerFacts } from './server-facts.js';
import type { StaticFacts } from './static-facts.js';
import type { Judgement, LayerVerdict } from './verdict.js';

interface LayerText {
  readonly id: `L${number}`;
  readonly title: string;
  /** The damage that could happen without it. */
  readonly danger: string;
}

/** Checks only variables and files: if it refuses, no server is contacted. */
export interface StaticLayer extends LayerText {
  readonly phase: 'static';
  judge(facts: StaticFacts): Judgement;
}

/** Checks the facts of the server, from the acting session and from one in the database itself. */
export interface ServerLayer extends LayerText {
  readonly phase: 'server';
  judge(facts: ServerFacts): Judgement;
}

/** Checks a new clone of the template, before any code in it runs. */
export interface CloneLayer extends LayerText {
  readonly phase: 'clone';
  judge(facts: CloneFacts): Judgement;
}

export type Layer = StaticLayer | ServerLayer | CloneLayer;

export function judgeLayer(layer: Layer, judgement: Judgement): LayerVerdict {
  const { id, title, danger } = layer;
  const { saw, problems } = judgement;
  if (problems.length === 0) return { layer: id, title, verdict: 'holds', saw, problems };
  return { layer: id, title, verdict: 'refuses', saw, danger, problems };
}

export function skipLayer({ id, title }: Layer, verdict: 'not reached' | 'later' = 'not reached'): LayerVerdict {
  return { layer: id, title, verdict, saw: '', problems: [] };
}

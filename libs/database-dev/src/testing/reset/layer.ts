import type { CloneFacts } from './clone-facts.js';
import type { ServerFacts } from './server-facts.js';
import type { StaticFacts } from './static-facts.js';
import type { Judgement, LayerVerdict } from './verdict.js';

interface LayerText {
  readonly id: `L${number}`;
  readonly title: string;
  /** What could happen without it. */
  readonly danger: string;
}

/** Judges from variables and files alone: when it refuses, no server is spoken to. */
export interface StaticLayer extends LayerText {
  readonly phase: 'static';
  judge(facts: StaticFacts): Judgement;
}

/** Judges from what the server said on the session that acts, and on one in the database it is about. */
export interface ServerLayer extends LayerText {
  readonly phase: 'server';
  judge(facts: ServerFacts): Judgement;
}

/** Judges a fresh clone of the template, before anything in it runs. */
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

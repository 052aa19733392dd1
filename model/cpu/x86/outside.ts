/**
 * What instructions want from outside the processor. Rules stay pure: an instruction that lacks an answer has not happened
 * (outcome `wanted`); whoever runs it does what is wanted, once, and takes the step again with the answers it has so far.
 */
import { toHex, type Word } from '../../word/word.ts';
import { Asks } from './fault.ts';
import type { Running } from './running.ts';

/**
 * - `in`, `out`: an access to a port of `size` bytes.
 * - `load`, `store`: an access to physical address `at` where no RAM is.
 * - `random`: RDRAND or (`seed`) RDSEED of `size` bytes; the answer null means that there is none now.
 *
 * `out` and `store` are answered by anything: it says that they are done.
 */
export type Wanted =
  | { readonly kind: 'in'; readonly port: number; readonly size: number }
  | { readonly kind: 'out'; readonly port: number; readonly size: number; readonly value: Word }
  | { readonly kind: 'load'; readonly at: Word; readonly size: number }
  | { readonly kind: 'store'; readonly at: Word; readonly size: number; readonly value: Word }
  | { readonly kind: 'random'; readonly size: number; readonly seed: boolean };

/** Answers by `questionOf`. */
export type Answers = ReadonlyMap<string, Word | null>;

/** A name for what is wanted; the same for the same. */
export const questionOf = (wanted: Wanted): string => {
  switch (wanted.kind) {
    case 'in':
      return `in ${wanted.port} ${wanted.size}`;
    case 'out':
      return `out ${wanted.port} ${wanted.size} ${toHex(wanted.value)}`;
    case 'load':
      return `load ${toHex(wanted.at)} ${wanted.size}`;
    case 'store':
      return `store ${toHex(wanted.at)} ${wanted.size} ${toHex(wanted.value)}`;
    case 'random':
      return `random ${wanted.size} ${wanted.seed}`;
  }
};

/** The answer to what is wanted. Throws Asks when there is none yet. Answers belong to the first instruction of a run. */
export const ask = (s: Running, wanted: Wanted): Word | null => {
  const answer = s.tick === 0 ? s.platform.answers?.get(questionOf(wanted)) : undefined;
  if (answer === undefined) throw new Asks(wanted);
  return answer;
};

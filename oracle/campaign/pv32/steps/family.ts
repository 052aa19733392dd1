/** A family of steps: what a seed draws of it, as code. */
import { type Code, store } from '../code.ts';
import type { Draw } from '../draw.ts';
import { DATA } from '../layout.ts';

export type Family = (draw: Draw) => Code;

/** Words of the structure that calls are given. */
export const data = (...words: readonly number[]): Code => words.flatMap((word, i) => store(DATA + 4 * i, word));
export const dataAt = (offset: number, ...words: readonly number[]): Code => words.flatMap((word, i) => store(DATA + offset + 4 * i, word));

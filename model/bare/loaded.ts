/** What both boot protocols make: pieces of memory, a page of information, the entry. */
import { MEMORY_MAP } from '#spec/bare/boot.ts';
import type { BareConfig } from '#spec/bare/machine.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { Piece } from './image_file.ts';

export type Loaded = {
  readonly entry: number;
  readonly pieces: readonly Piece[];
  readonly eax: number;
  /** The frame of INFO (spec/bare/boot.ts). */
  readonly info: Uint8Array;
  /** Clauses of the protocol that decided. */
  readonly clauses: readonly ClauseId[];
};

/** The memory map, with the end of RAM put in. */
export const entriesOf = ({ frames }: BareConfig) => MEMORY_MAP.map(({ start, end, type }) => ({ start, end: end ?? frames * 4096, type }));

/** A byte a character. */
export const textBytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

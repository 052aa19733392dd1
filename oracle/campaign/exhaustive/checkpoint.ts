/** A search that goes on later: what was found up to the end of a level, in one file. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { BadInput } from '#spec/failure.ts';
import type { Expanded } from './expand.ts';
import type { Searched } from './search.ts';
import type { StateTable } from './table.ts';

type Head = {
  readonly xenspec: 'search';
  readonly config: string;
  readonly words: number;
  readonly levels: readonly number[];
  readonly transitions: number;
  readonly cut: number;
  readonly sometimes: readonly string[];
  readonly clauses: readonly string[];
};

export type Checkpoint = { readonly levels: readonly number[]; readonly expanded: Expanded };

/** The head's length as 4 bytes, the head as JSON, the states' words, then by state the place of the one it was found from. */
export const saveCheckpoint = (file: string, config: string, searched: Searched): void => {
  const { levels, transitions, cut, sometimes, clauses, table } = searched;
  const { words } = table;
  const head: Head = { xenspec: 'search', config, words, levels, transitions, cut, sometimes: [...sometimes], clauses: [...clauses] };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const count = levels.reduce((sum, n) => sum + n, 0);
  const states = new Uint8Array(table.states.slice(0, count * words).buffer);
  const parents = new Uint8Array(table.parents.slice(0, count).buffer);
  // Whoever is interrupted while writing keeps the file of the level before.
  writeFileSync(`${file}.new`, Buffer.concat([length, text, states, parents]));
  renameSync(`${file}.new`, file);
};

/** Fill an empty table. Throws BadInput for a file of another search, a damaged one, or one with more states than the table takes. */
export const loadCheckpoint = (file: string, config: string, table: StateTable): Checkpoint => {
  const bytes = readFileSync(file);
  const head = headOf(file, bytes);
  if (head.config !== config || head.words !== table.words)
    throw new BadInput(`${file}: is of the small machine ${head.config}, not ${config}`);
  const count = head.levels.reduce((sum, n) => sum + n, 0);
  const from = 4 + bytes.readUInt32LE(0);
  const size = from + count * (head.words + 1) * 4;
  if (bytes.length !== size) throw new BadInput(`${file}: is damaged: ${count} states should make ${size} bytes`);
  const state = new Int32Array(head.words);
  const word = (n: number): number => bytes.readInt32LE(from + n * 4);
  if (count >= table.most) throw new BadInput(`${file}: has ${count} states already; --states must be more`);
  for (let i = 0; i < count; i++) {
    for (let w = 0; w < head.words; w++) state[w] = word(i * head.words + w);
    if (!table.add(state, 0, word(count * head.words + i))) throw new BadInput(`${file}: is damaged: state ${i} is there twice`);
  }
  const { transitions, cut } = head;
  const expanded = { transitions, cut, violation: null, sometimes: new Set(head.sometimes), clauses: new Set(head.clauses) };
  return { levels: head.levels, expanded };
};

const headOf = (file: string, bytes: Buffer): Head => {
  try {
    const head = JSON.parse(bytes.subarray(4, 4 + bytes.readUInt32LE(0)).toString()) as Head;
    if (head.xenspec === 'search' && Array.isArray(head.levels)) return head;
  } catch {
    // Told below, like a file of another kind.
  }
  throw new BadInput(`${file}: is no search that can go on`);
};

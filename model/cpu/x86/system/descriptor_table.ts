/** Finding the descriptor that a selector names. */
import { write } from '../../../memory/access.ts';
import type { Memory } from '../../../memory/memory.ts';
import { word } from '../../../word/word.ts';
import { guestDescriptor } from '../guest_tables.ts';
import type { Running } from '../running.ts';
import { citing, withMemory } from '../running.ts';
import { RIGHTS } from '../state.ts';
import type { Descriptor } from './descriptor.ts';
import type { Table } from './state.ts';
import { inTable, readTable, writeTable } from './supervisor.ts';

const LOCAL = 4;

/** The table that a selector points into; null: a local one, of which there is none. */
const tableOf = ({ system: { gdtr, ldtr } }: Running, selector: number): Table | null => {
  if ((selector & LOCAL) === 0) return gdtr;
  return ldtr.usable ? ldtr : null;
};

/** The descriptor of a selector; null when its 8 bytes do not all lie inside the table: x86/descriptor-limit. */
export const descriptorOf = (s: Running, selector: number): Descriptor | null => {
  if (s.system.kind === 'pv') return guestDescriptor(s, selector);
  const table = tableOf(s, selector);
  if (table === null || (selector | 7) > table.limit) return null;
  const at = inTable(s, table.base, selector & ~7);
  const { hi, lo } = readTable(s, at, 8);
  return { at, lo, hi };
};

/** The second 8 bytes of a descriptor of 16; null when they do not lie inside the table. */
export const upperHalfOf = (s: Running, selector: number): Descriptor | null => descriptorOf(s, (selector & ~3) + 8);

/** The state after the accessed bit was set in memory, where it was clear. */
export const accessed = (s: Running, { at, frame, hi }: Descriptor): Running => {
  if (frame === null) return citing(s, 'descriptor/xen_page');
  if ((hi & (RIGHTS.ACCESSED << 8)) !== 0) return s;
  const type = word(0, ((hi >>> 8) & 0xff) | RIGHTS.ACCESSED);
  const memory = frame === undefined ? writeTable(s, inTable(s, at, 5), 1, type) : write(s.memory, frame, at.lo + 5, 1, type);
  return withMemory(citing(s, 'x86/descriptor-accessed'), memory);
};

/** The same for several descriptors, one after another. */
export const allAccessed = (s: Running, descriptors: readonly (Descriptor | null)[]): Running =>
  descriptors.reduce((now, d) => (d === null ? now : accessed(now, d)), s);

/** The type byte of a system descriptor rewritten: a task state becomes busy or available. */
export const withType = (s: Running, { at, hi }: Descriptor, type: number): Memory =>
  writeTable(s, inTable(s, at, 5), 1, word(0, ((hi >>> 8) & 0xf0) | type));

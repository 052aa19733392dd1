/**
 * Every hypercall and sub-operation of Xen 4.17's public headers, and what becomes of it here, by who calls. The reference is Debian's
 * build on the default machine. Names and numbers are those of `xen.h` and the headers of each hypercall; refusals are asked of real Xen too.
 */
import { ABSENT } from './absent.ts';
import { CALLERS, type Caller, type Cell, type Row } from './cell.ts';
import { CHANNELS } from './channels.ts';
import { CONTROL } from './control.ts';
import { HVM } from './hvm.ts';
import { MEMORY } from './memory.ts';
import { PROCESSOR } from './processor.ts';
import { forCompat } from './pv32.ts';

/** By the hypercall's number. */
export const MATRIX: readonly Row[] = [...PROCESSOR, ...MEMORY, ...CHANNELS, ...HVM, ...CONTROL, ...ABSENT]
  .map(forCompat)
  .sort((a, b) => a.number - b.number);

/** `event_channel_op/send`, or the hypercall alone. */
export const nameOf = ({ call, sub }: Row): string => (sub === null ? call : `${call}/${sub}`);

/** What the counts tell apart: refusals that the engines answer too, and those that only Xen answers yet. */
export const KINDS = ['modelled', 'refused', 'refused by Xen', 'not modelled'] as const;
export type Kind = (typeof KINDS)[number];
export const kindOf = (cell: Cell): Kind => (cell.kind === 'refused' && !cell.answered ? 'refused by Xen' : cell.kind);

/** Cells of each kind, by caller. */
export const countCells = (rows: readonly Row[] = MATRIX): Readonly<Record<Caller, Readonly<Record<Kind, number>>>> => {
  const count = (caller: Caller, kind: Kind): number => rows.filter(({ cells }) => kindOf(cells[caller]) === kind).length;
  const counts = (caller: Caller) => Object.fromEntries(KINDS.map((kind) => [kind, count(caller, kind)])) as Record<Kind, number>;
  return Object.fromEntries(CALLERS.map((caller) => [caller, counts(caller)])) as Record<Caller, Record<Kind, number>>;
};

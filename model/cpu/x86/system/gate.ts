/** Entries of the interrupt descriptor table. Chapter: "Interrupts and exceptions". */
import { type Word, word } from '../../../word/word.ts';
import { generalProtection, notPresent } from '../fault.ts';
import type { Running } from '../running.ts';
import { type Descriptor, dplOf, isPresent, isSystem, SYSTEM_TYPE, typeOf } from './descriptor.ts';
import type { Event } from './event.ts';
import { inTable, isLong, readTable } from './supervisor.ts';

export type InterruptGate = {
  readonly kind: 'interrupt' | 'trap' | 'task';
  /** Of code, or of a task state. */
  readonly selector: number;
  readonly offset: Word;
  /** Bytes of what is pushed. */
  readonly size: 2 | 4 | 8;
  /** Number of the interrupt stack, 0 for none. */
  readonly ist: number;
};

const KINDS: Readonly<Record<number, { readonly kind: InterruptGate['kind']; readonly size: 2 | 4 }>> = {
  [SYSTEM_TYPE.TASK_GATE]: { kind: 'task', size: 4 },
  [SYSTEM_TYPE.INTERRUPT16]: { kind: 'interrupt', size: 2 },
  [SYSTEM_TYPE.TRAP16]: { kind: 'trap', size: 2 },
  [SYSTEM_TYPE.INTERRUPT32]: { kind: 'interrupt', size: 4 },
  [SYSTEM_TYPE.TRAP32]: { kind: 'trap', size: 4 },
};
const LONG_TYPES: readonly number[] = [SYSTEM_TYPE.INTERRUPT32, SYSTEM_TYPE.TRAP32];

/** The gate of an event, fit to be used. */
export const gateOf = (s: Running, { vector, source }: Event): InterruptGate => {
  const error = vector * 8 + 2;
  const long = isLong(s);
  const bytes = long ? 16 : 8;
  const { base, limit } = s.system.idtr;
  if (vector * bytes + bytes - 1 > limit) throw generalProtection(error, 'x86/interrupt-vector');
  const at = inTable(s, base, vector * bytes);
  const { lo, hi } = readTable(s, at, 8);
  const d: Descriptor = { at, lo, hi };
  const known = isSystem(d) ? KINDS[typeOf(d)] : undefined;
  if (!known || (long && !LONG_TYPES.includes(typeOf(d)))) throw generalProtection(error, 'x86/interrupt-vector');
  if (source === 'software' && dplOf(d) < s.system.cpl) throw generalProtection(error, 'x86/interrupt-software');
  if (!isPresent(d)) throw notPresent(error, 'x86/interrupt-present');
  const low = known.size === 2 ? lo & 0xffff : (hi & 0xffff0000) | (lo & 0xffff);
  const offset = word(long ? readTable(s, inTable(s, at, 8), 4).lo : 0, low);
  return { kind: known.kind, selector: lo >>> 16, offset, size: long ? 8 : known.size, ist: long ? hi & 7 : 0 };
};

/** INT n, INT3, INTO, INT1: delivered as part of the instruction, which a fault on the way undoes. */
import { word } from '../../../word/word.ts';
import { generalProtection, softwareInterrupt } from '../fault.ts';
import { OF } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { type SoftwareInterrupt, VECTOR } from '../outcome.ts';
import { changed, completed, nextRip, type Running, type Semantics } from '../running.ts';
import type { Event } from './event.ts';
import { ioplOf } from './flags.ts';
import { through } from './interrupt.ts';

const interrupts = (s: Running, i: Instruction, vector: number, by: SoftwareInterrupt): never => {
  const event: Event = { vector, error: null, source: by === 'int1' ? 'int1' : 'software' };
  const next = s.system.mode === '64' ? nextRip(s, i) : word(0, nextRip(s, i).lo);
  const { regs, rip, flags, segments, memory, system, cited } = through(changed(s, { rip: next }), event);
  throw softwareInterrupt(completed(s, i, { regs, rip, flags, segments, memory, system, cited }), vector, null, by);
};

/** INT n: x86/iret-v86_iopl. */
export const int: Semantics = (s, i) => {
  if (s.system.mode === 'v86' && ioplOf(s.flags) !== 3) throw generalProtection(0, 'x86/iret-v86_iopl');
  return interrupts(s, i, i.dst.value.lo & 0xff, 'int');
};
export const int3: Semantics = (s, i) => interrupts(s, i, VECTOR.BP, 'int3');
export const int1: Semantics = (s, i) => interrupts(s, i, VECTOR.DB, 'int1');
export const into: Semantics = (s, i) => ((s.flags & OF) !== 0 ? interrupts(s, i, VECTOR.OF, 'into') : completed(s, i, {}));

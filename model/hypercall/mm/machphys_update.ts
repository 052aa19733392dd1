/** MMU_MACHPHYS_UPDATE: say which pseudo-physical page a machine frame is. */
import { followed } from '../../domain/compat_m2p.ts';
import { cite } from '../../journal.ts';
import { setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { writeWord } from '../../memory/memory.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { shr, toNumber } from '../../word/word.ts';
import type { Update } from './pt_update.ts';

export const machphysUpdate = (machine: Machine, { ptr, val, who }: Update): Verdict => {
  const mfn = toNumber(shr(ptr, 12));
  if (ownerOf(machine, mfn) !== who.frames) return refuse(machine, 'EINVAL', 'mmu/machphys-page');
  const table = machine.config.layout.m2p_first + Math.floor(mfn / 512);
  const written = setMemory(machine, writeWord(machine.memory, table, mfn % 512, val));
  return allow(cite(setMemory(written, followed(written, mfn, val)), 'mmu/machphys-done'));
};

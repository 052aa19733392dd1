/** Flushes of translations that are left out: what a processor keeps then is for the invariant of cached translations to tell (spec/properties/). */
import type { Mutant } from './catalogue.ts';

const flush = (id: string, file: string, find: string, replace: string, summary: string): Mutant => ({
  id: `flush-${id}`,
  part: 'executor',
  file: `oracle/executor/hypervisor/${file}`,
  find,
  replace,
  summary,
});

export const FLUSHES = [
  flush(
    'type',
    'tlbflush.ts',
    'if (owner) flushMask(machine, machine.tlb.since(dirtyCpus(machine, owner), stamp));',
    '',
    'a page that could be written becomes a page table, and nobody forgets how to write it',
  ),
  flush(
    'stamp',
    'mm/page_type.ts',
    '  if (--typeRefs[mfn] === 0) frames.lastUse[mfn] = machine.tlb.time;',
    '  typeRefs[mfn]--;',
    'when the last use of a frame ended is not kept',
  ),
  flush(
    'allocated',
    'tlbflush.ts',
    'if (latest > 0) flushMask(',
    'if (latest < 0) flushMask(',
    'a frame that was another domain’s is handed out, and nobody forgets the way there',
  ),
  flush(
    'grant',
    'grant_table/grant_table_op.ts',
    '    flushMask(machine, dirtyCpus(machine, vcpu.domain));\n',
    '',
    'a mapping of a grant is given back, and nobody forgets it',
  ),
] as const satisfies readonly Mutant[];

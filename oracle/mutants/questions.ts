/** Questions whether to stop that are left out: work that has no end in sight then is for the work meter to tell (spec/properties/work.ts). */
import type { Mutant } from './catalogue.ts';

const question = (id: string, file: string, find: string, replace: string, summary: string): Mutant => ({
  id: `question-${id}`,
  part: 'executor',
  file: `oracle/executor/hypervisor/${file}`,
  find,
  replace,
  summary,
});

export const QUESTIONS = [
  question(
    'demote',
    'mm/demote.ts',
    '      if (shouldPreempt(machine, vcpu)) return interruptAt(slot, false);\n      if (!answersAlike(machine)) continue;\n',
    '      if (machine.preempt === null || machine.preempt !== null) continue;\n',
    'a tree of page tables is given back in one go',
  ),
  question(
    'reset',
    'event_channel/close.ts',
    '    if (port % RESET_STRIDE === 0 && shouldPreempt(machine, vcpu)) {',
    '    if (port < 0) {',
    'a reset closes all channels in one go',
  ),
  question(
    'unmap',
    'grant_table/grant_table_op.ts',
    '    if (done < count && shouldPreempt(machine, vcpu)) {',
    '    if (done < 0) {',
    'any number of grants is unmapped in one go',
  ),
  question(
    'batch',
    'mm/mmuext_op.ts',
    '(i > 0 && shouldPreempt(machine, vcpu))',
    '(i > count && shouldPreempt(machine, vcpu))',
    'all elements of a batch are carried out in one go',
  ),
  question(
    'multicall',
    'hypercall/multicall.ts',
    '    if (done > 0 && shouldPreempt(machine, vcpu)) return',
    '    if (done > count && shouldPreempt(machine, vcpu)) return',
    'all entries of a multicall are carried out in one go',
  ),
  question(
    'extents',
    'memory/reservation.ts',
    '    if (i !== start && shouldPreempt(machine, vcpu)) return',
    '    if (i < start && shouldPreempt(machine, vcpu)) return',
    'all extents of a list are worked on in one go',
  ),
  question(
    'frames',
    'teardown/frames.ts',
    '    if (!isDone || shouldPreempt(machine, caller)) return',
    '    if (!isDone) return',
    'a dying domain loses all its frames in one go',
  ),
] as const satisfies readonly Mutant[];

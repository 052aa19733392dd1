/** Flags that stay set behind what they were set for: each is for the invariant of that name to tell (spec/properties/neutral.ts). */
import type { Mutant } from './catalogue.ts';

const sticky = (id: string, file: string, find: string, replace: string, summary: string): Mutant => ({
  id: `sticky-${id}`,
  part: 'executor',
  file: `oracle/executor/hypervisor/${file}`,
  find,
  replace,
  summary,
});

export const STICKY = [
  sticky('timer', 'timers.ts', '  machine.timerDue = false;\n  const due', '  const due', 'a timer that has come stays due'),
  sticky('move', 'run.ts', '  vcpu.mustMove = false;\n', '', 'a vCPU that was moved to another processor must leave that, too'),
  sticky('multicall', 'hypercall/multicall.ts', '    CALL_STATE.inMulticall = false;\n', '', 'a multicall that is over goes on'),
  sticky('area', 'compat/xlat.ts', '    machine.xlat = -1;\n', '', 'the area for structures of 32-bit guests stays open'),
] as const satisfies readonly Mutant[];

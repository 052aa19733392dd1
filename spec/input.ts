/** Everything that the specification leaves open is an input: who runs, when time passes, what devices bring. */
import { z } from 'zod';
import { VcpuRef } from './event.ts';

export const Input = z.discriminatedUnion('kind', [
  /**
   * Run up to `steps` guest steps on the vCPU that `cpu` holds. One step is one guest instruction with everything that
   * Xen does before it returns to the guest (hypercall, emulation, exception frame, upcall frame); a string instruction with
   * a REP prefix takes one step for each iteration. Ends early after a step in which the vCPU stopped being runnable, yielded, or
   * the machine halted. Nothing runs when `cpu` is idle or its vCPU cannot run.
   *
   * `preempt`, ascending: numbers of questions. A long operation asks now and then whether it should stop for something else; the
   * questions of one input are counted from 1, and those listed are answered yes, whatever else waits. It has no other effect.
   */
  z.object({
    kind: z.literal('execute'),
    cpu: z.int().min(0),
    steps: z.int().min(1),
    preempt: z.array(z.int().min(1)).optional(),
  }),
  /** Switch `cpu` to a runnable vCPU that runs nowhere else, or to idle. Switching to the vCPU it already holds changes nothing. */
  z.object({ kind: z.literal('schedule'), cpu: z.int().min(0), vcpu: VcpuRef.nullable() }),
  /** Xen's system time in nanoseconds since boot, never smaller than before. Timers that are due fire, in order of deadline, then domid, then vCPU. */
  z.object({ kind: z.literal('time'), now: z.int().min(0) }),
  /** Bytes typed at Xen's console for dom0 (VIRQ_CONSOLE, CONSOLEIO_read), one character a byte. */
  z.object({ kind: z.literal('console_input'), bytes: z.string().refine((s) => [...s].every((c) => c <= '\u00ff'), 'not bytes') }),
]);
export type Input = z.infer<typeof Input>;

/** What a bare processor has besides its registers, and where its instructions tell the machine what happened. */
import type { BareEvent } from '#spec/bare/machine.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Cpu } from '../cpu.ts';
import type { Platform } from '../platform.ts';

/** Why interrupts are held off for one instruction. */
export type Shadow = 'none' | 'sti' | 'ss';

/** The devices as instructions reach them. */
export type Devices = {
  /** CR8 is the upper half of the local APIC's task priority. */
  priority: number;
};

export interface Processor extends Platform {
  readonly devices: Devices;
  shadow: Shadow;
  nmiBlocked: boolean;
  halted: boolean;
  /** Bits of DR6 that breakpoints on data and ports have set while an instruction runs. */
  hits: number;
  /** Causes of a #DB that is to be raised behind the instruction, as bits of DR6 (T bit of a task). */
  traps: number;
  /** Tell the world. */
  tell(event: BareEvent): void;
}

/** The processor around a CPU of the bare machine. */
export const processorOf = (c: Cpu): Processor => {
  if (!c.platform.bare) throw new NotModelled('system/hypervisor');
  return c.platform as Processor;
};

/** What a bare processor has besides its registers, and where its instructions tell the machine what happened. */
import type { BareEvent } from '#spec/bare/machine.ts';
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from '../cpu.ts';
import type { Platform } from '../platform.ts';

/** Bits of RFLAGS that exist. */
export const EXISTING_FLAGS = Object.values(RFLAGS).reduce((all, bit) => all | bit, 0);

/** The devices as instructions reach them. */
export type Devices = {
  /** CR8 is the upper half of the local APIC's task priority. */
  priority: number;
};

export type Fault = { readonly vector: number; readonly error: number | null; readonly address: bigint | null };

export interface Processor extends Platform {
  readonly devices: Devices;
  nmiBlocked: boolean;
  halted: boolean;
  /** Bits of DR6 that breakpoints on data and ports have set while an instruction runs. */
  hits: number;
  /** INT n and its kin were carried out just now: no single step follows them. */
  stepless: boolean;
  /** Causes of a #DB that is to be raised behind the instruction, as bits of DR6 (T bit of a task). */
  traps: number;
  /** A fault of the task that was switched to just now. */
  late: Fault | null;
  /** Distance of the time-stamp counter from the machine's own count. */
  tscOffset: bigint;
  /** WRMSR wrote this to the time-stamp counter. */
  wantsTsc: bigint | null;
  /** Tell the world. */
  tell(event: BareEvent): void;
}

/** The processor around a CPU of the bare machine. */
export const processorOf = (c: Cpu): Processor => {
  if (!c.platform.bare) throw new NotModelled('system/hypervisor');
  return c.platform as Processor;
};

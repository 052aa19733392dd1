/**
 * The bare machine: a processor, RAM and the devices of a PC, without a hypervisor. HVM guests are this machine plus a delta. Model
 * and executor each build it; peers (QEMU's `pc`, Bochs) are adapted to it.
 *
 * Time never passes by itself: `time` inputs set it, and every device computes from it. What runs between two of them sees one and
 * the same `now`; the time-stamp counter alone grows with each step (looseness `open/tsc-rate`).
 */
import { z } from 'zod';
import { CpuidLeaf } from '../config.ts';
import { Hex } from '../event.ts';
import type { CpuObservation } from '../isa/x86/cpu_observation.ts';

export const BareConfig = z.object({
  /** RAM in 4 KiB frames from address 0. The window 0xa0000–0xfffff is RAM too but for 0xa0000–0xbffff, where nothing answers. */
  frames: z.int().min(256).max(0x80000),
  cpuid: z.array(CpuidLeaf),
  tsc_khz: z.int().min(1),
  /** What RDRAND and RDSEED answer, one 64-bit value after another; the last one again and again. None: they answer CF = 0. */
  random: z.array(Hex),
  /** Wall clock at time 0 in seconds since 1970, for the RTC (UTC). */
  wallclock_sec: z.int().min(0),
  cmdline: z.string(),
  /** Hardware that `pc` has and this machine lacks (spec/bare/ports.ts) is absent, instead of stopping the run: nobody answers there. */
  lenient: z.boolean().optional(),
});
export type BareConfig = z.infer<typeof BareConfig>;

export const BareInput = z.discriminatedUnion('kind', [
  /** Take up to `steps` instructions (iterations of a repeated string instruction count one each); deliver interrupts before each. */
  z.object({ kind: z.literal('execute'), steps: z.int().min(1) }),
  /** It is `now` ns since the start; never less than before. */
  z.object({ kind: z.literal('time'), now: z.int().min(0) }),
  /** Bytes arrive at the serial port, one character (U+0000..U+00FF) a byte. */
  z.object({ kind: z.literal('serial'), bytes: z.string() }),
]);
export type BareInput = z.infer<typeof BareInput>;

export const BareEvent = z.discriminatedUnion('kind', [
  /** Bytes written to debugcon (port 0xe9) or sent by the serial port, as characters U+0000..U+00FF; neighbours are joined. */
  z.object({ kind: z.literal('debugcon'), bytes: z.string() }),
  z.object({ kind: z.literal('serial'), bytes: z.string() }),
  /** isa-debug-exit (port 0xf4) was written: QEMU would end with status 2·value + 1. The machine stands still for good. */
  z.object({ kind: z.literal('exit'), value: z.int() }),
  /** An exception, as the processor delivers it (an INT n, INT3, INTO or INT1 too, with `software`). */
  z.object({ kind: z.literal('exception'), vector: z.int(), error: z.int().nullable(), address: Hex.nullable(), software: z.boolean() }),
  /** An external interrupt or NMI was delivered. */
  z.object({ kind: z.literal('interrupt'), vector: z.int() }),
  z.object({ kind: z.literal('halted') }),
  /** A triple fault, or a reset by port 0x64, 0x92 or 0xcf9. The machine stands still for good. */
  z.object({ kind: z.literal('shutdown'), why: z.enum(['triple-fault', 'reset']) }),
]);
export type BareEvent = z.infer<typeof BareEvent>;

/** `clauses`: ids of the clauses that decided something (model only). */
export type BareReport = { readonly events: readonly BareEvent[]; readonly retired: number; readonly clauses?: readonly string[] };

/** What the devices hold, by name; plain JSON whose shape spec/bare/devices.ts gives. */
export type BareObservation = {
  readonly now: number;
  readonly retired: number;
  readonly cpu: CpuObservation;
  readonly devices: import('./devices.ts').DeviceObservation;
  /** Digest of all RAM (spec/digest.ts). */
  readonly memory: string;
};

export type BareStatus = {
  readonly now: number;
  /** Value written to isa-debug-exit, or why the machine stands still; null while it goes on. */
  readonly ended: { readonly exit: number } | { readonly shutdown: string } | null;
  /** HLT waits for an interrupt. */
  readonly halted: boolean;
  /** Earliest time in ns at which a device will raise an interrupt; null when none is armed. */
  readonly deadline: number | null;
};

export interface BareMachine {
  readonly name: string;
  /** Throws BadInput when the input makes no sense in this state, NotModelled when the guest asks for what the machine lacks. */
  apply(input: BareInput): BareReport;
  status(): BareStatus;
  observe(): BareObservation;
  /** The 4096 bytes of a frame of RAM. */
  page(mfn: number): Uint8Array;
  /** Frames that hold a non-zero byte, ascending. */
  populated(): Iterable<number>;
}

/** Build a machine with a multiboot or PVH image (ELF) loaded. Throws BadImage. */
export type BootBare = (config: BareConfig, image: Uint8Array) => BareMachine;

/** What stands around a processor: Xen, or the bare machine. Decides what differs between a PV guest's processor and a whole one. */
import { NotModelled } from '#spec/failure.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { CPL } from './layout.ts';
import { inspectData, watchesData } from './system/debug.ts';
import { loadSegment } from './system/segments.ts';
import { type Access, asSupervisor, type Translation, walk } from './walk.ts';

/** Machine addresses at which RAM does not answer. */
export type Outside = {
  /** Whether this address lies outside RAM, given that it may: `maddr` is any physical address. */
  covers(maddr: number): boolean;
  /** Fill `bytes` with what is read from `maddr` on. Reading has no effect (a write to part of a register reads it first). */
  read(maddr: number, bytes: Uint8Array): void;
  write(maddr: number, bytes: Uint8Array): void;
};

export type Platform = {
  /** No hypervisor: privileged instructions are carried out, and tables of descriptors lie in memory. */
  readonly bare: boolean;
  readonly outside: Outside;
  /** Translate `hi:lo`, which is canonical, for an access of the current privilege; sets accessed and dirty bits. */
  walk(c: Cpu, lo: number, hi: number, access: Access): Translation;
  /** Tells apart address spaces whose translations must not mix: root, privilege, and all else that `walk` looks at. */
  space(c: Cpu): number;
  /** Load segment register `segment` (not CS) with its hidden part. Throws the fault; changes nothing before. */
  loadSegment(c: Cpu, segment: number, selector: number): void;
  /** Whether each access to memory has to pass `inspect` (data breakpoints); called by `Cpu.refresh`. */
  watches(c: Cpu): boolean;
  /** Told of each access while `watches` says so, before it happens. */
  inspect(c: Cpu, lo: number, hi: number, size: number, write: boolean): void;
  /** Throws #GP(0) unless the current privilege may use these ports: CPL against IOPL, then the I/O permission map. */
  checkPort(c: Cpu, port: number, size: number): void;
  readPort(c: Cpu, port: number, size: number): number;
  writePort(c: Cpu, port: number, size: number, value: number): void;
  /** What RDRAND and RDSEED find next; null: nothing just now. */
  random(c: Cpu): bigint | null;
};

const outsideRam = (): never => {
  throw new NotModelled('memory/mmio');
};

/** Under Xen: its page walk, its descriptor table, no ports. */
export const PV: Platform = {
  bare: false,
  outside: { covers: () => false, read: outsideRam, write: outsideRam },
  walk: (c, lo, hi, access) => walk(c.memory, c.root, lo, hi, c.s[CPL] === 3 ? access : asSupervisor(access), c.reserved),
  // Kernels of 32-bit domains run in ring 1, where pages without U can be reached.
  space: (c) => (c.s[CPL] === 3 ? c.root : ~c.root),
  loadSegment,
  watches: watchesData,
  inspect: inspectData,
  checkPort: (c) => c.fault(GP, 0),
  readPort: outsideRam,
  writePort: outsideRam,
  random: () => null,
};

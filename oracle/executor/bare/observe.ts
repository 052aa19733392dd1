/** The bare machine as an Observation. */
import type { BareObservation } from '#spec/bare/machine.ts';
import type { CpuObservation, SegmentObservation, TableObservation } from '#spec/isa/x86/cpu_observation.ts';
import { MSRS, OBSERVED_MSRS } from '#spec/isa/x86/msrs.ts';
import type { Cpu } from '../cpu/cpu.ts';
import {
  CPL,
  CR0,
  CR2,
  CR3,
  CR4,
  DEBUG,
  GDTR_BASE,
  GDTR_LIMIT,
  IDTR_BASE,
  IDTR_LIMIT,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_RIGHTS,
  XCR0,
} from '../cpu/layout.ts';
import { observeFpu } from '../cpu/observe_fpu.ts';
import { USABLE } from '../cpu/segment_rights.ts';
import { instructionPointer } from '../cpu/system/code.ts';
import { LDTR, TR } from '../cpu/system/descriptor.ts';
import { msrValue } from '../cpu/system/msr.ts';
import { hexOf } from '../hex.ts';
import type { Machine } from './machine.ts';

const GPRS = 16;
const RIGHTS = 0xf0ff;

const segment = (c: Cpu, n: number): SegmentObservation => {
  const rights = c.s[SEGMENT_RIGHTS + n];
  return {
    selector: c.selectors[n],
    base: hexOf(c.pair(SEGMENT_BASE + 2 * n)),
    limit: c.s[SEGMENT_LIMIT + n] >>> 0,
    rights: rights & RIGHTS,
    usable: (rights & USABLE) !== 0,
  };
};

const table = (c: Cpu, base: number, limit: number): TableObservation => ({ base: hexOf(c.pair(base)), limit: c.s[limit] });

const word = (c: Cpu, at: number): string => hexOf(BigInt(c.s[at] >>> 0));

const observeMsrs = (c: Cpu): CpuObservation['msrs'] => {
  const rows = MSRS.filter(({ number }) => OBSERVED_MSRS.includes(number));
  return rows.map((row) => [row.number, hexOf(msrValue(c, row))] as const).sort(([a], [b]) => a - b);
};

const observeCpu = ({ cpu: c, processor, ended }: Machine): CpuObservation => ({
  gpr: Array.from({ length: GPRS }, (_, n) => hexOf(c.gpr(n))),
  rip: hexOf(instructionPointer(c)),
  rflags: hexOf(c.rflags),
  segments: [0, 1, 2, 3, 4, 5].map((n) => segment(c, n)),
  ldtr: segment(c, LDTR),
  tr: segment(c, TR),
  gdtr: table(c, GDTR_BASE, GDTR_LIMIT),
  idtr: table(c, IDTR_BASE, IDTR_LIMIT),
  cpl: c.s[CPL],
  cr0: word(c, CR0),
  cr2: hexOf(c.pair(CR2)),
  cr3: hexOf(c.pair(CR3)),
  cr4: word(c, CR4),
  cr8: hexOf(BigInt(processor.devices.priority)),
  xcr0: word(c, XCR0),
  dr: [0, 1, 2, 3, 6, 7].map((n) => hexOf(n >= 6 ? BigInt(c.s[DEBUG + 2 * n] >>> 0) : c.pair(DEBUG + 2 * n))),
  msrs: observeMsrs(c),
  ...observeFpu(c.s),
  activity: ended !== null && 'shutdown' in ended ? 'shutdown' : processor.halted ? 'halted' : 'running',
  shadow: c.shadow,
  nmi_blocked: processor.nmiBlocked,
});

export const observe = (machine: Machine): BareObservation => ({
  now: machine.board.now,
  retired: machine.retired,
  cpu: observeCpu(machine),
  devices: machine.board.observe(),
  memory: machine.memory.digest(),
});

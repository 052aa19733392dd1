/** The bare machine as comparisons see it (spec/bare/machine.ts, spec/isa/x86/cpu_observation.ts). */
import type { BareObservation, BareStatus } from '#spec/bare/machine.ts';
import type { CpuObservation, SegmentObservation } from '#spec/isa/x86/cpu_observation.ts';
import { OBSERVED_MSRS } from '#spec/isa/x86/msrs.ts';
import { extendedBits } from '../cpu/x86/fpu/state.ts';
import { started } from '../cpu/x86/running.ts';
import type { CpuState, Hidden } from '../cpu/x86/state.ts';
import { heldMsr } from '../cpu/x86/system/msr.ts';
import { hiddenIn } from '../cpu/x86/system/segments.ts';
import type { Table } from '../cpu/x86/system/state.ts';
import { deadline } from '../device/devices.ts';
import { observeDevices } from '../device/observe.ts';
import { memoryDigest } from '../memory/access.ts';
import { toHex, type Word, word, ZERO } from '../word/word.ts';
import type { Machine } from './machine.ts';

const EFER = 0xc0000080;

const segment = (selector: number, { base, limit, rights, usable }: Hidden): SegmentObservation => ({
  selector,
  base: toHex(base),
  limit,
  rights,
  usable,
});
const table = ({ base, limit }: Table) => ({ base: toHex(base), limit });
const digits = (value: Word): string => (value.hi >>> 0).toString(16).padStart(8, '0') + (value.lo >>> 0).toString(16).padStart(8, '0');

export const observeCpu = (cpu: CpuState, machine: Machine): CpuObservation => {
  const { regs, rip, flags, segments, fpu, system } = cpu;
  const s = started(cpu, machine.memory, { cpuid: machine.config.cpuid, tsc: ZERO });
  return {
    gpr: regs.map(toHex),
    rip: toHex(rip),
    rflags: toHex(word(0, flags)),
    segments: segments.selectors.map((selector, register) => segment(selector, hiddenIn(segments, register))),
    ldtr: segment(system.ldtr.selector, system.ldtr),
    tr: segment(system.tr.selector, system.tr),
    gdtr: table(system.gdtr),
    idtr: table(system.idtr),
    cpl: system.cpl,
    cr0: toHex(word(0, system.cr0)),
    cr2: toHex(system.cr2),
    cr3: toHex(system.cr3),
    cr4: toHex(word(0, system.cr4)),
    cr8: toHex(word(0, system.cr8)),
    xcr0: toHex(system.xcr0),
    dr: system.dr.map(toHex),
    msrs: OBSERVED_MSRS.map((number) => [number, toHex(number === EFER ? word(0, system.efer) : heldMsr(s, number))] as const),
    x87: {
      control: fpu.control,
      status: fpu.status,
      tag: fpu.tag,
      registers: fpu.registers.map((register) => extendedBits(register).toString(16).padStart(20, '0')),
    },
    xmm: fpu.xmm.map(({ hi, lo }) => digits(hi) + digits(lo)),
    mxcsr: fpu.mxcsr,
    activity: system.activity,
    shadow: system.shadow,
    nmi_blocked: system.nmiBlocked,
  };
};

export const observe = (m: Machine): BareObservation => ({
  now: m.now,
  retired: m.retired,
  cpu: observeCpu(m.cpu, m),
  devices: observeDevices(m.devices),
  memory: memoryDigest(m.memory),
});

export const statusOf = (m: Machine): BareStatus => ({
  now: m.now,
  ended: m.ended,
  halted: m.cpu.system.activity === 'halted',
  deadline: deadline(m.devices),
});

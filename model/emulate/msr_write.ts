/** Model-specific registers that Xen answers for: writing. Chapter: spec/chapters/emulation.md. */
import { MSR } from '#spec/abi/msr.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { MSRS_NOT_OFFERED, MSRS_NOT_WRITTEN } from '#spec/releases/emulation.ts';
import { hypercallPage } from '../domain/hypercall_page.ts';
import { cite } from '../journal.ts';
import { setMemory, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { writeBytes } from '../memory/access.ts';
import { isCanonical } from '../memory/translate.ts';
import { getPageAndType, putPageAndType } from '../page_type/references.ts';
import { equal, isZero, shr, toNumber, type Word } from '../word/word.ts';
import { EFER, isAmong } from './msr.ts';

/** Registers whose writes are lost. */
const IGNORED: Parameters<typeof isAmong>[0] = [
  [MSR.MCG_CAP, MSR.MCG_CAP],
  [MSR.MCG_CTL, MSR.MCG_CTL],
  [0x280, 0x29f],
  [0x400, 0x400],
  [0x404, 0x404],
  [0x408, 0x47f],
  [MSR.MPERF, MSR.APERF],
  [MSR.MISC_ENABLE, MSR.MISC_ENABLE],
  [0xc0010000, 0xc0010007],
  [MSR.K8_HWCR, MSR.K8_HWCR],
  [MSR.NB_CFG, MSR.NB_CFG],
  [MSR.FID_VID_CTL, MSR.FID_VID_STATUS],
  [MSR.PSTATE_LIMIT, MSR.PSTATE7],
  [0xc0010200, 0xc001020b],
  [MSR.DE_CFG, MSR.DE_CFG],
];
/** Status, address and the like of the banks that Xen shows: zero may be written. */
const ZERO_ALONE: Parameters<typeof isAmong>[0] = [
  [0x401, 0x403],
  [0x405, 0x407],
  [MSR.MISC_FEATURES_ENABLES, MSR.MISC_FEATURES_ENABLES],
];

/** The machine after the write, or null for #GP(0). */
export const writeMsr = (machine: Machine, at: VcpuRef, number: number, value: Word): Machine | null =>
  writeListed(machine, at, number, value) ?? (isLost(machine, number) ? machine : null);

/** Where writes to registers that Xen does not know are lost. */
const isLost = (machine: Machine, number: number): boolean =>
  waysOf(machine.config.release)['wrmsr-unlisted'] === 'lost' &&
  !isAmong(MSRS_NOT_OFFERED, number) &&
  !isAmong(MSRS_NOT_WRITTEN, number) &&
  number !== MSR.MISC_FEATURES_ENABLES;

const writeListed = (machine: Machine, at: VcpuRef, number: number, value: Word): Machine | null => {
  const { cpu } = vcpuOf(machine, at);
  switch (number) {
    case MSR.FS_BASE:
    case MSR.GS_BASE: {
      if (!isCanonical(value)) return null;
      const base = number === MSR.FS_BASE ? { fsBase: value } : { gsBase: value };
      return updateVcpu(machine, at, { cpu: { ...cpu, segments: { ...cpu.segments, ...base } } });
    }
    case MSR.KERNEL_GS_BASE:
      return isCanonical(value) ? updateVcpu(machine, at, { gsBaseOther: value }) : null;
    case MSR.EFER:
      return equal(value, EFER) ? machine : null;
    case MSR.TSC_AUX:
      return value.hi === 0 ? updateVcpu(machine, at, { tscAux: value.lo >>> 0 }) : null;
    case MSR.MCG_STATUS:
      return updateVcpu(machine, at, { mcgStatus: value });
    case MSR.XEN:
      return writeHypercallPage(machine, at, value);
  }
  if (isAmong(ZERO_ALONE, number)) return isZero(value) ? machine : null;
  return isAmong(IGNORED, number) ? machine : null;
};

/** emulation/wrmsr-hypercall_page: bits 12 and up name a frame, which must be the domain's and writable; the others are an index, of which there is 0. */
const writeHypercallPage = (machine: Machine, at: VcpuRef, value: Word): Machine | null => {
  if ((value.lo & 0xfff) !== 0) return null;
  const mfn = toNumber(shr(value, 12));
  const taken = getPageAndType(machine, at.domid, mfn, 'writable');
  if (taken.errno) return null;
  const written = setMemory(taken.machine, writeBytes(taken.machine.memory, mfn, 0, hypercallPage()));
  return cite(putPageAndType(written, mfn), 'emulation/wrmsr-hypercall_page');
};

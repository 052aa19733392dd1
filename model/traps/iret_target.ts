/** Where IRET goes on Xen's way out, and what it checks of the selectors that it loads. Chapter: spec/chapters/trap.md. */
import { FLAT } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Running } from '../cpu/x86/running.ts';
import { type CpuState, CS, DS, ES, RSP, type Segments, SS } from '../cpu/x86/state.ts';
import { requireTarget, returnCode, runsLong } from '../cpu/x86/system/code_segment.ts';
import { hiddenOf } from '../cpu/x86/system/descriptor.ts';
import { outerStack, toOuter } from '../cpu/x86/system/far_return.ts';
import { withoutInner } from '../cpu/x86/system/segments.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { isCanonical } from '../memory/translate.ts';
import { type Loaded, onFlat, withTables } from '../segment_loads.ts';

/** What IRET changes besides flags. */
type Arrived = Pick<CpuState, 'regs' | 'rip' | 'segments'>;

const RING3 = 3;

/** From Xen to the guest's ring, as the vCPU's registers say: 3, or 1 in the kernel of a 32-bit domain (compat/return-iret). */
export const iretTo = (machine: Machine, at: VcpuRef): Loaded<Arrived> => {
  const { regs, rip, segments } = vcpuOf(machine, at).cpu;
  const { selectors } = segments;
  const ring = selectors[CS] & RING3;
  if (selectors[CS] === FLAT.RING3_CS64 && selectors[SS] === FLAT.RING3_SS64 && isCanonical(rip))
    return { kind: 'loaded', machine, value: { regs, rip, segments: forRing(RING3, onFlat(segments)) } };
  return withTables(machine, at, 0, (s) => {
    const after = arriving(s, selectors[CS], selectors[SS], ring);
    return { s: after, value: { regs: after.regs, rip: after.rip, segments: forRing(ring, after.segments, segments) } };
  });
};

/** What IRET does to data segments on the way to an outer ring; the bases of FS and GS stay as they were. */
const forRing = (ring: number, arrived: Segments, { fsBase, gsBase }: Segments = arrived): Segments => {
  const outer = withoutInner(arrived, ring);
  const kept = outer.fsBase === fsBase && outer.gsBase === gsBase ? outer : { ...outer, fsBase, gsBase };
  return withPlainNulls(kept);
};

/** trap/return-null_selectors: 1, 2 and 3 become 0. */
const withPlainNulls = (segments: Segments): Segments => {
  const kept = [DS, ES].filter((register) => segments.selectors[register] > 0 && segments.selectors[register] < 4);
  if (kept.length === 0) return segments;
  return { ...segments, selectors: segments.selectors.map((selector, register) => (kept.includes(register) ? 0 : selector)) };
};

/** CS is judged first, then SS, then the target. */
const arriving = (s: Running, cs: number, ss: number, ring: number): Running => {
  const code = returnCode(s, cs);
  const descriptor = outerStack(s, ss, ring, runsLong(s, code));
  requireTarget(s, hiddenOf(code), s.rip);
  return toOuter(s, cs, code, s.rip, { selector: ss, pointer: s.regs[RSP], descriptor });
};

/** set_segment_base: FS and GS bases, and the user's GS selector. Chapter: spec/chapters/misc.md. */
import type { VcpuRef } from '#spec/event.ts';
import { GS } from '../../cpu/x86/state.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { isCanonical } from '../../memory/translate.ts';
import { loadByXen } from '../../segment_loads.ts';
import type { Word } from '../../word/word.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

const SEGBASE = { FS: 0, GS_USER: 1, GS_KERNEL: 2, GS_USER_SEL: 3 } as const;

/** Any canonical address will do, also one of Xen's. */
export const set_segment_base: Perform = (machine, caller, [which, base]) => {
  const number = which.lo >>> 0;
  if (number === SEGBASE.GS_USER_SEL) return setSelector(machine, caller, base.lo & 0xffff);
  if (number > SEGBASE.GS_USER_SEL) return fail(machine, 'EINVAL', 'misc/set_segment_base-which');
  if (!isCanonical(base)) return fail(machine, 'EINVAL', 'misc/set_segment_base-address');
  return done(setBase(machine, caller, number, base), 'misc/set_segment_base-set');
};

const setBase = (machine: Machine, caller: VcpuRef, which: number, base: Word): Machine => {
  if (which === SEGBASE.GS_USER) return updateVcpu(machine, caller, { gsBaseOther: base });
  const { cpu } = vcpuOf(machine, caller);
  const change = which === SEGBASE.FS ? { fsBase: base } : { gsBase: base };
  return updateVcpu(machine, caller, { cpu: { ...cpu, segments: { ...cpu.segments, ...change } } });
};

/** A selector that cannot be loaded becomes null, without an error. The user's GS base becomes the segment's. */
const setSelector = (machine: Machine, caller: VcpuRef, selector: number): HypercallResult => {
  const wanted = selector > 3 ? selector | 3 : selector;
  const tried = loadByXen(machine, caller, GS, wanted);
  const { machine: m, segments } = tried.segments ? tried : loadByXen(tried.machine, caller, GS, 0);
  const { cpu } = vcpuOf(m, caller);
  // Only the user's base follows the segment: the kernel's is in use.
  const loaded = { ...segments!, gsBase: cpu.segments.gsBase };
  const after = updateVcpu(m, caller, { cpu: { ...cpu, segments: loaded }, gsBaseOther: segments!.gsBase });
  return done(after, tried.segments ? 'misc/set_segment_base-selector' : 'misc/set_segment_base-bad_selector');
};

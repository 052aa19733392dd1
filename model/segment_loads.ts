/** Segment registers that Xen loads for a PV guest, from the guest's tables. Chapter: spec/chapters/descriptor.md, "Loads by Xen". */

import { FLAT } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { Exit, TableMissing } from './cpu/x86/fault.ts';
import type { Fault } from './cpu/x86/outcome.ts';
import { type Running, started } from './cpu/x86/running.ts';
import { CS, FLAT_CODE32, FLAT_CODE64, FLAT_DATA, type Segments, SS } from './cpu/x86/state.ts';
import { loadSegment } from './cpu/x86/system/load.ts';
import { mapLdtPage } from './descriptor_tables.ts';
import { guestSystem } from './guest_system.ts';
import { setMemory, vcpuOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { ZERO } from './word/word.ts';

export type FlatCode = typeof FLAT.RING3_CS64 | typeof FLAT.RING3_CS32;

/** CS and SS as Xen's own flat segments: 64-bit code, or 32-bit code. The same object when they are already. */
export const onFlat = (segments: Segments, code: FlatCode = FLAT.RING3_CS64): Segments => {
  const { selectors, hidden } = segments;
  const hiddenCode = code === FLAT.RING3_CS64 ? FLAT_CODE64 : FLAT_CODE32;
  if (selectors[CS] === code && selectors[SS] === FLAT.RING3_SS64 && hidden[CS] === hiddenCode && hidden[SS] === FLAT_DATA) return segments;
  return {
    ...segments,
    selectors: selectors.with(CS, code).with(SS, FLAT.RING3_SS64),
    hidden: hidden.with(CS, hiddenCode).with(SS, FLAT_DATA),
  };
};

/** What a load by Xen came to. `missing`: the local table has no page there, and none could be mapped. */
export type Loaded<T> =
  | { readonly kind: 'loaded'; readonly machine: Machine; readonly value: T }
  | { readonly kind: 'fault'; readonly machine: Machine; readonly fault: Fault }
  | { readonly kind: 'missing'; readonly machine: Machine; readonly offset: number };

/** Do something with the guest's tables as the processor does in ring 0 (`cpl` 0) or for ring 3; pages of the local table are mapped as needed. */
export const withTables = <T>(machine: Machine, at: VcpuRef, cpl: 0 | 3, action: (s: Running) => { s: Running; value: T }): Loaded<T> => {
  const vcpu = vcpuOf(machine, at);
  const system = { ...guestSystem(vcpu), mode: '64' as const, cpl };
  try {
    const { s, value } = action(started({ ...vcpu.cpu, system }, machine.memory, { cpuid: [], tsc: ZERO }));
    return { kind: 'loaded', machine: setMemory(machine, s.memory), value };
  } catch (thrown) {
    if (thrown instanceof Exit) return { kind: 'fault', machine, fault: thrown.fault };
    if (!(thrown instanceof TableMissing)) throw thrown;
    const { machine: m, mapped } = mapLdtPage(machine, at, thrown.offset);
    return mapped ? withTables(m, at, cpl, action) : { kind: 'missing', machine: m, offset: thrown.offset };
  }
};

/** Load a data segment register as Xen's own code does, in ring 0. Null when it faults: the machine may have changed all the same. */
export const loadByXen = (
  machine: Machine,
  at: VcpuRef,
  register: number,
  selector: number,
): { machine: Machine; segments: Segments | null } => {
  const loaded = withTables(machine, at, 0, (s) => {
    const after = loadSegment(s, register, selector);
    return { s: after, value: after.segments };
  });
  return { machine: loaded.machine, segments: loaded.kind === 'loaded' ? loaded.value : null };
};

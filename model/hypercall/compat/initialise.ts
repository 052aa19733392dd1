/** VCPUOP_initialise of a 32-bit domain: a context of four-byte fields, and an L3. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { DESCRIPTORS_PER_PAGE, GDT_FRAMES, MOST_LDT_ENTRIES } from '#spec/abi/descriptor.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { VGCF } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { CS } from '../../cpu/x86/state.ts';
import { dropGdt, setGdt, setLdtOf } from '../../descriptor_tables.ts';
import { frameOfNarrowCr3 } from '../../emulate/control_registers.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { setMemory, setVcpu, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { writeWord } from '../../memory/memory.ts';
import { putOldGuestTable } from '../../page_type/old_table.ts';
import { entryFor, PTE } from '../../page_type/pte.ts';
import { getPageAndTable } from '../../page_type/table_entry.ts';
import { allow, type Verdict } from '../../page_type/verdict.ts';
import { modeOf } from '../../traps/compat_bounce.ts';
import type { Vcpu } from '../../vcpu.ts';
import { fromNumber, type Word, word } from '../../word/word.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { withContext, withRegisters } from '../vcpu/context.ts';
import type { VcpuOperation } from '../vcpu/vcpu_op.ts';
import { atLeastRing1 } from './two_words.ts';
import { widenContext } from './wide_context.ts';

const { size: SIZE, fields: at } = COMPAT.vcpu_guest_context;
const KERNEL_TABLE = at.ctrlreg.at + 12;
const PAGE_OFFSET = 0xfff;

export const initialise: VcpuOperation = (machine, caller, target, arg) => {
  const copied = copyFromGuest(cite(machine, 'compat/initialise-context'), caller, arg, SIZE);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/initialise-fault');
  if (vcpuOf(copied.machine, target).initialised) return fail(copied.machine, 'EEXIST', 'vcpu/initialise-again');
  const args = [fromNumber(SUBOPERATIONS.vcpu_op.initialise), fromNumber(target.vcpu), arg];
  return setContext(copied.machine, caller, target, copied.bytes, args);
};

const numberAt = (bytes: Uint8Array, offset: number): number => wordIn(bytes, offset, 4).lo >>> 0;

/** Whether the context is refused before anything of it is set. */
export const isCompatContextWrong = (bytes: Uint8Array): boolean =>
  (numberAt(bytes, at.ldt_base.at) & PAGE_OFFSET) !== 0 || numberAt(bytes, at.ldt_ents.at) > MOST_LDT_ENTRIES;

/** The order is that of the 64-bit context: what is refused late leaves registers and traps set. */
const setContext = (before: Machine, caller: VcpuRef, target: VcpuRef, bytes: Uint8Array, args: readonly Word[]): HypercallResult => {
  const field = (offset: number): number => numberAt(bytes, offset);
  const [ldtBase, ldtEntries, gdtEntries] = [field(at.ldt_base.at), field(at.ldt_ents.at), field(at.gdt_ents.at)];
  if (isCompatContextWrong(bytes)) return fail(before, 'EINVAL', 'vcpu/initialise-ldt');

  const wide = widenContext(bytes);
  const cited = cite(cite(cite(before, 'vcpu/initialise-registers'), 'vcpu/initialise-fpu'), 'compat/initialise-mode');
  const registers = withRegisters(vcpuOf(before, target), wide, atLeastRing1);
  const m = setVcpu(cited, { ...registers, mode: modeOf(registers.cpu.segments.selectors[CS]) });
  if (gdtEntries > GDT_FRAMES * DESCRIPTORS_PER_PAGE) return fail(m, 'EINVAL', 'vcpu/initialise-gdt');
  const local = setLdtOf(m, target, word(0, ldtBase), ldtEntries);
  const called = withCallbackSelectors(withContext(vcpuOf(local, target), wide, atLeastRing1), bytes);
  const settled = putOldGuestTable(setVcpu(local, called), caller);
  if (settled.errno) return { kind: 'preempted', machine: cite(settled.machine, 'vcpu/initialise-preempted'), args };
  const frames = Array.from({ length: GDT_FRAMES }, (_, k) => field(at.gdt_frames.at + 4 * k));
  const global = setGdt(settled.machine, target, frames, gdtEntries);
  if (global.errno) return fail(global.machine, global.errno, 'vcpu/initialise-gdt_frame');
  const set = setTable(cite(global.machine, 'compat/initialise-table'), caller, target, field(KERNEL_TABLE));
  const { errno } = set;
  if (errno === 'ERESTART') return { kind: 'preempted', machine: cite(dropGdt(set.machine, target), 'vcpu/initialise-preempted'), args };
  if (errno) return fail(dropGdt(set.machine, target), errno, 'vcpu/initialise-table');
  const online = (field(at.flags.at) & VGCF.online) !== 0;
  return done(updateVcpu(set.machine, target, { initialised: true, online }), 'vcpu/initialise-done');
};

const withCallbackSelectors = (vcpu: Vcpu, bytes: Uint8Array): Vcpu => {
  const selector = (offset: number): number => atLeastRing1(numberAt(bytes, offset) & 0xffff);
  const [event, failsafe] = [selector(at.event_callback_cs.at), selector(at.failsafe_callback_cs.at)];
  return { ...vcpu, callbackCs: { ...vcpu.callbackCs!, event, failsafe } };
};

const setTable = (machine: Machine, caller: VcpuRef, target: VcpuRef, cr3: number): Verdict => {
  const mfn = frameOfNarrowCr3(cr3);
  const taken = getPageAndTable(machine, caller, target.domid, mfn, 3);
  if (taken.errno) return taken;
  const { kernelTable, cpu } = vcpuOf(taken.machine, target);
  const entry = entryFor(mfn, PTE.P | PTE.RW | PTE.US | PTE.A, 0);
  const written = setMemory(taken.machine, writeWord(taken.machine.memory, kernelTable, 0, entry));
  return allow(updateVcpu(written, target, { cpu: { ...cpu, segments: { ...cpu.segments, root: kernelTable } } }));
};

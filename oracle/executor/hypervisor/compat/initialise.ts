/** VCPUOP_initialise of a 32-bit guest: its context has words of four bytes, selectors for callbacks, and an L3. What a late refusal leaves behind stays. */
import { DESCRIPTORS_PER_PAGE, GDT_FRAMES } from '#spec/abi/descriptor.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { VGCF } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DS, ES, FS, GS, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '../../cpu/interface.ts';
import { resetDebugRegisters, writeDebugRegister } from '../debug_registers.ts';
import { PGT } from '../frame_table.ts';
import { destroyGdt, setGdt } from '../global_descriptor_table.ts';
import { copyFromGuest } from '../guest_access.ts';
import { setTaskSwitched } from '../hypercall/processor.ts';
import type { Machine } from '../machine.ts';
import { changeLdt } from '../mm/local_descriptor_table.ts';
import { putOldGuestTable } from '../mm/old_guest_table.ts';
import { getPage, putPage } from '../mm/page.ts';
import { getPageType } from '../mm/page_type.ts';
import { minus } from '../result.ts';
import { loadCr4 } from '../trap/control_registers.ts';
import { visibleFlags } from '../trap/exit_state.ts';
import { type Vcpu, VPF } from '../vcpu.ts';
import { guestSelector } from './selectors.ts';

const BYTES = 2800;
/** Places in the context. */
const [FPU, FLAGS, REGISTERS, TRAPS, LDT_BASE, LDT_ENTRIES, GDT_LIST, GDT_ENTRIES] = [0, 512, 516, 584, 2632, 2636, 2640, 2704];
const [KERNEL_SS, KERNEL_SP, CONTROL, DEBUG, EVENT_CS, EVENT_EIP, FAILSAFE_CS, FAILSAFE_EIP] = [
  2708, 2712, 2716, 2748, 2780, 2784, 2788, 2792,
];
const FPU_BYTES = 512;
const GPRS: readonly (readonly [at: number, register: number])[] = [
  [0, RBX],
  [4, RCX],
  [8, RDX],
  [12, RSI],
  [16, RDI],
  [20, RBP],
  [24, RAX],
  [44, RSP],
];
const [ENTRY_VECTOR, EIP, CS_AT, EFLAGS, SS_AT] = [30, 32, 36, 40, 48];
const SEGMENTS: readonly (readonly [at: number, segment: number])[] = [
  [52, ES],
  [56, DS],
  [60, FS],
  [64, GS],
];
const ENTERED_BY_SYSCALL = 0x100;
const CR0_TS = 8;
const VECTORS = 256;
const TRAP_BYTES = 8;
const PAGE = 4096;
const MOST_LDT_ENTRIES = 8192;
const DEBUG_REGISTERS = [0, 1, 2, 3, 6, 7] as const;
/** Present, writable, user, accessed. */
const L3_ENTRY = 0x27;

const context = new Uint8Array(BYTES);
const view = new DataView(context.buffer);
const u32 = (at: number): number => view.getUint32(at, true);
const u16 = (at: number): number => view.getUint16(at, true);

export const compatInitialise = (machine: Machine, caller: Vcpu, target: Vcpu, fromLo: number, fromHi: number): number => {
  if (!copyFromGuest(machine, caller, fromLo, fromHi, BYTES, context)) return minus('EFAULT');
  if (target.initialised) return minus('EEXIST');
  if (!isGoodLdt()) return minus('EINVAL');
  takeRegisters(target);
  takeTraps(target);
  const pages = Math.ceil(u32(GDT_ENTRIES) / DESCRIPTORS_PER_PAGE);
  if (pages > GDT_FRAMES) return minus('EINVAL');
  changeLdt(machine, target, u32(LDT_BASE) | 0, 0, u32(LDT_ENTRIES));
  takeProcessorState(target);
  const frames = Array.from({ length: pages }, (_, i) => u32(GDT_LIST + 4 * i));
  const refused = putOldGuestTable(machine, caller) || setGdt(machine, caller, target, frames, u32(GDT_ENTRIES));
  if (refused !== 0) return refused;
  const answer = takeTable(machine, caller, target, ((u32(CONTROL + 12) >>> 12) | (u32(CONTROL + 12) << 20)) >>> 0);
  if (answer !== 0) {
    destroyGdt(machine, caller, target);
    return answer;
  }
  target.initialised = true;
  target.cpu.root = target.kernelTable;
  if ((u32(FLAGS) & VGCF.online) !== 0) target.pauseFlags &= ~VPF.down;
  else target.pauseFlags |= VPF.down;
  return 0;
};

/** What is wrong with a context before anything is taken from it: 0, -EFAULT or -EINVAL. */
export const checkCompatContext = (machine: Machine, caller: Vcpu, fromLo: number, fromHi: number): number => {
  if (!copyFromGuest(machine, caller, fromLo, fromHi, BYTES, context)) return minus('EFAULT');
  return isGoodLdt() ? 0 : minus('EINVAL');
};

const isGoodLdt = (): boolean => (u32(LDT_BASE) & (PAGE - 1)) === 0 && u32(LDT_ENTRIES) <= MOST_LDT_ENTRIES;

const takeRegisters = (target: Vcpu): void => {
  const { cpu } = target;
  const flags = u32(FLAGS);
  // Whatever the flags say of the mode, and whatever ring CS has, until the vCPU runs.
  target.kernelMode = true;
  target.failsafeDisablesEvents = (flags & VGCF.failsafe_disables_events) !== 0;
  target.syscallDisablesEvents = (flags & VGCF.syscall_disables_events) !== 0;
  for (const [at, register] of GPRS) cpu.setGprHalves(register, u32(REGISTERS + at) | 0, 0);
  cpu.rip = BigInt(u32(REGISTERS + EIP));
  cpu.loadFpu((flags & VGCF.i387_valid) === 0 ? null : context.subarray(FPU, FPU + FPU_BYTES));
  for (const [at, segment] of SEGMENTS) cpu.setSelector(segment, u16(REGISTERS + at));
  target.inXen = true;
  target.exitBySysret = (u16(REGISTERS + ENTRY_VECTOR) & ENTERED_BY_SYSCALL) !== 0;
  target.savedCs = guestSelector(u16(REGISTERS + CS_AT));
  target.savedSs = guestSelector(u16(REGISTERS + SS_AT));
  const saved = u32(REGISTERS + EFLAGS) | 0;
  target.iopl = (saved & RFLAGS.IOPL) >> 12;
  target.savedFlags.set((saved & ~RFLAGS.IOPL) | RFLAGS.IF, 0);
  visibleFlags(target, true);
};

const takeTraps = (target: Vcpu): void => {
  for (let i = 0; i < VECTORS; i++) {
    const at = TRAPS + TRAP_BYTES * i;
    target.trapFlags[i] = view.getUint8(at + 1);
    target.trapCs[i] = guestSelector(u16(at + 2));
    target.trapLo[i] = u32(at + 4) | 0;
    target.trapHi[i] = 0;
  }
};

const takeProcessorState = (target: Vcpu): void => {
  target.kernelSs = guestSelector(u32(KERNEL_SS));
  target.kernelSp.set(u32(KERNEL_SP) | 0, 0);
  target.eventCallbackCs = guestSelector(u32(EVENT_CS));
  target.eventCallback.set(u32(EVENT_EIP) | 0, 0);
  target.failsafeCallbackCs = guestSelector(u32(FAILSAFE_CS));
  target.failsafeCallback.set(u32(FAILSAFE_EIP) | 0, 0);
  target.cr2.set(u32(CONTROL + 8) | 0, 0);
  loadCr4(target, u32(CONTROL + 16) | 0);
  setTaskSwitched(target, (u32(CONTROL) & CR0_TS) !== 0);
  resetDebugRegisters(target);
  for (const register of DEBUG_REGISTERS) writeDebugRegister(target, register, u32(DEBUG + 4 * register) | 0, 0);
};

/** The L3 goes into the first entry of the vCPU's L4. */
const takeTable = (machine: Machine, caller: Vcpu, target: Vcpu, mfn: number): number => {
  const { frames, memory } = machine;
  if (!getPage(frames, mfn, target.domain.domid)) return -ERRNO.EINVAL;
  if (mfn === target.oldGuestTable) {
    target.oldGuestTable = -1;
    putPage(frames, mfn);
  } else {
    const answer = putOldGuestTable(machine, caller, target) || getPageType(machine, caller, mfn, PGT.l3);
    if (answer !== 0) {
      if (mfn !== caller.oldGuestTable || answer === -ERRNO.ERESTART) putPage(frames, mfn);
      return answer;
    }
  }
  memory.writeHalves(target.kernelTable * PAGE, (mfn << 12) | L3_ENTRY, mfn >>> 20);
  return 0;
};

/** iret: the way back from a handler. Pops its own frame from the stack; may enter user mode. */
import { iret_context, VGCF, VMASST_TYPE } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { R11, RAX, RCX, RSP } from '../../cpu/interface.ts';
import { copyFromGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { NO_RETURN } from '../result.ts';
import { domainCrash } from '../shutdown.ts';
import { toggleGuestMode } from '../trap/guest_mode.ts';
import type { Vcpu } from '../vcpu.ts';
import { setUpcallMask } from '../vcpu_info.ts';

const { fields, size } = iret_context;
const lo = (field: { readonly at: number }): number => scratch.getInt32(field.at, true);

export const iret = (machine: Machine, vcpu: Vcpu): number => {
  const { cpu } = vcpu;
  if (!copyFromGuest(machine, vcpu, cpu.gprLo(RSP), cpu.gprHi(RSP), size)) {
    return crash(machine, vcpu, 'iret-frame');
  }
  const frame = new DataView(scratch.buffer.slice(0, size));
  if ((lo(fields.cs) & 3) === 3) {
    if (vcpu.userTable === 0) return crash(machine, vcpu, 'iret-no-user-table');
    toggleGuestMode(machine, vcpu);
  }
  const half = (at: number): number => frame.getInt32(at, true);
  const flags = half(fields.rflags.at);
  if ((vcpu.domain.vmAssist & (1 << VMASST_TYPE.architectural_iopl)) !== 0) vcpu.iopl = (flags & RFLAGS.IOPL) >> 12;
  cpu.setRipHalves(half(fields.rip.at), half(fields.rip.at + 4));
  vcpu.savedCs = (half(fields.cs.at) | 3) & 0xffff;
  vcpu.savedSs = (half(fields.ss.at) | 3) & 0xffff;
  vcpu.savedFlags.set((flags & ~(RFLAGS.IOPL | RFLAGS.VM)) | RFLAGS.IF, half(fields.rflags.at + 4));
  cpu.setGprHalves(RSP, half(fields.rsp.at), half(fields.rsp.at + 4));
  if ((half(fields.flags.at) & VGCF.in_syscall) === 0) {
    vcpu.exitBySysret = false;
    cpu.setGprHalves(R11, half(fields.r11.at), half(fields.r11.at + 4));
    cpu.setGprHalves(RCX, half(fields.rcx.at), half(fields.rcx.at + 4));
  }
  setUpcallMask(machine, vcpu, (flags & RFLAGS.IF) === 0 ? 1 : 0);
  vcpu.nmiMasked = false;
  cpu.setGprHalves(RAX, half(fields.rax.at), half(fields.rax.at + 4));
  return NO_RETURN;
};

const crash = (machine: Machine, vcpu: Vcpu, why: 'iret-frame' | 'iret-no-user-table'): number => {
  domainCrash(machine, vcpu.domain, why);
  vcpu.cpu.setGprHalves(RAX, 0, 0);
  return NO_RETURN;
};

/** The context of a 32-bit vCPU, laid out as the 64-bit one. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { vcpu_guest_context as context, cpu_user_regs as regs } from '#spec/abi/sched.ts';
import { trap_info, VGCF } from '#spec/abi/xen.ts';

const from = COMPAT.vcpu_guest_context.fields;
const to = context.fields;
const narrow = COMPAT.cpu_user_regs.fields;
/** Registers of user_regs, each with the name that it has in the 64-bit structure. */
const REGISTERS = [
  ...(['cs', 'ss', 'es', 'ds', 'fs', 'gs'] as const).map((name) => [name, name] as const),
  ...(['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp', 'ip', 'flags'] as const).map((name) => [`e${name}`, `r${name}`] as const),
];
/** Single fields that both have. */
const WORDS = [
  'ldt_base',
  'ldt_ents',
  'gdt_ents',
  'kernel_ss',
  'kernel_sp',
  'event_callback_eip',
  'failsafe_callback_eip',
  'vm_assist',
] as const;
const ARRAYS = ['gdt_frames', 'ctrlreg', 'debugreg'] as const;
const TRAPS = 256;

/** Upper halves are 0, and there is one mode whatever the flags say (`compat/initialise-mode`). */
export const widenContext = (bytes: Uint8Array): Uint8Array => {
  const wide = new Uint8Array(context.size);
  const view = new DataView(wide.buffer);
  const copy = (source: number, target: number, length = 4): void => wide.set(bytes.subarray(source, source + length), target);
  copy(from.fpu_ctxt.at, to.fpu_ctxt.at, from.fpu_ctxt.size);
  copy(from.flags.at, to.flags.at);
  view.setUint32(to.flags.at, view.getUint32(to.flags.at, true) | VGCF.in_kernel, true);
  for (const [source, target] of REGISTERS)
    copy(from.user_regs.at + narrow[source].at, to.user_regs.at + regs.fields[target].at, narrow[source].size);
  for (let vector = 0; vector < TRAPS; vector++) {
    const source = from.trap_ctxt.at + vector * COMPAT.trap_info.size;
    const target = to.trap_ctxt.at + vector * trap_info.size;
    for (const name of ['vector', 'flags', 'cs', 'address'] as const) {
      const { at, size } = COMPAT.trap_info.fields[name];
      copy(source + at, target + trap_info.fields[name].at, size);
    }
  }
  for (const name of WORDS) copy(from[name].at, to[name].at);
  for (const name of ARRAYS) for (let k = 0; k < from[name].size / 4; k++) copy(from[name].at + 4 * k, to[name].at + 8 * k);
  return wide;
};

/** What the processor lets a guest do when Xen has returned to it. Chapters: spec/chapters/trap.md, spec/chapters/iret.md, spec/chapters/descriptor.md. */
import type { VcpuObservation } from '../observation.ts';
import { isCompat } from './uses.ts';
import type { Invariant } from './view.ts';

const RPL = 3;
const RFLAGS = { always: 0x2n, IF: 0x200n, IOPL: 0x3000n, NT: 0x4000n, VM: 0x20000n } as const;

const isCanonical = (address: string): boolean => {
  const top = BigInt.asIntN(64, BigInt(address)) >> 47n;
  return top === 0n || top === -1n;
};

/** `least`: the innermost ring that is a guest's. */
function* ofVcpu(vcpu: VcpuObservation, least: number): Generator<string> {
  if (!vcpu.initialised) return;
  const isInner = (selector: number): boolean => (selector & RPL) < least;
  if (isInner(vcpu.cs)) yield `CS ${vcpu.cs.toString(16)} is of ring ${vcpu.cs & RPL}`;
  if (isInner(vcpu.ss) && vcpu.ss > RPL) yield `SS ${vcpu.ss.toString(16)} is of ring ${vcpu.ss & RPL}`;
  const flags = BigInt(vcpu.rflags);
  if ((flags & RFLAGS.IF) === 0n) yield `RFLAGS ${vcpu.rflags} keeps interrupts from Xen`;
  if ((flags & (RFLAGS.IOPL | RFLAGS.VM)) !== 0n) yield `RFLAGS ${vcpu.rflags} has IOPL or VM`;
  for (const [vector, , cs] of vcpu.traps) if (isInner(cs) && cs > RPL) yield `the handler of trap ${vector} has CS ${cs.toString(16)}`;
  for (const name of ['fs_base', 'gs_base', 'gs_base_other', 'event_callback', 'failsafe_callback', 'syscall_callback'] as const)
    if (!isCanonical(vcpu[name])) yield `${name} ${vcpu[name]} is not canonical`;
}

export const authority: Invariant = {
  property: 'PRIV',
  states:
    'A vCPU runs in ring 3, the kernel of a 32-bit domain in ring 1, with interrupts on, without I/O privilege and outside virtual-8086 mode; its bases and entry points are canonical, and its entry points of those rings.',
  *violations(view) {
    for (const { domid, vcpus } of view.observation.domains)
      for (const vcpu of vcpus) for (const what of ofVcpu(vcpu, isCompat(view, vcpu) ? 1 : RPL)) yield `d${domid}v${vcpu.vcpu}: ${what}`;
  },
};

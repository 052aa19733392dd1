/** A kernel that sleeps until a domain has come to a bad end, and destroys it: domain 0 of the machines on which two domains run side by side. */
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { INTERFACE_VERSIONS } from '#spec/releases/control.ts';
import type { XenRelease } from '#spec/releases/release.ts';
import { Assembler } from '../asm/assembler.ts';
import { assembleText } from '../asm/text.ts';
import { writeElf } from '../elf.ts';
import { VIRT_BASE } from '../layout.ts';

const PAGE = 4096;
const GETDOMAININFO = 5;
const DESTROYDOMAIN = 2;

/** A port that was closed is no longer pending, so that the VIRQ has a new one each time. A domain that powers off stays. */
const SOURCE = `
start:
  mov eax, HYPERCALL_vcpu_op
  mov edi, VCPUOP_stop_periodic_timer
  xor esi, esi
  xor edx, edx
  syscall
again:
  mov eax, HYPERCALL_event_channel_op
  mov edi, 1
  mov esi, virq
  syscall
  mov eax, [virq + 8]
  mov [port], eax
  mov ebx, 1
look:
  mov [info + 8], ebx
  mov edi, info
  mov eax, HYPERCALL_domctl
  syscall
  test rax, rax
  jne next
  mov eax, [info + 8]
  cmp eax, ebx
  jne next
  mov eax, [info + 20]
  test eax, 1
  jne next
  test eax, 4
  je next
  shr eax, 16
  and eax, 255
  je next
  mov [destroy + 8], ebx
  mov edi, destroy
  mov eax, HYPERCALL_domctl
  syscall
next:
  inc ebx
  cmp ebx, 3
  jne look
  mov edi, 3
  mov esi, poll
  mov eax, HYPERCALL_sched_op
  syscall
  mov edi, 3
  mov esi, port
  mov eax, HYPERCALL_event_channel_op
  syscall
  jmp again
.align 8
virq:
  .quad 3, 0
port:
  .quad 0
poll:
  .quad port, 1, 0
info:
  .quad GETDOMAININFO, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
destroy:
  .quad DESTROYDOMAIN, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
`;

const headOf = (command: number, release: XenRelease): string =>
  `0x${((BigInt(INTERFACE_VERSIONS[release].domctl) << 32n) | BigInt(command)).toString(16)}`;

/** Its ELF file, for a release of Xen. */
export const undertakerImage = (release: XenRelease): Uint8Array => {
  const a = new Assembler(VIRT_BASE);
  const source = SOURCE.replace('GETDOMAININFO', headOf(GETDOMAININFO, release)).replace('DESTROYDOMAIN', headOf(DESTROYDOMAIN, release));
  assembleText(a, source, {
    HYPERCALL_vcpu_op: HYPERCALL.vcpu_op,
    HYPERCALL_sched_op: HYPERCALL.sched_op,
    HYPERCALL_domctl: HYPERCALL.domctl,
    HYPERCALL_event_channel_op: HYPERCALL.event_channel_op,
    VCPUOP_stop_periodic_timer: SUBOPERATIONS.vcpu_op.stop_periodic_timer,
  });
  const { bytes } = a.finish();
  return writeElf({
    segments: [{ address: VIRT_BASE, bytes, size: 2 * PAGE }],
    entry: VIRT_BASE,
    virtBase: VIRT_BASE,
    hypercallPage: VIRT_BASE + PAGE,
  });
};

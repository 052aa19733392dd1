/** The iret hypercall: it has no arguments but a frame on the stack, so that each call is a block of instructions of its own. */
import type { Argument } from '#spec/program.ts';
import { asCode, byteCount, little, push } from '../families/machine_code.ts';
import { type Args, type AsStep, type Operation, operation, wrong } from './operation.ts';

const HYPERCALL_IRET = 'b8170000000f05';
/** mov rbp, rsp */
const KEEP_STACK = '4889e5';
const PUSH_RBP = '55';
const PUSH_RCX = '51';
const PUSH_ZERO = '6a00';
/** pushfq; pop rbx */
const SHOW_FLAGS = '9c5b';
const KERNEL_CODE = 0xe030;
const DATA = 0xe02b;
const IN_SYSCALL = 0x100;

const NEXT = 0;
/** CS, SS, target, flags, context of the frame; the target 0 is what follows the call. */
const frame = (cs: number, ss: number, target: Argument = NEXT, flags = 0x202, context = 0): Args => [cs, ss, target, flags, context];

const asCodeStep: AsStep = ({ args }) => {
  const [cs, ss, target, flags, context] = args as readonly [number, number, string | number, number, number];
  const rest = PUSH_RCX + push(context) + PUSH_ZERO.repeat(3) + HYPERCALL_IRET;
  const after = push(ss) + PUSH_RBP + push(flags) + push(cs) + rest;
  // lea rcx, [rip + …], or mov rcx, …
  const to = target === NEXT ? `488d0d${little(byteCount(after), 4)}` : `48b9${little(BigInt(target), 8)}`;
  return { before: [], asked: { do: 'code', code: [...asCode(KEEP_STACK + to + after + SHOW_FLAGS)], show: ['rbx'] } };
};

export const IRET: readonly Operation[] = [
  {
    ...operation('iret', frame(KERNEL_CODE, DATA), {
      variants: [frame(KERNEL_CODE, DATA, NEXT, 0x202, IN_SYSCALL)],
      faults: [
        wrong(0, 'cs', { null: 0, data: 0xe028, "Xen's": 0xe008, 'a gap': 0x10, beyond: 0xfff8, 'not there': 4 }),
        wrong(1, 'ss', { null: 0, code: 0xe030, "Xen's": 0xe010, 'a gap': 0x13, beyond: 0xfffb, 'not there': 7 }),
        wrong(2, 'target', { noncanonical: '0x800000000000', 'far noncanonical': '0xff00800000000000', unmapped: '0x100000' }),
        wrong(4, 'context', { 'by SYSCALL': IN_SYSCALL }),
      ],
    }),
    asStep: asCodeStep,
  },
];

/** The iret hypercall with frames of every kind: selectors, flags, and ways back that Xen or the processor refuses. */
import type { Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES } from '../state.ts';
import { asCode, backToLong, byteCount, little, push } from './machine_code.ts';

const KERNEL_CODE = 0xe030;
const COMPAT_KERNEL_CODE = 0xe020;
const HYPERCALL_IRET = 'b8170000000f05';
/** mov rbp, rsp */
const KEEP_STACK = '4889e5';
const PUSH_RBP = '55';
const PUSH_RCX = '51';
const PUSH_ZERO = '6a00';
/** pushfq; pop rbx */
const SHOW_FLAGS = '9c5b';

/** Frames are pushed from the stack segment down; the flags' low bit 0x100 says that the guest came by SYSCALL. */
const frame = (g: Generation, hypercall = HYPERCALL_IRET, regs: Readonly<Record<string, Value>> = {}): Step => {
  const { r } = g;
  const compat = r.one(6);
  const cs = compat ? COMPAT_KERNEL_CODE : r.one(5) ? r.pick([0, 4, 8, 0xe008, 0xe010, 0xe028, 0xe031, 0xe032, 0x10, 0xfff8]) : KERNEL_CODE;
  const ss = r.one(5) ? r.pick([0, 3, 0xe010, 0xe028, 0xe030, 0xe033, 0x13, 7, 0xfffb]) : 0xe02b;
  const flags = r.one(3) ? r.pick([0x2, 0, 0x3202, 0x1202, 0x10202, 0x4202, 0x8202, 0x40202, 0x200202, 0x20202, 0x602, 0xfd7, -1]) : 0x202;
  const context = r.pick([0, 0, 4, 0x100, 0x104, 8, -1]);
  const rest = PUSH_RCX + push(context) + PUSH_ZERO + PUSH_ZERO + PUSH_ZERO + hypercall;
  const after = push(ss) + PUSH_RBP + push(flags) + push(cs) + rest;
  const lands = SHOW_FLAGS + (compat ? backToLong : '');
  // lea rcx, [rip + …]; at times a byte off, or nowhere.
  const target =
    !compat && r.one(8)
      ? r.pick(['48b90000000000800000', '48b900000000008000ff', '48b90010000000000000'])
      : `488d0d${little(byteCount(after), 4)}`;
  return g.step({ do: 'code', code: asCode(KEEP_STACK + target + after + lands), regs, show: ['rbx'] } as never);
};

const back: Family = { weight: 8, make: (g) => [frame(g)] };

const HYPERCALL_MULTICALL = 'b80d0000000f05';
const [IRET, VERSION] = [23, 17];
const ENTRY_BYTES = 64;

/** The same as an entry of a batch: what stands behind it in the list is not the guest kernel's to ask any more. */
const inBatch: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    const page = r.pick(PAGES.data);
    const write = (plus: number, value: Value): Step =>
      g.step({ do: 'access', how: 'write', at: { page, as: 'va', plus }, size: 8, value } as never);
    const before = r.int(0, 1);
    const numbers = [...Array.from({ length: before }, () => VERSION), IRET, VERSION];
    const list = numbers.flatMap((number, i) => [write(ENTRY_BYTES * i, number), write(ENTRY_BYTES * i + 16, 0)]);
    const regs = { rdi: { page, as: 'va' } as const, rsi: numbers.length };
    return [...list, frame(g, HYPERCALL_MULTICALL, regs), g.step({ do: 'hash', page } as never)];
  },
};

/** A frame where nothing can be read. The stack is left as it was before the trap is taken. */
const unreadable: Family = {
  weight: 1,
  make: (g) => [
    g.step({ do: 'hypercall', call: 'stack_switch', args: [0xe02b, { page: PAGES.stack, as: 'va', plus: 4096 }] } as never),
    frame(g),
  ],
};

export const RETURNS: readonly Family[] = [back, inBatch, unreadable];

/** What releases changed in the emulation of privileged instructions, and in SYSCALL. Chapters: spec/chapters/emulation.md, spec/chapters/trap.md. */
import { change } from './change.ts';

type Range = readonly [first: number, last: number];

/**
 * Registers that no guest is offered where everybody else may be read and written: on an AMD processor of family 15. From the manuals' numbers:
 * microcode, speculation, power, tracing, shadow stacks, the x2APIC, Xen's own.
 */
export const MSRS_NOT_OFFERED: readonly Range[] = [
  ...[0x17, 0x33, 0x79, 0xcf, 0x606, 0x64d, 0x65c, 0x6a0, 0x6a2, 0xd90, 0xda0].map((number): Range => [number, number]),
  [0x4d0, 0x4d0],
  [0x48, 0x49],
  [0x4e, 0x4f],
  [0x10a, 0x10b],
  [0x10f, 0x10f],
  [0x122, 0x123],
  [0x198, 0x199],
  [0x560, 0x561],
  [0x570, 0x572],
  [0x580, 0x58f],
  [0x610, 0x614],
  [0x618, 0x61c],
  [0x638, 0x63b],
  [0x640, 0x642],
  [0x6a4, 0x6a8],
  [0x800, 0x8ff],
  [0x40000000, 0x400002ff],
  [0xc0000103, 0xc0000103],
  [0xc0010020, 0xc0010020],
  [0xc0010058, 0xc0010058],
  [0xc001007a, 0xc001007b],
  [0xc0000105, 0xc0000106],
  [0xc0010299, 0xc001029b],
  [0xc00102f0, 0xc00102f1],
  [0xc0011019, 0xc001101b],
  [0xc0011027, 0xc0011027],
];
/** Those that may be read and not written, beside them: what the processor tells of itself, bases that are not canonical, clock modulation, machine checks. */
export const MSRS_NOT_WRITTEN: readonly Range[] = [
  [0x8b, 0x8b],
  [0xce, 0xce],
  [0x140, 0x140],
  [0x19a, 0x19a],
  [0x1b0, 0x1b0],
  [0x400, 0x47f],
  [0xc0000100, 0xc0000102],
];
/** MCi_CTL of the processor's ten banks, of which guests have fewer: each reports all its errors. */
const BANKS_CTL = Array.from({ length: 10 }, (_, bank): [number, string] => [0x400 + 4 * bank, '0xffffffffffffffff']);
/** What the processor of the default machine has in registers that Xen lets everybody read; others are zero there. Measured on 4.14. */
export const PROCESSOR_MSRS: ReadonlyMap<number, string> = new Map([
  [0xfe, '0x508'],
  [0x200, '0x80000000'],
  [0x250, '0x606060606060606'],
  [0x258, '0x606060606060606'],
  [0x2ff, '0xc06'],
  ...BANKS_CTL,
  [0xc0000081, '0xe023e00800000000'],
  [0xc0000082, '0xffff82d07fffe000'],
  [0xc0000083, '0xffff82d07fffe020'],
  [0xc0000084, '0x74700'],
]);

export const EMULATION_CHANGES = {
  'rdmsr-unlisted': change({
    clause: 'emulation/rdmsr',
    ways: { '4.14': "the processor's", '4.17': '#GP', '4.20': '#GP' },
    says: {
      "the processor's":
        "Registers that Xen says nothing about are read from the processor, whoever asks; some are kept from every guest (#GP). Nothing is pretended to a guest without a #GP handler. DE_CFG is the processor's too.",
      '#GP': 'Registers that Xen does not list are #GP.',
    },
    shown: { script: 'release-emulation', steps: [1, 2] },
  }),
  'wrmsr-unlisted': change({
    clause: 'emulation/wrmsr',
    ways: { '4.14': 'lost', '4.17': '#GP', '4.20': '#GP' },
    says: {
      lost: 'Writes to registers that Xen says nothing about are lost; some are kept from every guest (#GP).',
      '#GP': 'Registers that Xen does not list are #GP.',
    },
    shown: { script: 'release-emulation', steps: [3] },
  }),
  'syscall-no_callback': change({
    clause: 'trap/syscall-no_callback',
    ways: { '4.14': 'crash', '4.17': '#UD', '4.20': '#UD' },
    says: {
      crash: 'SYSCALL from user mode without a callback crashes the domain, as any entry without a handler does.',
      '#UD': 'SYSCALL from user mode without a callback is #UD.',
    },
    shown: { script: 'release-syscall', steps: [2, 3] },
  }),
  'syscall-compat_fallback': change({
    clause: 'trap/syscall-compat',
    ways: { '4.14': 'the 64-bit callback', '4.17': 'none', '4.20': 'none' },
    says: {
      'the 64-bit callback': '32-bit code whose own callback is not set gets to the 64-bit one.',
      none: '32-bit code has its own callback alone.',
    },
    shown: { script: 'release-emulation', steps: [4] },
  }),
  'syscall-flags': change({
    clause: 'trap/syscall-flags',
    ways: { '4.14': 'without DF', '4.17': 'and the stack pointer', '4.20': 'and the stack pointer' },
    says: {
      'without DF': 'The callback begins with the flags of the user, but for DF.',
      'and the stack pointer': 'The flags are masked with the new stack pointer.',
    },
    shown: { script: 'release-emulation', steps: [7] },
  }),
  'port-bitmap_fault': change({
    clause: 'emulation/port-bitmap',
    ways: { '4.14': 'no permission', '4.17': 'no permission', '4.20': '#PF' },
    says: {
      'no permission': 'Bytes of the bitmap that cannot be read count as ones.',
      '#PF':
        'A bitmap that cannot be read is #PF(0), at its first byte in question plus the width of the access less the number of bytes that were not read.',
    },
    shown: { script: 'emulation-ports', steps: [30, 33] },
  }),
} as const;

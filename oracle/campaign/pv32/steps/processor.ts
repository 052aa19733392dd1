/** Traps, callbacks, stacks, registers, descriptors: what a kernel sets up of the processor. */
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { call, le, store, storeByte } from '../code.ts';
import { DATA, HANDLERS, PAGE, SHARED, SPARE } from '../layout.ts';
import { data, type Family } from './family.ts';

const KERNEL_CS = 0xe019;
const KERNEL_SS = 0xe021;
const GDT_PAGES = SPARE + 6 * PAGE;
const CODE_AND_DATA = [0x00cffb00, 0x00cf9b00, 0x00cf9300, 0x00af9b00, 0x008f9300, 0x00008c00, 0x0000ec00] as const;

/** Handlers are the kernel's or the user's code, or their selector leads nowhere in the kernel's ring. */
export const PROCESSOR = {
  set_trap_table: (d) => [
    ...data(
      d.pick(0x40, 0x41, 6, 13) | (d.below(8) << 8) | (d.pick(KERNEL_CS, KERNEL_CS, 0xe02b, d.below(0x10000) & ~2) << 16),
      HANDLERS.skipping,
    ),
    ...store(DATA + 8, d.pick(0, 0x44)),
    ...store(DATA + 12, 0),
    ...call(HYPERCALL.set_trap_table, d.pointer()),
  ],
  stack_switch: (d) => call(HYPERCALL.stack_switch, d.pick(KERNEL_SS, KERNEL_SS, 0xe020, d.below(0x10000)), d.pick(DATA + 0x800, d.any())),
  set_callbacks: (d) =>
    call(HYPERCALL.set_callbacks, d.pick(KERNEL_CS, 0xe018, 0xe01b), HANDLERS.event, d.pick(KERNEL_CS, d.below(0x10000)), d.any()),
  callback_op: (d) => [
    ...data(d.pick(0, 1, 2, 3, 4, 5, 7, d.below(10)) | (d.below(2) << 16), d.pick(KERNEL_CS, 0xe018), HANDLERS.event),
    ...call(HYPERCALL.callback_op, d.pick(0, 0, 0, d.below(4)), d.pointer()),
  ],
  nmi_op: (d) => [...data(d.pick(HANDLERS.skipping, 0)), ...call(HYPERCALL.nmi_op, d.below(3), d.pointer())],
  registers: (d) =>
    d.pick(
      call(HYPERCALL.set_debugreg, d.below(9), d.pick(d.any(), 0x700, 0)),
      call(HYPERCALL.get_debugreg, d.below(9)),
      call(HYPERCALL.fpu_taskswitch, d.below(2)),
      call(HYPERCALL.vm_assist, d.below(3), d.pick(d.below(8), d.below(40))),
    ),
  gdt: (d) => {
    const page = GDT_PAGES + PAGE * d.below(3);
    const frame = d.frame(page);
    return [
      ...store(page, d.any()),
      ...store(page + 4, d.pick(...CODE_AND_DATA, d.any())),
      ...call(HYPERCALL.update_va_mapping, page, (frame << 12) | 0x21, 0, 2),
      ...data(frame, frame),
      ...call(HYPERCALL.set_gdt, d.pointer(), d.pick(0, 1, 512, 513, 8000, d.below(600))),
    ];
  },
  descriptor: (d) =>
    call(
      HYPERCALL.update_descriptor,
      (d.frame(GDT_PAGES + PAGE * d.below(3)) << 12) | (8 * d.below(4)) | d.pick(0, 0, 0, 4),
      d.pick(0, 0, 1),
      d.any(),
      d.pick(...CODE_AND_DATA, d.any()),
    ),
  ud2: () => [0x0f, 0x0b],
  interrupt: (d) => d.pick([0xcd, 0x40], [0xcd, 0x80], [0xcc], [0x0f, 0x05]),
  segments: (d) => [0x66, 0xb8, ...le(d.pick(KERNEL_SS, 0xe033, 0, 3, 0xe020)).slice(0, 2), 0x8e, d.pick(0xe0, 0xe8)],
  flags: (d) => d.pick([0xfa], [0xfb], [0x9c, 0x58]),
  mask: (d) => storeByte(SHARED + 1, d.below(2)),
} as const satisfies Record<string, Family>;

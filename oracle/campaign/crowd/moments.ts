/** Steps by which a domain meets what domain 0 has set for it, or what Xen keeps for each: breakpoints, machine-check registers, ports, a watchdog. */
import type { Step } from '#spec/program.ts';
import type { Draw } from '../pv32/draw.ts';

type Made = Omit<Step, 'id'>;
const step = (made: object): Made => made as Made;
const code = (bytes: string, regs: object, show: readonly string[]): Made => step({ do: 'code', code: [{ bytes }], regs, show });

const [RDMSR, BREAKPOINT] = ['0f32', 'cc'];
/** Machine checks: what there is, its control, the control of the first two banks. */
const MACHINE_CHECK = [0x179, 0x17b, 0x280, 0x281] as const;

/** Bytes and doublewords in and out. */
const [BYTES, DOUBLEWORDS] = [
  ['ec', 'ee'],
  ['ed', 'ef'],
] as const;
type Kept = { readonly port: number; readonly by: typeof BYTES | typeof DOUBLEWORDS };
/** The index of CMOS, the address of PCI registers, the debug port: Xen keeps them, or nobody is behind them. */
const KEPT: readonly Kept[] = [
  { port: 0x70, by: BYTES },
  { port: 0xcf8, by: DOUBLEWORDS },
  { port: 0xe9, by: BYTES },
];
/** The timer's second channel and the speaker are domain 0's own, and answer for sure where nothing does. */
const TIMER: readonly Kept[] = [0x42, 0x61].map((port) => ({ port, by: BYTES }));

const oneOf = <T>(draw: Draw, from: readonly T[]): T => from[draw.below(from.length)]!;

const ports = (draw: Draw, self: number, hostIsEmpty: boolean): readonly Made[] => {
  const { port, by } = oneOf(draw, self === 0 && hostIsEmpty ? [...KEPT, ...TIMER] : KEPT);
  return [
    step({ do: 'hypercall', call: 'physdev_op', args: [6, { struct: 'physdev.set_iopl', fields: { iopl: 1 } }] }),
    ...by.map((bytes) => code(bytes, { rax: draw.pick('0x11223344', '0x0', '0x8000f800'), rdx: port }, ['rax'])),
    code(by[0], { rax: 0, rdx: port }, ['rax']),
  ];
};

/** How long the identifier of Xen's build is, and a place for it. */
const identifier = (draw: Draw): Made =>
  step({ do: 'hypercall', call: 'xen_version', args: [10, oneOf<unknown>(draw, [0, { buffer: 64, show: 'bytes' }])] });

/** A second or two. */
const watchdog = (draw: Draw): Made =>
  step({ do: 'hypercall', call: 'sched_op', args: [6, { struct: 'sched.watchdog', fields: { id: 0, timeout: draw.pick(1, 2) } }] });

export type Surroundings = { readonly self: number; readonly hostIsEmpty: boolean; readonly fast: boolean };

/** A few of them. The end of domain 0 would be the end of all, so it sets no watchdog. */
export const moments = (draw: Draw, { self, hostIsEmpty, fast }: Surroundings): readonly Made[] => [
  ...(draw.below(2) === 0 ? [code(BREAKPOINT, {}, ['rax'])] : []),
  ...(draw.below(2) === 0 ? [code(RDMSR, { rcx: draw.pick(...MACHINE_CHECK), rax: 0, rdx: 0 }, ['rax', 'rdx'])] : []),
  ...(draw.below(2) === 0 ? ports(draw, self, hostIsEmpty) : []),
  ...(draw.below(2) === 0 ? [identifier(draw)] : []),
  ...(fast && self !== 0 && draw.below(3) === 0 ? [watchdog(draw)] : []),
];

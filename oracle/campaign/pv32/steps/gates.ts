/** Call gates: tables of the guest's own with gates in them, and far calls and jumps through them from ring 1 and ring 3. */
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { type Code, call, dataSegments, keep, le, mov, store } from '../code.ts';
import type { Draw } from '../draw.ts';
import { DATA, HANDLERS, PAGE, RESUME, SPARE, STACK } from '../layout.ts';
import { data, type Family } from './family.ts';

/** The page with the descriptors, and what its entries are. */
const TABLE = SPARE + 9 * PAGE;
/** A page for ring 3: code, a stack, and a far pointer for everybody. */
const USER = SPARE + 8 * PAGE;
const USER_CODE = USER + 0x40;
const USER_STACK = USER + 0x800;
const FAR_POINTER = USER + 0x80;
const ENTRY = { code1: 1, data1: 2, code3: 3, data3: 4, target: 5, gate: 6, inner: 7, stack: 8, local: 9 } as const;
const [CODE1, DATA1, CODE3, DATA3] = [0x00cfbb00, 0x00cfb300, 0x00cffb00, 0x00cff300];
const KERNEL_CS = 0xe019;
const KERNEL_SS = 0xe021;
const USER_CS = 0xe02b;
const USER_SS = 0xe033;
const FLAT = 0xffff;
const selectorOf = (entry: number, rpl: number): number => 8 * entry + rpl;
/** #TS, #NP, #SS, #GP and #PF go on with the next step. */
const FAULTS = [10, 11, 12, 13, 14] as const;

const describe = (d: Draw, entry: number, lo: number, hi: number): Code =>
  call(HYPERCALL.update_descriptor, (d.frame(TABLE) << 12) | (8 * entry), 0, lo, hi);

/** Code that is present and fit, as a rule. */
const target = (d: Draw): readonly [number, number] =>
  d.pick<readonly [number, number]>(
    [FLAT, CODE1],
    [FLAT, CODE1],
    [FLAT, CODE3],
    [FLAT, d.pick(0x00cfbf00, 0x00cfff00)],
    [FLAT, d.pick(0x00cf3b00, 0x00cf7b00)],
    [0x1000, d.pick(0x0000bb00, 0x0040fb00)],
    [FLAT, d.pick(DATA1, DATA3, 0x00cfdb00)],
    [d.any(), d.any()],
  );

const gate = (d: Draw): readonly [number, number] => {
  const to = d.pick(
    selectorOf(ENTRY.target, 1),
    selectorOf(ENTRY.target, d.below(4)),
    KERNEL_CS,
    selectorOf(ENTRY.code3, 3),
    d.below(0x10000),
  );
  const offset = d.pick(HANDLERS.recover, HANDLERS.recover, HANDLERS.recover, HANDLERS.recover, d.any());
  const level = d.pick(3, 3, 3, 1, d.below(4));
  const parameters = d.pick(0, 0, 1, 2, d.below(32));
  const kind = d.pick(0x8c00, 0x8c00, 0x8c00, 0x8c00, 0x0c00, 0x8400);
  return [(to << 16) | (offset & 0xffff), (offset & 0xffff0000) | kind | (level << 13) | parameters];
};

/** Stacks with odd bases and limits. */
const stack = (d: Draw): readonly [number, number] =>
  d.pick<readonly [number, number]>(
    [FLAT, DATA1],
    [FLAT, DATA3],
    [0x0fff, 0x00c0b300],
    [0x0200, 0x00c0b700],
    [(0x1000 << 16) | FLAT, 0x00cfb300],
    [FLAT, d.pick(0x00cf3300, 0x00cfb100, CODE1)],
    [d.any(), d.any()],
  );

const setUp = (d: Draw): Code => [
  ...describe(d, ENTRY.code1, FLAT, CODE1),
  ...describe(d, ENTRY.data1, FLAT, DATA1),
  ...describe(d, ENTRY.code3, FLAT, CODE3),
  ...describe(d, ENTRY.data3, FLAT, DATA3),
  ...describe(d, ENTRY.target, ...target(d)),
  ...describe(d, ENTRY.gate, ...gate(d)),
  ...describe(d, ENTRY.inner, ...gate(d)),
  ...describe(d, ENTRY.stack, ...stack(d)),
  ...call(HYPERCALL.update_va_mapping, TABLE, (d.frame(TABLE) << 12) | 0x25, 0, 2),
  ...data(d.frame(TABLE)),
  ...call(HYPERCALL.set_gdt, DATA, d.pick(16, 16, 16, 512, ENTRY.gate)),
];

/** FS and GS with a descriptor that says something else by the time Xen looks: the processor keeps what it loaded. */
const movedSegments = (d: Draw): Code => [
  ...describe(d, ENTRY.local, FLAT, DATA3),
  ...mov('ecx', selectorOf(ENTRY.local, 3)),
  ...[0x8e, 0xe1, 0x8e, 0xe9],
  ...describe(d, ENTRY.local, ...d.pick<readonly [number, number]>([FLAT, d.pick(0x10cff300, 0x80cff310)], [0xff, 0x0040f300], stack(d))),
];

const traps = (handlers: readonly (readonly [vector: number, handler: number])[]): Code => [
  ...handlers.flatMap(([vector, handler], i) => [...store(DATA + 8 * i, vector | (KERNEL_CS << 16)), ...store(DATA + 8 * i + 4, handler)]),
  ...store(DATA + 8 * handlers.length + 4, 0),
  ...call(HYPERCALL.set_trap_table, DATA),
];

/** A far call or jump by way of the gate, with the pointer in the instruction or in memory. */
const branch = (d: Draw): Code => {
  const entry = d.pick(ENTRY.gate, ENTRY.gate, ENTRY.inner, ENTRY.inner, d.below(16));
  const selector = selectorOf(entry, d.pick(0, 0, 1, 3)) | d.pick(0, 0, 0, 0, 0, 0, 0, 4);
  const narrow = d.below(5) === 0 ? [0x66] : [];
  const override = d.pick<Code>([], [], [], [0x2e], [0x36], [0x26], [0x64], [0x65]);
  const jumps = d.below(4) === 0;
  if (d.below(2) === 0) {
    const offset = narrow.length > 0 ? le(d.any()).slice(0, 2) : le(d.any());
    return [...narrow, jumps ? 0xea : 0x9a, ...offset, ...le(selector).slice(0, 2)];
  }
  const at = d.pick(FAR_POINTER, FAR_POINTER, FAR_POINTER, USER + PAGE - 4, 0x00100000);
  return [...override, ...narrow, 0xff, jumps ? 0x2d : 0x1d, ...le(at)];
};

/** PUSH immediate. */
const push = (value: number): Code => [0x68, ...le(value)];
/** CALL the next instruction, POP EAX: its own address. */
const HERE = [0xe8, 0, 0, 0, 0, 0x58];
const POP = 1;
/** LEA EAX, [EAX + distance]. */
const leaEax = (distance: number): Code => [0x8d, 0x80, ...le(distance)];
const IRET = 0xcf;

/** Ring 3 by IRET, on a stack and in code of its own. */
const enterUser = (d: Draw): Code => [
  ...dataSegments(USER_SS),
  ...push(d.pick(USER_SS, USER_SS, selectorOf(ENTRY.data3, 3))),
  ...push(USER_STACK),
  ...push(d.pick(0x202, 0x202, 0x202, 0x10202)),
  ...push(d.pick(USER_CS, USER_CS, selectorOf(ENTRY.code3, 3))),
  ...push(USER_CODE),
  IRET,
];

/** The page of ring 3 with such code on it. */
const userPage = (d: Draw, code: Code): Code => [
  ...words(code).flatMap((word, i) => store(USER_CODE + 4 * i, word)),
  ...[0, 1, 2, 3].flatMap((i) => store(USER_STACK + 4 * i, d.any())),
];
const words = (code: Code): readonly number[] => {
  const padded = [...code, 0x90, 0x90, 0x90];
  return Array.from(
    { length: padded.length >> 2 },
    (_, i) => padded.slice(4 * i, 4 * i + 4).reduceRight((all, byte) => (all << 8) | byte, 0) >>> 0,
  );
};

/** The kernel's stack for calls to ring 1. */
const kernelStack = (d: Draw): Code =>
  call(
    HYPERCALL.stack_switch,
    d.pick(KERNEL_SS, KERNEL_SS, KERNEL_SS, selectorOf(ENTRY.stack, 1), selectorOf(ENTRY.stack, d.below(4)), d.below(0x10000)),
    d.pick(STACK - 0x200, STACK - 0x200, 16, d.pick(0x00100010, SPARE + 9 * PAGE + 0x80, 0xf5800008), d.any()),
  );

const attempt = (d: Draw): Code => {
  const selector = selectorOf(d.pick(ENTRY.gate, ENTRY.inner), d.pick(0, 3));
  const prepared = [
    ...call(HYPERCALL.update_va_mapping, USER, (d.frame(USER) << 12) | 0x27, 0, 2),
    ...setUp(d),
    ...(d.below(4) === 0 ? movedSegments(d) : []),
    ...traps(FAULTS.map((vector) => [vector, HANDLERS.recover])),
    ...store(FAR_POINTER, selector | (d.below(2) << 16)),
    ...store(FAR_POINTER + 4, selector),
    ...(d.below(6) === 0 ? kernelStack(d) : []),
  ];
  const taken = branch(d);
  const user = d.below(3) > 0;
  const body = user ? enterUser(d) : taken;
  const distance = POP + leaEax(0).length + keep(0).length + body.length;
  return [
    ...prepared,
    ...(user ? userPage(d, taken) : []),
    ...HERE,
    ...leaEax(distance),
    ...keep(RESUME),
    ...body,
    ...mov('esp', STACK),
    ...traps([
      [13, HANDLERS.fatal],
      [14, HANDLERS.store],
    ]),
    ...call(HYPERCALL.stack_switch, KERNEL_SS, STACK),
  ];
};

export const GATES = { gates: attempt } as const satisfies Record<string, Family>;

/** Far transfers, gates, interrupts by instruction, IRET, and the fast system calls. */
import type { Action, SystemCase } from '#oracle/image/bare/case.ts';
import { bitsOf, isLong, pageOf } from '#oracle/image/bare/case.ts';
import { ACCESS, dpl, gate, gate64 } from '#oracle/image/bare/descriptors.ts';
import { IDT32, IDT64, SEL, TASK_CODE } from '#oracle/image/bare/layout.ts';
import type { Stream } from '../../isa/stream.ts';
import { dataAt, dataOffset, instruction, little, movImmediate, type Place, rowOf } from '../assemble.ts';
import { oddSelector, place, someSegment, someSystem, store } from '../descriptor.ts';
import { LONG_MODES, somePlace } from '../places.ts';
import type { Family } from './family.ts';

/** Where transfers of a case go: UD2 stands there. */
const targetOf = (at: Place): number => (at.mode === 'real' || at.mode === 'v86' ? TASK_CODE : pageOf(at) + TASK_CODE);
const offsetBytes = (at: Place, other: boolean): number => ((bitsOf(at.mode) === 16) !== other ? 2 : 4);

/** Descriptors that a far transfer may meet: code of all kinds, gates, task states. */
const destination = (s: Stream, at: Place) => {
  if (at.mode === 'real' || at.mode === 'v86') return { selector: pageOf(at) >> 4, before: [] as readonly Action[] };
  if (s.one(6)) return { selector: oddSelector(s), before: [] as readonly Action[] };
  const long = isLong(at.mode);
  const code = s.one(6) ? SEL.userData : s.pick([SEL.code32, SEL.code64, SEL.code16, SEL.user32]);
  const offset = code === SEL.user32 ? pageOf({ ...at, ring: 3 }) + TASK_CODE : pageOf({ ...at, ring: 0 }) + TASK_CODE;
  return place(
    s,
    s.one(2) ? someSystem(s, long, code, offset) : someSegment(s, s.pick([0x9b, 0xfb, 0x9f, 0xff, 0x99, 0xf9, 0x1b, 0x93, 0xfa])),
    at.ring,
  );
};

const far = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const call = s.one(2);
  const direct = at.mode !== '64' && s.one(2);
  const row = rowOf(call ? 'call_far' : 'jmp_far', direct ? (call ? '1 9a' : '1 ea') : '1 ff');
  const other = s.one(5);
  const { selector, before, ...rest } = destination(s, at);
  const bytes = offsetBytes(at, other);
  const target = targetOf(at);
  const pointer = [...little(target, bytes), ...little(selector, 2)];
  const code = direct
    ? instruction(at, row, { immediate: pointer, ...(other ? { other } : {}) })
    : instruction(at, row, { memory: dataOffset(at), ...(other ? { other } : {}) });
  const image = bytes === 2 ? [target | (selector << 16)] : [target, selector];
  return { ...at, row, note: 'far transfer', code, before: [...before, ...store(dataAt(at), image)], ...rest };
};

const farReturn = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const row = rowOf('ret_far', s.pick(['1 ca', '1 cb']));
  const { selector, before, ...rest } = destination(s, at);
  // PUSH imm: what the return takes, the outer stack first. 64-bit code returns by 32 bits without REX.W.
  const push = (value: number): number[] => [
    ...movImmediate(at, 0, value >>> 0),
    ...(bitsOf(at.mode) === 16 && !(at.mode === 'real' || at.mode === 'v86') ? [0x66, 0x50] : [0x50]),
  ];
  const wide = at.mode === '64';
  const other = bitsOf(at.mode) === 16 && at.mode !== 'real' && at.mode !== 'v86';
  const immediate = row === rowOf('ret_far', '1 ca') ? [0, 0] : [];
  const outer = pageOf({ ...at, ring: 3 });
  const stack = s.pick([SEL.userData, SEL.userData, SEL.data, 0, 3, SEL.user32]);
  const code = [
    ...[stack, outer + 0x280, selector, targetOf(at)].flatMap(push),
    ...instruction(at, row, { immediate, ...(other ? { other } : {}), ...(wide ? { wide } : {}) }),
  ];
  return {
    ...at,
    row,
    note: 'far return',
    code,
    before,
    segments: s.one(3) ? { es: SEL.data, fs: at.mode === 'real' ? 0 : at.ring === 0 ? SEL.data : SEL.userData } : {},
    ...rest,
  };
};

const VECTOR = 0x30;
const IDT_ENTRY = (long: boolean, vector: number): number => (long ? IDT64 + 16 * vector : IDT32 + 8 * vector);

/** INT n through a gate of the case's own. What the gate names exists: the stub of vector 0x30 of the handlers is poked by its selector only. */
const interrupt = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const long = isLong(at.mode);
  const how = s.pick(['int', 'int', 'int', 'int3', 'into', 'int1'] as const);
  const mnemonic = how === 'into' && at.mode === '64' ? 'int3' : how;
  const row = rowOf(mnemonic);
  const vector = mnemonic === 'int' ? s.pick([VECTOR, VECTOR, 0x31, 3, 4, 13, 0x3f, 0x40, 0x80, 0xff]) : 0;
  const code = instruction(at, row, { immediate: mnemonic === 'int' ? [vector] : [] });
  const own = vector === VECTOR && at.mode !== 'real' && s.one(2);
  const { before, ...rest } = own ? ownGate(s, at, long) : { before: [] as readonly Action[] };
  return {
    ...at,
    row,
    note: `${mnemonic} ${own ? 'own gate' : vector.toString(16)}`,
    code,
    flags: (s.one(2) ? 0x800 : 0) | (s.one(3) ? 0x3000 : 0) | (s.one(3) ? 0x4000 : 0),
    before,
    ...rest,
  };
};

/** A gate at VECTOR that leads to the case's second code, where UD2 stands; of any type and DPL. */
const ownGate = (s: Stream, at: Place, long: boolean) => {
  const access =
    dpl(
      s.pick([
        ACCESS.interruptGate,
        ACCESS.trapGate,
        ACCESS.interruptGate,
        ACCESS.taskGate,
        ACCESS.interruptGate16,
        ACCESS.trapGate16,
        0x80 | s.below(32),
      ]),
      s.pick([3, 3, 3, 0]),
    ) & ~(s.one(8) ? 0x80 : 0);
  const inner = long ? SEL.code64 : SEL.code32;
  const segment = s.one(2)
    ? { selector: inner as number, before: [] as readonly Action[] }
    : s.one(2)
      ? { selector: oddSelector(s), before: [] as readonly Action[] }
      : place(s, someSegment(s, s.pick([0x9b, 0x9f, 0xfb, 0xff, 0x1b, 0x93])), 0);
  const selector = (access & 0x1f) === ACCESS.taskGate - 0x80 ? s.pick([SEL.task, SEL.task, SEL.tss32, SEL.data]) : segment.selector;
  const offset = pageOf({ ...at, ring: 0 }) + TASK_CODE;
  const descriptor = long ? gate64(access, selector, offset, s.pick([0, 0, 1, 2]), s.one(8) ? 0x8000 : 0) : gate(access, selector, offset);
  return { ...segment, before: [...segment.before, ...store(IDT_ENTRY(long, VECTOR), descriptor)], selector: undefined };
};

const FLAG_SETS = [0x2, 0x202, 0x3002, 0x4002, 0x40002, 0x10002, 0x200002, 0xcd7, 0x100] as const;

/** IRET with a frame that the case pushes: same ring, outer ring, virtual-8086, null stacks, NT. */
const iret = (s: Stream): SystemCase => {
  const at = somePlace(s);
  const row = rowOf('iret');
  const real = at.mode === 'real' || at.mode === 'v86';
  const wide = at.mode === '64' && !s.one(4);
  const other = bitsOf(at.mode) === 16 && !real ? true : s.one(6) && at.mode !== '64';
  const operand = wide ? 8 : (bitsOf(at.mode) === 16) !== other ? 2 : 4;
  const { selector, before, ...rest } = destination(s, at);
  const outer = pageOf({ ...at, ring: 3 });
  const vm = at.mode === 'prot32' && at.ring === 0 && operand === 4 && s.one(3);
  const flags = (s.pick(FLAG_SETS) & (s.one(4) ? ~0 : ~0x100)) | (vm ? 0x20000 : 0);
  const frame = vm
    ? [TASK_CODE, 0xa00, flags, 0x280, 0xa00, 0x123, 0x234, 0x345, 0x456]
    : [targetOf(at), selector, flags, s.one(8) ? 0 : outer + 0x280, s.pick([SEL.userData, SEL.userData, SEL.data, 0, 3, SEL.user32]), 0, 0];
  const memory = dataAt(at, 0x40);
  const image =
    operand === 8
      ? frame.flatMap((v) => [v, 0])
      : operand === 4
        ? frame
        : Array.from({ length: 4 }, (_, i) => (frame[2 * i] & 0xffff) | ((frame[2 * i + 1] ?? 0) << 16));
  const stack = real ? dataOffset(at, 0x40) : memory;
  const code = [...movImmediate(at, 4, stack), ...instruction(at, row, { ...(wide ? { wide } : {}), ...(other ? { other } : {}) })];
  return {
    ...at,
    row,
    note: vm ? 'to v86' : 'return',
    code,
    flags: s.one(5) ? 0x4000 : s.one(3) ? 0x3000 : 0,
    before: [...before, ...store(memory, image)],
    ...rest,
  };
};

const STAR = 0xc0000081;
const LSTAR = 0xc0000082;
const CSTAR = 0xc0000083;
const SFMASK = 0xc0000084;
const reset: readonly Action[] = [STAR, LSTAR, CSTAR, SFMASK, 0x174, 0x175, 0x176].map((msr) => ({ do: 'msr', msr, value: 0n }));

/** SYSCALL and SYSRET: both sizes, EFER.SCE clear, odd selectors in STAR. */
const systemCall = (s: Stream): SystemCase => {
  const back = s.one(2);
  const at = somePlace(s, s.one(5) ? [...(back ? (['real'] as const) : []), 'v86', 'prot16', 'prot32'] : LONG_MODES);
  const row = rowOf(back ? 'sysret' : 'syscall');
  const kernel = pageOf({ ...at, ring: 0 }) + TASK_CODE;
  const user = pageOf({ ...at, ring: 3 }) + TASK_CODE;
  const star =
    (BigInt(s.pick([SEL.user32, SEL.user32 & ~3, 0x23, 0])) << 48n) |
    (BigInt(s.pick([SEL.code32, SEL.code64, SEL.code32 | 3])) << 32n) |
    BigInt(kernel);
  const before: Action[] = [
    { do: 'msr', msr: STAR, value: star },
    { do: 'msr', msr: LSTAR, value: BigInt(kernel) },
    { do: 'msr', msr: CSTAR, value: BigInt(kernel) },
    { do: 'msr', msr: SFMASK, value: BigInt(s.pick([0, 0x200, 0x4700, 0xffffffff])) },
  ];
  const rcx = s.one(8) ? 0x800000000000n : BigInt(user);
  return {
    ...at,
    row,
    note: back ? 'return' : 'call',
    code: instruction(at, row, at.mode === '64' && s.one(2) ? { wide: true } : {}),
    gpr: { 1: rcx, 11: BigInt(s.pick([0x2, 0x202, 0x3cd7, 0x10002, 0x244ed7])) },
    efer: s.one(6) ? 0 : 1,
    flags: s.pick([0, 0x400, 0xcd5, 0x3000]),
    before,
    after: reset,
  };
};

const fastEntry = (s: Stream): SystemCase => {
  const back = s.one(2);
  const at = somePlace(s, s.one(3) ? LONG_MODES : ['prot16', 'prot32', 'v86', 'real']);
  // SYSENTER has no row in 64-bit mode: AMD's processors do not have it there.
  if (at.mode === '64' && !back) return fastEntry(s);
  const row = rowOf(back ? 'sysexit' : 'sysenter');
  const before: Action[] = [
    { do: 'msr', msr: 0x174, value: BigInt(s.pick([SEL.code32, SEL.code32, 0, 3, 0x20])) },
    { do: 'msr', msr: 0x175, value: BigInt(pageOf({ ...at, ring: 0 }) + 0x280) },
    { do: 'msr', msr: 0x176, value: BigInt(pageOf({ ...at, ring: 0 }) + TASK_CODE) },
  ];
  const user = pageOf({ ...at, ring: 3 });
  return {
    ...at,
    row,
    note: back ? 'leave' : 'enter',
    code: instruction(at, row),
    gpr: { 1: BigInt(user + 0x280), 2: BigInt(user + TASK_CODE) },
    flags: s.pick([0, 0x200, 0x3000, 0x400]),
    before,
    after: reset,
  };
};

/** SWAPGS and the four base instructions. */
const bases = (s: Stream): SystemCase => {
  const at = somePlace(s, ['64', '64', 'compat32', 'prot32']);
  const mnemonic = s.pick(
    at.mode === '64' ? (['swapgs', 'rdfsbase', 'rdgsbase', 'wrfsbase', 'wrgsbase'] as const) : (['rdfsbase', 'wrgsbase'] as const),
  );
  const row = rowOf(mnemonic);
  const value = s.pick([0x1234n, 0x7fffffffffffn, 0x800000000000n, 0xffff800000000000n, s.bits64()]);
  return {
    ...at,
    row,
    note: mnemonic,
    code: instruction(at, row, { rm: 0, ...(at.mode === '64' && s.one(2) && mnemonic !== 'swapgs' ? { wide: true } : {}) }),
    gpr: { 0: value },
    cr4: s.one(5) ? 0 : 0x10000,
    before: [0xc0000100, 0xc0000101, 0xc0000102].map((msr, i) => ({ do: 'msr' as const, msr, value: BigInt(0x11110000 + i) })),
    after: [0xc0000102].map((msr) => ({ do: 'msr' as const, msr, value: 0n })),
  };
};

export const TRANSFERS: readonly Family[] = [
  { name: 'far transfer', weight: 6, make: far },
  { name: 'far return', weight: 3, make: farReturn },
  { name: 'interrupt', weight: 5, make: interrupt },
  { name: 'iret', weight: 5, make: iret },
  { name: 'system call', weight: 3, privileged: /^sysret$/, make: systemCall },
  { name: 'sysenter', weight: 2, privileged: /^sys(enter|exit)$/, make: fastEntry },
  { name: 'bases', weight: 2, privileged: /^swapgs$/, make: bases },
];

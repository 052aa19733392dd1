/** The opcode table (row.ts says how to read it). */
import type { OpcodeMap, Row } from './row.ts';

export type { OpcodeMap, Row } from './row.ts';

type Extra = Omit<Row, 'map' | 'opcode' | 'mnemonic' | 'operands'>;
const row = (map: OpcodeMap, opcode: number, text: string, extra: Extra = {}): Row => {
  const [mnemonic, operands] = text.split(' ') as [string, string?];
  return { map, opcode, mnemonic, operands: operands ? operands.split(',') : [], ...extra };
};
/** A row that applies without 66, F2 and F3, and is #UD with one of them; `but`: those that select something else. */
const plain = (
  map: OpcodeMap,
  opcode: number,
  text: string,
  extra: Extra = {},
  but: readonly ('66' | 'f2' | 'f3')[] = [],
): readonly Row[] => {
  const { ext, modrm, mod } = extra;
  const selected: Extra = { ...(ext === undefined ? {} : { ext }), ...(modrm === undefined ? {} : { modrm }), ...(mod ? { mod } : {}) };
  const operands = mod === 'mem' ? ' M' : '';
  const others = (['66', 'f2', 'f3'] as const).filter((prefix) => !but.includes(prefix));
  return [
    row(map, opcode, text, { ...extra, prefix: 'np' }),
    ...others.map((prefix) => row(map, opcode, `invalid${operands}`, { ...selected, prefix })),
  ];
};
const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Control registers that exist. MOV with another is #UD, which comes before the #GP(0) of ring 3; so are debug registers above 7. */
export const CONTROL_REGISTERS: readonly number[] = [0, 2, 3, 4, 8];
export const DEBUG_REGISTERS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Condition codes by number, as in Jcc, SETcc, CMOVcc. */
export const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;
const ARITH = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'] as const;
const SHIFT = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'shl', 'sar'] as const;
const lockable = (m: string): Extra => (m === 'cmp' ? {} : { lock: true });

const arithmetic: readonly Row[] = ARITH.flatMap((m, i) => [
  row('1', i * 8 + 0, `${m} Eb,Gb`, lockable(m)),
  row('1', i * 8 + 1, `${m} Ev,Gv`, lockable(m)),
  row('1', i * 8 + 2, `${m} Gb,Eb`),
  row('1', i * 8 + 3, `${m} Gv,Ev`),
  row('1', i * 8 + 4, `${m} AL,Ib`),
  row('1', i * 8 + 5, `${m} rAX,Iz`),
  row('1', 0x80, `${m} Eb,Ib`, { ext: i, ...lockable(m) }),
  row('1', 0x81, `${m} Ev,Iz`, { ext: i, ...lockable(m) }),
  row('1', 0x83, `${m} Ev,sb`, { ext: i, ...lockable(m) }),
]);

const shifts: readonly Row[] = SHIFT.flatMap((m, ext) => [
  row('1', 0xc0, `${m} Eb,Ib`, { ext }),
  row('1', 0xc1, `${m} Ev,Ib`, { ext }),
  row('1', 0xd0, `${m} Eb,1`, { ext }),
  row('1', 0xd1, `${m} Ev,1`, { ext }),
  row('1', 0xd2, `${m} Eb,CL`, { ext }),
  row('1', 0xd3, `${m} Ev,CL`, { ext }),
]);

const conditional: readonly Row[] = CONDITIONS.flatMap((cc, i) => [
  row('1', 0x70 + i, `j${cc} Jb`, { size: 64 }),
  row('0f', 0x80 + i, `j${cc} Jz`, { size: 64 }),
  row('0f', 0x90 + i, `set${cc} Eb`),
  row('0f', 0x40 + i, `cmov${cc} Gv,Ev`),
]);

const registers: readonly Row[] = range(8).flatMap((i) => [
  row('1', 0x50 + i, 'push Zv', { size: 64 }),
  row('1', 0x58 + i, 'pop Zv', { size: 64 }),
  row('1', 0xb0 + i, 'mov Zb,Ib'),
  row('1', 0xb8 + i, 'mov Zv,Iv'),
  row('0f', 0xc8 + i, 'bswap Zv'),
  // F3 90 is PAUSE, but with REX.B an exchange like any other. 90 without REX.B is NOP: exchanging RAX with itself, but without
  // the zero extension of a 32-bit write.
  ...(i === 0 ? [row('1', 0x90, 'pause', { prefix: 'f3', rexB: false })] : []),
  row('1', 0x90 + i, 'xchg Zv,rAX'),
]);

const moves: readonly Row[] = [
  row('1', 0x88, 'mov Eb,Gb'),
  row('1', 0x89, 'mov Ev,Gv'),
  row('1', 0x8a, 'mov Gb,Eb'),
  row('1', 0x8b, 'mov Gv,Ev'),
  row('1', 0x8c, 'mov_from_seg Ev,Sw'),
  row('1', 0x8e, 'mov_to_seg Sw,Ew'),
  row('1', 0x8d, 'lea Gv,M', { mod: 'mem' }),
  row('1', 0xa0, 'mov AL,Ob'),
  row('1', 0xa1, 'mov rAX,Ov'),
  row('1', 0xa2, 'mov Ob,AL'),
  row('1', 0xa3, 'mov Ov,rAX'),
  row('1', 0xc6, 'mov Eb,Ib', { ext: 0 }),
  row('1', 0xc7, 'mov Ev,Iz', { ext: 0 }),
  row('1', 0x63, 'movsxd Gv,Ed'),
  row('0f', 0xb6, 'movzx Gv,Eb'),
  row('0f', 0xb7, 'movzx Gv,Ew'),
  row('0f', 0xbe, 'movsx Gv,Eb'),
  row('0f', 0xbf, 'movsx Gv,Ew'),
  ...plain('0f', 0xc3, 'mov My,Gy', { mod: 'mem', feature: 'sse2' }),
  row('0f38', 0xf0, 'movbe Gv,Mv', { mod: 'mem', prefix: 'none', feature: 'movbe' }),
  row('0f38', 0xf1, 'movbe Mv,Gv', { mod: 'mem', prefix: 'none', feature: 'movbe' }),
  row('0f38', 0xf0, 'invalid M', { mod: 'mem', prefix: 'f3' }),
  row('0f38', 0xf1, 'invalid M', { mod: 'mem', prefix: 'f3' }),
  row('1', 0x86, 'xchg Eb,Gb', { lock: true }),
  row('1', 0x87, 'xchg Ev,Gv', { lock: true }),
  row('0f', 0xb0, 'cmpxchg Eb,Gb', { lock: true }),
  row('0f', 0xb1, 'cmpxchg Ev,Gv', { lock: true }),
  row('0f', 0xc0, 'xadd Eb,Gb', { lock: true }),
  row('0f', 0xc1, 'xadd Ev,Gv', { lock: true }),
  // Mq with REX.W = 0, Mdq with REX.W = 1.
  row('0f', 0xc7, 'cmpxchg8b M', { ext: 1, mod: 'mem', lock: true }),
  row('1', 0xd7, 'xlat'),
  row('1', 0x98, 'cbw'),
  row('1', 0x99, 'cwd'),
];

const stack: readonly Row[] = [
  row('1', 0x68, 'push Iz', { size: 64 }),
  row('1', 0x6a, 'push sb', { size: 64 }),
  row('1', 0x8f, 'pop Ev', { ext: 0, size: 64 }),
  row('1', 0xff, 'push Ev', { ext: 6, size: 64 }),
  row('1', 0x9c, 'pushf', { size: 64 }),
  row('1', 0x9d, 'popf', { size: 64 }),
  row('1', 0xc8, 'enter Iw,Ib', { size: 64 }),
  row('1', 0xc9, 'leave', { size: 64 }),
  row('0f', 0xa0, 'push_seg FS', { size: 64 }),
  row('0f', 0xa1, 'pop_seg FS', { size: 64 }),
  row('0f', 0xa8, 'push_seg GS', { size: 64 }),
  row('0f', 0xa9, 'pop_seg GS', { size: 64 }),
];

const unary: readonly Row[] = [
  row('1', 0xf6, 'test Eb,Ib', { ext: 0 }),
  row('1', 0xf6, 'test Eb,Ib', { ext: 1 }),
  row('1', 0xf7, 'test Ev,Iz', { ext: 0 }),
  row('1', 0xf7, 'test Ev,Iz', { ext: 1 }),
  row('1', 0xf6, 'not Eb', { ext: 2, lock: true }),
  row('1', 0xf7, 'not Ev', { ext: 2, lock: true }),
  row('1', 0xf6, 'neg Eb', { ext: 3, lock: true }),
  row('1', 0xf7, 'neg Ev', { ext: 3, lock: true }),
  row('1', 0xf6, 'mul Eb', { ext: 4 }),
  row('1', 0xf7, 'mul Ev', { ext: 4 }),
  row('1', 0xf6, 'imul Eb', { ext: 5 }),
  row('1', 0xf7, 'imul Ev', { ext: 5 }),
  row('1', 0xf6, 'div Eb', { ext: 6 }),
  row('1', 0xf7, 'div Ev', { ext: 6 }),
  row('1', 0xf6, 'idiv Eb', { ext: 7 }),
  row('1', 0xf7, 'idiv Ev', { ext: 7 }),
  row('1', 0xfe, 'inc Eb', { ext: 0, lock: true }),
  row('1', 0xff, 'inc Ev', { ext: 0, lock: true }),
  row('1', 0xfe, 'dec Eb', { ext: 1, lock: true }),
  row('1', 0xff, 'dec Ev', { ext: 1, lock: true }),
  row('1', 0x84, 'test Eb,Gb'),
  row('1', 0x85, 'test Ev,Gv'),
  row('1', 0xa8, 'test AL,Ib'),
  row('1', 0xa9, 'test rAX,Iz'),
  row('0f', 0xaf, 'imul Gv,Ev'),
  row('1', 0x69, 'imul Gv,Ev,Iz'),
  row('1', 0x6b, 'imul Gv,Ev,sb'),
];

const bits: readonly Row[] = [
  ...(['bt', 'bts', 'btr', 'btc'] as const).flatMap((m, i) => [
    row('0f', 0xa3 + 8 * i, `${m} Ev,Gv`, m === 'bt' ? {} : { lock: true }),
    row('0f', 0xba, `${m} Ev,Ib`, m === 'bt' ? { ext: 4 } : { ext: 4 + i, lock: true }),
  ]),
  row('0f', 0xbc, 'bsf Gv,Ev', { prefix: 'none' }),
  row('0f', 0xbd, 'bsr Gv,Ev', { prefix: 'none' }),
  row('0f', 0xbc, 'tzcnt Gv,Ev', { prefix: 'f3', feature: 'bmi1' }),
  row('0f', 0xbd, 'lzcnt Gv,Ev', { prefix: 'f3', feature: 'lzcnt' }),
  row('0f', 0xb8, 'popcnt Gv,Ev', { prefix: 'f3', feature: 'popcnt' }),
  row('0f', 0xa4, 'shld Ev,Gv,Ib'),
  row('0f', 0xa5, 'shld Ev,Gv,CL'),
  row('0f', 0xac, 'shrd Ev,Gv,Ib'),
  row('0f', 0xad, 'shrd Ev,Gv,CL'),
];

const control: readonly Row[] = [
  row('1', 0xe8, 'call Jz', { size: 64 }),
  row('1', 0xe9, 'jmp Jz', { size: 64 }),
  row('1', 0xeb, 'jmp Jb', { size: 64 }),
  row('1', 0xff, 'call Ev', { ext: 2, size: 64 }),
  row('1', 0xff, 'jmp Ev', { ext: 4, size: 64 }),
  row('1', 0xff, 'call_far Mp', { ext: 3, mod: 'mem' }),
  row('1', 0xff, 'jmp_far Mp', { ext: 5, mod: 'mem' }),
  row('1', 0xc3, 'ret', { size: 64 }),
  row('1', 0xc2, 'ret Iw', { size: 64 }),
  row('1', 0xcb, 'ret_far'),
  row('1', 0xca, 'ret_far Iw'),
  // On AMD's processors F2 makes LOOPE a LOOPNE, and F3 makes LOOPNE a LOOPE.
  row('1', 0xe0, 'loopne Jb', { size: 64 }),
  row('1', 0xe1, 'loope Jb', { size: 64 }),
  row('1', 0xe2, 'loop Jb', { size: 64 }),
  row('1', 0xe3, 'jrcxz Jb', { size: 64 }),
  row('1', 0xcc, 'int3'),
  row('1', 0xcd, 'int Ib'),
  row('1', 0xcf, 'iret'),
  row('0f', 0x05, 'syscall'),
  row('0f', 0x0b, 'ud2'),
  // Intel's processors fetch a modrm byte behind these two.
  row('0f', 0xb9, 'ud1'),
  row('0f', 0xff, 'ud0'),
];

const strings: readonly Row[] = [
  row('1', 0xa4, 'movs Yb,Xb', { rep: 'rep' }),
  row('1', 0xa5, 'movs Yv,Xv', { rep: 'rep' }),
  row('1', 0xa6, 'cmps Xb,Yb', { rep: 'repz' }),
  row('1', 0xa7, 'cmps Xv,Yv', { rep: 'repz' }),
  row('1', 0xaa, 'stos Yb,AL', { rep: 'rep' }),
  row('1', 0xab, 'stos Yv,rAX', { rep: 'rep' }),
  row('1', 0xac, 'lods AL,Xb', { rep: 'rep' }),
  row('1', 0xad, 'lods rAX,Xv', { rep: 'rep' }),
  row('1', 0xae, 'scas AL,Yb', { rep: 'repz' }),
  row('1', 0xaf, 'scas rAX,Yv', { rep: 'repz' }),
  row('1', 0x6c, 'ins Yb,DX', { rep: 'rep', privileged: true }),
  row('1', 0x6d, 'ins Yz,DX', { rep: 'rep', privileged: true }),
  row('1', 0x6e, 'outs DX,Xb', { rep: 'rep', privileged: true }),
  row('1', 0x6f, 'outs DX,Xz', { rep: 'rep', privileged: true }),
];

const flags: readonly Row[] = [
  row('1', 0xf5, 'cmc'),
  row('1', 0xf8, 'clc'),
  row('1', 0xf9, 'stc'),
  row('1', 0xfc, 'cld'),
  row('1', 0xfd, 'std'),
  row('1', 0x9e, 'sahf'),
  row('1', 0x9f, 'lahf'),
];

const system: readonly Row[] = [
  row('1', 0xfa, 'cli', { privileged: true }),
  row('1', 0xfb, 'sti', { privileged: true }),
  row('1', 0xf4, 'hlt', { privileged: true }),
  row('1', 0xe4, 'in AL,Ib', { privileged: true }),
  row('1', 0xe5, 'in eAX,Ib', { privileged: true }),
  row('1', 0xe6, 'out Ib,AL', { privileged: true }),
  row('1', 0xe7, 'out Ib,eAX', { privileged: true }),
  row('1', 0xec, 'in AL,DX', { privileged: true }),
  row('1', 0xed, 'in eAX,DX', { privileged: true }),
  row('1', 0xee, 'out DX,AL', { privileged: true }),
  row('1', 0xef, 'out DX,eAX', { privileged: true }),
  row('0f', 0x20, 'mov_from_cr Rq,Cq', { privileged: true }),
  row('0f', 0x22, 'mov_to_cr Cq,Rq', { privileged: true }),
  row('0f', 0x21, 'mov_from_dr Rq,Dq', { privileged: true }),
  row('0f', 0x23, 'mov_to_dr Dq,Rq', { privileged: true }),
  row('0f', 0x30, 'wrmsr', { privileged: true }),
  row('0f', 0x32, 'rdmsr', { privileged: true }),
  row('0f', 0x33, 'rdpmc', { privileged: true }),
  row('0f', 0x06, 'clts', { privileged: true }),
  row('0f', 0x08, 'invd', { privileged: true }),
  row('0f', 0x09, 'wbinvd', { privileged: true }),
  row('0f', 0x07, 'sysret', { privileged: true }),
  row('0f', 0x01, 'lgdt M', { ext: 2, mod: 'mem', privileged: true }),
  row('0f', 0x01, 'lidt M', { ext: 3, mod: 'mem', privileged: true }),
  row('0f', 0x01, 'lmsw Ew', { ext: 6, privileged: true }),
  row('0f', 0x01, 'invlpg M', { ext: 7, mod: 'mem', privileged: true }),
  row('0f', 0x01, 'swapgs', { modrm: 0xf8, privileged: true }),
  ...plain('0f', 0x01, 'xsetbv', { modrm: 0xd1, privileged: true, feature: 'xsave' }),
  row('0f', 0x00, 'lldt Ew', { ext: 2, privileged: true }),
  row('0f', 0x00, 'ltr Ew', { ext: 3, privileged: true }),
  row('0f', 0xa2, 'cpuid'),
  row('0f', 0x31, 'rdtsc'),
  row('0f', 0x01, 'rdtscp', { modrm: 0xf9, feature: 'rdtscp' }),
  // Readable in ring 3 unless UMIP; what they show is Xen's, so they are left out: sgdt sidt smsw sldt str.
  ...plain('0f', 0xae, 'lfence', { ext: 5, mod: 'reg', feature: 'sse2' }),
  ...plain('0f', 0xae, 'mfence', { ext: 6, mod: 'reg', feature: 'sse2' }),
  ...plain('0f', 0xae, 'sfence', { ext: 7, mod: 'reg', feature: 'sse' }),
  // With 66 it is CLFLUSHOPT.
  ...plain('0f', 0xae, 'clflush M', { ext: 7, mod: 'mem', feature: 'clfsh' }, ['66']),
];

/** Instructions that only take time here: hints, prefetches and wide NOPs. `f3 90` is PAUSE; `f3 0f 1e fa` ENDBR64 is a wide NOP. */
const hints: readonly Row[] = [
  row('0f', 0x0d, 'prefetch M', { mod: 'mem' }),
  ...range(8).map((i) => row('0f', 0x18 + i, 'nop Ev')),
  row('1', 0x9b, 'fwait'),
];

/**
 * Opcodes that 64-bit mode does not have: #UD. Some have operands all the same, which are fetched before: those of group 1, far
 * pointers, the immediates of AAM and AAD.
 */
const invalid: readonly Row[] = [
  ...[0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0xce, 0xd6].map((opcode) =>
    row('1', opcode, 'invalid'),
  ),
  row('1', 0x82, 'invalid Eb,Ib'),
  row('1', 0x9a, 'invalid Iz,Iw'),
  row('1', 0xea, 'invalid Iz,Iw'),
  row('1', 0xd4, 'invalid Ib'),
  row('1', 0xd5, 'invalid Ib'),
  row('0f', 0xb8, 'invalid Gv,Ev', { prefix: 'none' }),
  row('0f', 0xb8, 'invalid Gv,Ev', { prefix: 'f2' }),
];

/** Members of groups that no processor has, or had until some extension: #UD, behind all their operands. */
const unassigned: readonly Row[] = [
  ...[2, 3, 4, 5, 6, 7].map((ext) => row('1', 0xfe, 'invalid Eb', { ext })),
  row('1', 0xff, 'invalid', { ext: 3, mod: 'reg' }),
  row('1', 0xff, 'invalid', { ext: 5, mod: 'reg' }),
  row('1', 0xff, 'invalid Ev', { ext: 7 }),
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((ext) => [row('1', 0xc6, 'invalid Eb,Ib', { ext }), row('1', 0xc7, 'invalid Ev,Iz', { ext })]),
  ...[0, 1, 2, 3].map((ext) => row('0f', 0xba, 'invalid Ev,Ib', { ext })),
  ...[6, 7].map((ext) => row('0f', 0x00, 'invalid Ev', { ext })),
];

export const OPCODES: readonly Row[] = [
  ...arithmetic,
  ...shifts,
  ...conditional,
  ...registers,
  ...moves,
  ...stack,
  ...unary,
  ...bits,
  ...control,
  ...strings,
  ...flags,
  ...system,
  ...hints,
  ...invalid,
  ...unassigned,
];

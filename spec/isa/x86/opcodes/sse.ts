/** SSE: SDM volume 1, 5.5, with what it added to MMX. Single precision; sse2.ts has double precision under the same opcodes. */
import { type ByOpcode, both, type Extra, row, simd } from './make.ts';

const SSE: Extra = { feature: 'sse' };
const MEM: Extra = { feature: 'sse', mod: 'mem' };
const REG: Extra = { feature: 'sse', mod: 'reg' };

const moves = [
  ...simd('0f', 0x10, { np: 'movups Vdq,Wdq', f3: 'movss Vd,Wd' }, SSE),
  ...simd('0f', 0x11, { np: 'movups Wdq,Vdq', f3: 'movss Wd,Vd' }, SSE),
  ...simd('0f', 0x12, { np: 'movlps Vq,Mq' }, MEM),
  ...simd('0f', 0x12, { np: 'movhlps Vq,Udq' }, REG),
  ...simd('0f', 0x13, { np: 'movlps Mq,Vq' }, MEM),
  ...simd('0f', 0x14, { np: 'unpcklps Vdq,Wdq' }, SSE),
  ...simd('0f', 0x15, { np: 'unpckhps Vdq,Wdq' }, SSE),
  ...simd('0f', 0x16, { np: 'movhps Vdq,Mq' }, MEM),
  ...simd('0f', 0x16, { np: 'movlhps Vdq,Uq' }, REG),
  ...simd('0f', 0x17, { np: 'movhps Mq,Vdq' }, MEM),
  ...simd('0f', 0x28, { np: 'movaps Vdq,Wdq' }, SSE),
  ...simd('0f', 0x29, { np: 'movaps Wdq,Vdq' }, SSE),
  ...simd('0f', 0x2b, { np: 'movntps Mdq,Vdq' }, MEM),
  ...simd('0f', 0x50, { np: 'movmskps Gy,Udq' }, REG),
  ...simd('0f', 0xc6, { np: 'shufps Vdq,Wdq,Ib' }, SSE),
];

const conversions = [
  // With an operand in memory MMX state is not touched.
  ...simd('0f', 0x2a, { np: 'cvtpi2ps Vq,Mq' }, MEM),
  ...simd('0f', 0x2a, { np: 'cvtpi2ps Vq,Nq' }, REG),
  ...simd('0f', 0x2a, { f3: 'cvtsi2ss Vd,Ey' }, SSE),
  ...simd('0f', 0x2c, { np: 'cvttps2pi Pq,Wq', f3: 'cvttss2si Gy,Wd' }, SSE),
  ...simd('0f', 0x2d, { np: 'cvtps2pi Pq,Wq', f3: 'cvtss2si Gy,Wd' }, SSE),
];

const PACKED_AND_SCALAR: ByOpcode = [
  [0x51, 'sqrt'],
  [0x52, 'rsqrt'],
  [0x53, 'rcp'],
  [0x58, 'add'],
  [0x59, 'mul'],
  [0x5c, 'sub'],
  [0x5d, 'min'],
  [0x5e, 'div'],
  [0x5f, 'max'],
];

const arithmetic = [
  ...PACKED_AND_SCALAR.flatMap(([opcode, name]) => simd('0f', opcode, { np: `${name}ps Vdq,Wdq`, f3: `${name}ss Vd,Wd` }, SSE)),
  ...['and', 'andn', 'or', 'xor'].flatMap((name, n) => simd('0f', 0x54 + n, { np: `${name}ps Vdq,Wdq` }, SSE)),
  ...simd('0f', 0x2e, { np: 'ucomiss Vd,Wd' }, SSE),
  ...simd('0f', 0x2f, { np: 'comiss Vd,Wd' }, SSE),
  ...simd('0f', 0xc2, { np: 'cmpps Vdq,Wdq,Ib', f3: 'cmpss Vd,Wd,Ib' }, SSE),
];

/** Integer operations that SSE brought to MMX registers, SSE2 to its own. */
const INTEGER: ByOpcode = [
  [0xda, 'pminub'],
  [0xde, 'pmaxub'],
  [0xe0, 'pavgb'],
  [0xe3, 'pavgw'],
  [0xe4, 'pmulhuw'],
  [0xea, 'pminsw'],
  [0xee, 'pmaxsw'],
  [0xf6, 'psadbw'],
];

const integer = [
  ...INTEGER.flatMap(([opcode, mnemonic]) => both('0f', opcode, mnemonic, 'sse', 'sse2')),
  ...simd('0f', 0x70, { np: 'pshufw Pq,Qq,Ib' }, SSE),
  ...simd('0f', 0xc4, { np: 'pinsrw Pq,Ew,Ib' }, SSE),
  ...simd('0f', 0xc5, { np: 'pextrw Gy,Nq,Ib' }, REG),
  ...simd('0f', 0xd7, { np: 'pmovmskb Gy,Nq' }, REG),
  ...simd('0f', 0xe7, { np: 'movntq Mq,Pq' }, MEM),
  ...simd('0f', 0xf7, { np: 'maskmovq Pq,Nq' }, REG),
];

export const SSE_ROWS = [
  ...moves,
  ...conversions,
  ...arithmetic,
  ...integer,
  row('0f', 0xae, 'ldmxcsr Md', { ext: 2, mod: 'mem', prefix: 'np', state: 'sse', feature: 'sse' }),
  row('0f', 0xae, 'stmxcsr Md', { ext: 3, mod: 'mem', prefix: 'np', state: 'sse', feature: 'sse' }),
];

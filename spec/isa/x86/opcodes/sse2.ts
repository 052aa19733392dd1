/** SSE2: SDM volume 1, 5.6. The integer operations that MMX has too are in mmx.ts and sse.ts. */
import { type ByOpcode, both, type Extra, row, simd } from './make.ts';

const SSE2: Extra = { feature: 'sse2' };
const MEM: Extra = { feature: 'sse2', mod: 'mem' };
const REG: Extra = { feature: 'sse2', mod: 'reg' };

const moves = [
  ...simd('0f', 0x10, { '66': 'movupd Vdq,Wdq', f2: 'movsd Vq,Wq' }, SSE2),
  ...simd('0f', 0x11, { '66': 'movupd Wdq,Vdq', f2: 'movsd Wq,Vq' }, SSE2),
  ...simd('0f', 0x12, { '66': 'movlpd Vq,Mq' }, MEM),
  ...simd('0f', 0x13, { '66': 'movlpd Mq,Vq' }, MEM),
  ...simd('0f', 0x14, { '66': 'unpcklpd Vdq,Wdq' }, SSE2),
  ...simd('0f', 0x15, { '66': 'unpckhpd Vdq,Wdq' }, SSE2),
  ...simd('0f', 0x16, { '66': 'movhpd Vdq,Mq' }, MEM),
  ...simd('0f', 0x17, { '66': 'movhpd Mq,Vdq' }, MEM),
  ...simd('0f', 0x28, { '66': 'movapd Vdq,Wdq' }, SSE2),
  ...simd('0f', 0x29, { '66': 'movapd Wdq,Vdq' }, SSE2),
  ...simd('0f', 0x2b, { '66': 'movntpd Mdq,Vdq' }, MEM),
  ...simd('0f', 0x50, { '66': 'movmskpd Gy,Udq' }, REG),
  ...simd('0f', 0xc6, { '66': 'shufpd Vdq,Wdq,Ib' }, SSE2),
  // MOVQ with REX.W.
  ...simd('0f', 0x6e, { '66': 'movd Vdq,Ey' }, SSE2),
  ...simd('0f', 0x7e, { '66': 'movd Ey,Vdq', f3: 'movq Vdq,Wq' }, SSE2),
  ...simd('0f', 0x6f, { '66': 'movdqa Vdq,Wdq', f3: 'movdqu Vdq,Wdq' }, SSE2),
  ...simd('0f', 0x7f, { '66': 'movdqa Wdq,Vdq', f3: 'movdqu Wdq,Vdq' }, SSE2),
  ...simd('0f', 0xd6, { '66': 'movq Wq,Vq' }, SSE2),
  ...simd('0f', 0xd6, { f3: 'movq2dq Vdq,Nq', f2: 'movdq2q Pq,Uq' }, REG),
  ...simd('0f', 0xe7, { '66': 'movntdq Mdq,Vdq' }, MEM),
  ...simd('0f', 0xf7, { '66': 'maskmovdqu Vdq,Udq' }, REG),
];

const conversions = [
  ...simd('0f', 0x2a, { '66': 'cvtpi2pd Vdq,Mq' }, MEM),
  ...simd('0f', 0x2a, { '66': 'cvtpi2pd Vdq,Nq' }, REG),
  ...simd('0f', 0x2a, { f2: 'cvtsi2sd Vq,Ey' }, SSE2),
  ...simd('0f', 0x2c, { '66': 'cvttpd2pi Pq,Wdq', f2: 'cvttsd2si Gy,Wq' }, SSE2),
  ...simd('0f', 0x2d, { '66': 'cvtpd2pi Pq,Wdq', f2: 'cvtsd2si Gy,Wq' }, SSE2),
  ...simd('0f', 0x5a, { np: 'cvtps2pd Vdq,Wq', '66': 'cvtpd2ps Vdq,Wdq', f3: 'cvtss2sd Vq,Wd', f2: 'cvtsd2ss Vd,Wq' }, SSE2),
  ...simd('0f', 0x5b, { np: 'cvtdq2ps Vdq,Wdq', '66': 'cvtps2dq Vdq,Wdq', f3: 'cvttps2dq Vdq,Wdq' }, SSE2),
  ...simd('0f', 0xe6, { '66': 'cvttpd2dq Vdq,Wdq', f3: 'cvtdq2pd Vdq,Wq', f2: 'cvtpd2dq Vdq,Wdq' }, SSE2),
];

const PACKED_AND_SCALAR: ByOpcode = [
  [0x51, 'sqrt'],
  [0x58, 'add'],
  [0x59, 'mul'],
  [0x5c, 'sub'],
  [0x5d, 'min'],
  [0x5e, 'div'],
  [0x5f, 'max'],
];

const arithmetic = [
  ...PACKED_AND_SCALAR.flatMap(([opcode, name]) => simd('0f', opcode, { '66': `${name}pd Vdq,Wdq`, f2: `${name}sd Vq,Wq` }, SSE2)),
  ...['and', 'andn', 'or', 'xor'].flatMap((name, n) => simd('0f', 0x54 + n, { '66': `${name}pd Vdq,Wdq` }, SSE2)),
  ...simd('0f', 0x2e, { '66': 'ucomisd Vq,Wq' }, SSE2),
  ...simd('0f', 0x2f, { '66': 'comisd Vq,Wq' }, SSE2),
  ...simd('0f', 0xc2, { '66': 'cmppd Vdq,Wdq,Ib', f2: 'cmpsd Vq,Wq,Ib' }, SSE2),
];

const integer = [
  ...both('0f', 0xd4, 'paddq', 'sse2', 'sse2'),
  ...both('0f', 0xf4, 'pmuludq', 'sse2', 'sse2'),
  ...both('0f', 0xfb, 'psubq', 'sse2', 'sse2'),
  ...simd('0f', 0x6c, { '66': 'punpcklqdq Vdq,Wdq' }, SSE2),
  ...simd('0f', 0x6d, { '66': 'punpckhqdq Vdq,Wdq' }, SSE2),
  ...simd('0f', 0x70, { '66': 'pshufd Vdq,Wdq,Ib', f3: 'pshufhw Vdq,Wdq,Ib', f2: 'pshuflw Vdq,Wdq,Ib' }, SSE2),
  ...simd('0f', 0x73, { '66': 'psrldq Udq,Ib' }, { ...REG, ext: 3 }),
  ...simd('0f', 0x73, { '66': 'pslldq Udq,Ib' }, { ...REG, ext: 7 }),
  ...simd('0f', 0xc4, { '66': 'pinsrw Vdq,Ew,Ib' }, SSE2),
  ...simd('0f', 0xc5, { '66': 'pextrw Gy,Udq,Ib' }, REG),
  ...simd('0f', 0xd7, { '66': 'pmovmskb Gy,Udq' }, REG),
];

/** Works on general registers: no state of SSE's. */
const nonTemporal = row('0f', 0xc3, 'movnti My,Gy', { mod: 'mem', prefix: 'np', feature: 'sse2' });

export const SSE2_ROWS = [...moves, ...conversions, ...arithmetic, ...integer, nonTemporal];

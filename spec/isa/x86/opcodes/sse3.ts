/** SSE3 (FISTTP is in x87.ts), SSSE3 and AMD's SSE4a: SDM volume 1, 5.7 and 5.8; APM volume 4. */
import { type ByOpcode, both, type Extra, simd } from './make.ts';

const SSE3: Extra = { feature: 'sse3' };
const SSE4A: Extra = { feature: 'sse4a' };

export const SSE3_ROWS = [
  ...simd('0f', 0x12, { f3: 'movsldup Vdq,Wdq', f2: 'movddup Vdq,Wq' }, SSE3),
  ...simd('0f', 0x16, { f3: 'movshdup Vdq,Wdq' }, SSE3),
  ...simd('0f', 0x7c, { '66': 'haddpd Vdq,Wdq', f2: 'haddps Vdq,Wdq' }, SSE3),
  ...simd('0f', 0x7d, { '66': 'hsubpd Vdq,Wdq', f2: 'hsubps Vdq,Wdq' }, SSE3),
  ...simd('0f', 0xd0, { '66': 'addsubpd Vdq,Wdq', f2: 'addsubps Vdq,Wdq' }, SSE3),
  ...simd('0f', 0xf0, { f2: 'lddqu Vdq,Mdq' }, { ...SSE3, mod: 'mem' }),
];

const SSSE3: ByOpcode = [
  [0x00, 'pshufb'],
  [0x01, 'phaddw'],
  [0x02, 'phaddd'],
  [0x03, 'phaddsw'],
  [0x04, 'pmaddubsw'],
  [0x05, 'phsubw'],
  [0x06, 'phsubd'],
  [0x07, 'phsubsw'],
  [0x08, 'psignb'],
  [0x09, 'psignw'],
  [0x0a, 'psignd'],
  [0x0b, 'pmulhrsw'],
  [0x1c, 'pabsb'],
  [0x1d, 'pabsw'],
  [0x1e, 'pabsd'],
];

export const SSSE3_ROWS = [
  ...SSSE3.flatMap(([opcode, mnemonic]) => both('0f38', opcode, mnemonic, 'ssse3', 'ssse3')),
  ...simd('0f3a', 0x0f, { np: 'palignr Pq,Qq,Ib', '66': 'palignr Vdq,Wdq,Ib' }, { feature: 'ssse3' }),
];

/** The two immediate bytes of EXTRQ and INSERTQ, length and index, are one of 16 bits here. */
export const SSE4A_ROWS = [
  ...simd('0f', 0x78, { '66': 'extrq Udq,Iw' }, { ...SSE4A, ext: 0, mod: 'reg' }),
  ...simd('0f', 0x78, { f2: 'insertq Vdq,Udq,Iw' }, { ...SSE4A, mod: 'reg' }),
  ...simd('0f', 0x79, { '66': 'extrq Vdq,Udq', f2: 'insertq Vdq,Udq' }, { ...SSE4A, mod: 'reg' }),
  ...simd('0f', 0x2b, { f3: 'movntss Md,Vd', f2: 'movntsd Mq,Vq' }, { ...SSE4A, mod: 'mem' }),
];

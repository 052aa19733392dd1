/** SSE4.1 and SSE4.2: SDM volume 1, 5.10 and 5.11. CRC32 is in bit_byte.ts. All have the mandatory prefix 66. */
import { type ByOpcode, type Extra, simd } from './make.ts';

const SSE41: Extra = { feature: 'sse4_1' };
const SSE42: Extra = { feature: 'sse4_2' };

const OPERATIONS: ByOpcode = [
  [0x10, 'pblendvb Vdq,Wdq,XMM0'],
  [0x14, 'blendvps Vdq,Wdq,XMM0'],
  [0x15, 'blendvpd Vdq,Wdq,XMM0'],
  [0x17, 'ptest Vdq,Wdq'],
  [0x20, 'pmovsxbw Vdq,Wq'],
  [0x21, 'pmovsxbd Vdq,Wd'],
  [0x22, 'pmovsxbq Vdq,Ww'],
  [0x23, 'pmovsxwd Vdq,Wq'],
  [0x24, 'pmovsxwq Vdq,Wd'],
  [0x25, 'pmovsxdq Vdq,Wq'],
  [0x28, 'pmuldq Vdq,Wdq'],
  [0x29, 'pcmpeqq Vdq,Wdq'],
  [0x2b, 'packusdw Vdq,Wdq'],
  [0x30, 'pmovzxbw Vdq,Wq'],
  [0x31, 'pmovzxbd Vdq,Wd'],
  [0x32, 'pmovzxbq Vdq,Ww'],
  [0x33, 'pmovzxwd Vdq,Wq'],
  [0x34, 'pmovzxwq Vdq,Wd'],
  [0x35, 'pmovzxdq Vdq,Wq'],
  [0x38, 'pminsb Vdq,Wdq'],
  [0x39, 'pminsd Vdq,Wdq'],
  [0x3a, 'pminuw Vdq,Wdq'],
  [0x3b, 'pminud Vdq,Wdq'],
  [0x3c, 'pmaxsb Vdq,Wdq'],
  [0x3d, 'pmaxsd Vdq,Wdq'],
  [0x3e, 'pmaxuw Vdq,Wdq'],
  [0x3f, 'pmaxud Vdq,Wdq'],
  [0x40, 'pmulld Vdq,Wdq'],
  [0x41, 'phminposuw Vdq,Wdq'],
];

/** With an immediate byte. */
const IMMEDIATE: ByOpcode = [
  [0x08, 'roundps Vdq,Wdq,Ib'],
  [0x09, 'roundpd Vdq,Wdq,Ib'],
  [0x0a, 'roundss Vd,Wd,Ib'],
  [0x0b, 'roundsd Vq,Wq,Ib'],
  [0x0c, 'blendps Vdq,Wdq,Ib'],
  [0x0d, 'blendpd Vdq,Wdq,Ib'],
  [0x0e, 'pblendw Vdq,Wdq,Ib'],
  // PEXTRQ and PINSRQ with REX.W.
  [0x16, 'pextrd Ey,Vdq,Ib'],
  [0x17, 'extractps Ed,Vdq,Ib'],
  [0x22, 'pinsrd Vdq,Ey,Ib'],
  [0x40, 'dpps Vdq,Wdq,Ib'],
  [0x41, 'dppd Vdq,Wdq,Ib'],
  [0x42, 'mpsadbw Vdq,Wdq,Ib'],
];

export const SSE4_1_ROWS = [
  ...OPERATIONS.flatMap(([opcode, text]) => simd('0f38', opcode, { '66': text }, SSE41)),
  ...simd('0f38', 0x2a, { '66': 'movntdqa Vdq,Mdq' }, { ...SSE41, mod: 'mem' }),
  ...IMMEDIATE.flatMap(([opcode, text]) => simd('0f3a', opcode, { '66': text }, SSE41)),
  ...simd('0f3a', 0x14, { '66': 'pextrb Mb,Vdq,Ib' }, { ...SSE41, mod: 'mem' }),
  ...simd('0f3a', 0x14, { '66': 'pextrb Ey,Vdq,Ib' }, { ...SSE41, mod: 'reg' }),
  ...simd('0f3a', 0x15, { '66': 'pextrw Mw,Vdq,Ib' }, { ...SSE41, mod: 'mem' }),
  ...simd('0f3a', 0x15, { '66': 'pextrw Ey,Vdq,Ib' }, { ...SSE41, mod: 'reg' }),
  ...simd('0f3a', 0x20, { '66': 'pinsrb Vdq,Mb,Ib' }, { ...SSE41, mod: 'mem' }),
  ...simd('0f3a', 0x20, { '66': 'pinsrb Vdq,Ed,Ib' }, { ...SSE41, mod: 'reg' }),
  ...simd('0f3a', 0x21, { '66': 'insertps Vdq,Md,Ib' }, { ...SSE41, mod: 'mem' }),
  ...simd('0f3a', 0x21, { '66': 'insertps Vdq,Udq,Ib' }, { ...SSE41, mod: 'reg' }),
];

export const SSE4_2_ROWS = [
  ...simd('0f38', 0x37, { '66': 'pcmpgtq Vdq,Wdq' }, SSE42),
  ...simd('0f3a', 0x60, { '66': 'pcmpestrm Vdq,Wdq,Ib' }, SSE42),
  ...simd('0f3a', 0x61, { '66': 'pcmpestri Vdq,Wdq,Ib' }, SSE42),
  ...simd('0f3a', 0x62, { '66': 'pcmpistrm Vdq,Wdq,Ib' }, SSE42),
  ...simd('0f3a', 0x63, { '66': 'pcmpistri Vdq,Wdq,Ib' }, SSE42),
];

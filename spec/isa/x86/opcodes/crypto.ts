/** AES-NI, PCLMULQDQ, SHA and GFNI: SDM volume 1, 5.12 and 5.18; GFNI in the second volume. */
import { type ByOpcode, simd } from './make.ts';

const AES: ByOpcode = [
  [0xdb, 'aesimc'],
  [0xdc, 'aesenc'],
  [0xdd, 'aesenclast'],
  [0xde, 'aesdec'],
  [0xdf, 'aesdeclast'],
];
const SHA: ByOpcode = [
  [0xc8, 'sha1nexte Vdq,Wdq'],
  [0xc9, 'sha1msg1 Vdq,Wdq'],
  [0xca, 'sha1msg2 Vdq,Wdq'],
  [0xcb, 'sha256rnds2 Vdq,Wdq,XMM0'],
  [0xcc, 'sha256msg1 Vdq,Wdq'],
  [0xcd, 'sha256msg2 Vdq,Wdq'],
];

export const CRYPTO = [
  ...AES.flatMap(([opcode, name]) => simd('0f38', opcode, { '66': `${name} Vdq,Wdq` }, { feature: 'aes' })),
  ...simd('0f3a', 0xdf, { '66': 'aeskeygenassist Vdq,Wdq,Ib' }, { feature: 'aes' }),
  ...simd('0f3a', 0x44, { '66': 'pclmulqdq Vdq,Wdq,Ib' }, { feature: 'pclmulqdq' }),
  ...SHA.flatMap(([opcode, text]) => simd('0f38', opcode, { np: text }, { feature: 'sha' })),
  ...simd('0f3a', 0xcc, { np: 'sha1rnds4 Vdq,Wdq,Ib' }, { feature: 'sha' }),
  ...simd('0f38', 0xcf, { '66': 'gf2p8mulb Vdq,Wdq' }, { feature: 'gfni' }),
  ...simd('0f3a', 0xce, { '66': 'gf2p8affineqb Vdq,Wdq,Ib' }, { feature: 'gfni' }),
  ...simd('0f3a', 0xcf, { '66': 'gf2p8affineinvqb Vdq,Wdq,Ib' }, { feature: 'gfni' }),
];

/** MMX: SDM volume 1, 5.4. Operations that SSE2 gave to XMM registers have both rows here, under one name. */
import { type ByOpcode, both, row, simd } from './make.ts';

const OPERATIONS: ByOpcode = [
  [0x60, 'punpcklbw'],
  [0x61, 'punpcklwd'],
  [0x62, 'punpckldq'],
  [0x63, 'packsswb'],
  [0x64, 'pcmpgtb'],
  [0x65, 'pcmpgtw'],
  [0x66, 'pcmpgtd'],
  [0x67, 'packuswb'],
  [0x68, 'punpckhbw'],
  [0x69, 'punpckhwd'],
  [0x6a, 'punpckhdq'],
  [0x6b, 'packssdw'],
  [0x74, 'pcmpeqb'],
  [0x75, 'pcmpeqw'],
  [0x76, 'pcmpeqd'],
  [0xd1, 'psrlw'],
  [0xd2, 'psrld'],
  [0xd3, 'psrlq'],
  [0xd5, 'pmullw'],
  [0xd8, 'psubusb'],
  [0xd9, 'psubusw'],
  [0xdb, 'pand'],
  [0xdc, 'paddusb'],
  [0xdd, 'paddusw'],
  [0xdf, 'pandn'],
  [0xe1, 'psraw'],
  [0xe2, 'psrad'],
  [0xe5, 'pmulhw'],
  [0xe8, 'psubsb'],
  [0xe9, 'psubsw'],
  [0xeb, 'por'],
  [0xec, 'paddsb'],
  [0xed, 'paddsw'],
  [0xef, 'pxor'],
  [0xf1, 'psllw'],
  [0xf2, 'pslld'],
  [0xf3, 'psllq'],
  [0xf5, 'pmaddwd'],
  [0xf8, 'psubb'],
  [0xf9, 'psubw'],
  [0xfa, 'psubd'],
  [0xfc, 'paddb'],
  [0xfd, 'paddw'],
  [0xfe, 'paddd'],
];

/** The low halves are all that these read. */
const sourceOf = (mnemonic: string): string => (mnemonic.startsWith('punpckl') ? 'Qd' : 'Qq');

/** Shifts by an immediate count, by modrm.reg. */
const SHIFTS: readonly (readonly [opcode: number, ext: number, mnemonic: string])[] = [
  [0x71, 2, 'psrlw'],
  [0x71, 4, 'psraw'],
  [0x71, 6, 'psllw'],
  [0x72, 2, 'psrld'],
  [0x72, 4, 'psrad'],
  [0x72, 6, 'pslld'],
  [0x73, 2, 'psrlq'],
  [0x73, 6, 'psllq'],
];

export const MMX = [
  ...OPERATIONS.flatMap(([opcode, mnemonic]) => both('0f', opcode, mnemonic, 'mmx', 'sse2', sourceOf(mnemonic))),
  ...SHIFTS.flatMap(([opcode, ext, mnemonic]) => [
    ...simd('0f', opcode, { np: `${mnemonic} Nq,Ib` }, { ext, mod: 'reg', feature: 'mmx' }),
    ...simd('0f', opcode, { '66': `${mnemonic} Udq,Ib` }, { ext, mod: 'reg', feature: 'sse2' }),
  ]),
  // MOVQ with REX.W.
  ...simd('0f', 0x6e, { np: 'movd Pq,Ey' }, { feature: 'mmx' }),
  ...simd('0f', 0x7e, { np: 'movd Ey,Pq' }, { feature: 'mmx' }),
  ...simd('0f', 0x6f, { np: 'movq Pq,Qq' }, { feature: 'mmx' }),
  ...simd('0f', 0x7f, { np: 'movq Qq,Pq' }, { feature: 'mmx' }),
  row('0f', 0x77, 'emms', { prefix: 'np', state: 'mmx', feature: 'mmx' }),
];

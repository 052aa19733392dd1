/** Data transfer: SDM volume 1, 5.1.1. */
import { CONDITIONS, LEGACY, LONG, range, row } from './make.ts';

const registers = range(8).flatMap((i) => [
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

const moves = [
  row('1', 0x88, 'mov Eb,Gb'),
  row('1', 0x89, 'mov Ev,Gv'),
  row('1', 0x8a, 'mov Gb,Eb'),
  row('1', 0x8b, 'mov Gv,Ev'),
  row('1', 0x8c, 'mov_from_seg Ev,Sw'),
  row('1', 0x8e, 'mov_to_seg Sw,Ew'),
  row('1', 0xa0, 'mov AL,Ob'),
  row('1', 0xa1, 'mov rAX,Ov'),
  row('1', 0xa2, 'mov Ob,AL'),
  row('1', 0xa3, 'mov Ov,rAX'),
  row('1', 0xc6, 'mov Eb,Ib', { ext: 0 }),
  row('1', 0xc7, 'mov Ev,Iz', { ext: 0 }),
  row('1', 0x63, 'movsxd Gv,Ed', LONG),
  row('0f', 0xb6, 'movzx Gv,Eb'),
  row('0f', 0xb7, 'movzx Gv,Ew'),
  row('0f', 0xbe, 'movsx Gv,Eb'),
  row('0f', 0xbf, 'movsx Gv,Ew'),
  row('0f38', 0xf0, 'movbe Gv,Mv', { mod: 'mem', prefix: 'none', feature: 'movbe' }),
  row('0f38', 0xf1, 'movbe Mv,Gv', { mod: 'mem', prefix: 'none', feature: 'movbe' }),
  row('1', 0x98, 'cbw'),
  row('1', 0x99, 'cwd'),
];

const exchanges = [
  row('1', 0x86, 'xchg Eb,Gb', { lock: true }),
  row('1', 0x87, 'xchg Ev,Gv', { lock: true }),
  row('0f', 0xb0, 'cmpxchg Eb,Gb', { lock: true }),
  row('0f', 0xb1, 'cmpxchg Ev,Gv', { lock: true }),
  row('0f', 0xc0, 'xadd Eb,Gb', { lock: true }),
  row('0f', 0xc1, 'xadd Ev,Gv', { lock: true }),
  // Mq with REX.W = 0; with REX.W = 1 it is CMPXCHG16B, which wants its operand aligned.
  row('0f', 0xc7, 'cmpxchg8b M', { ext: 1, mod: 'mem', lock: true }),
];

const stack = [
  row('1', 0x68, 'push Iz', { size: 64 }),
  row('1', 0x6a, 'push sb', { size: 64 }),
  row('1', 0x8f, 'pop Ev', { ext: 0, size: 64 }),
  row('1', 0xff, 'push Ev', { ext: 6, size: 64 }),
  row('1', 0x60, 'pusha', LEGACY),
  row('1', 0x61, 'popa', LEGACY),
];

const conditional = CONDITIONS.map((cc, i) => row('0f', 0x40 + i, `cmov${cc} Gv,Ev`));

export const DATA_TRANSFER = [...registers, ...moves, ...exchanges, ...stack, ...conditional];

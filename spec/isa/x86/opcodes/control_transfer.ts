/** Control transfer: SDM volume 1, 5.1.7; ENTER, LEAVE and BOUND with it, and the fast system calls. */
import { CONDITIONS, LEGACY, row } from './make.ts';

export const CONTROL_TRANSFER = [
  ...CONDITIONS.flatMap((cc, i) => [row('1', 0x70 + i, `j${cc} Jb`, { size: 64 }), row('0f', 0x80 + i, `j${cc} Jz`, { size: 64 })]),
  row('1', 0xe8, 'call Jz', { size: 64 }),
  row('1', 0xe9, 'jmp Jz', { size: 64 }),
  row('1', 0xeb, 'jmp Jb', { size: 64 }),
  row('1', 0xff, 'call Ev', { ext: 2, size: 64 }),
  row('1', 0xff, 'jmp Ev', { ext: 4, size: 64 }),
  row('1', 0xff, 'call_far Mp', { ext: 3, mod: 'mem' }),
  row('1', 0xff, 'jmp_far Mp', { ext: 5, mod: 'mem' }),
  row('1', 0x9a, 'call_far Ap', LEGACY),
  row('1', 0xea, 'jmp_far Ap', LEGACY),
  row('1', 0xc3, 'ret', { size: 64 }),
  row('1', 0xc2, 'ret Iw', { size: 64 }),
  row('1', 0xcb, 'ret_far'),
  row('1', 0xca, 'ret_far Iw'),
  row('1', 0xc8, 'enter Iw,Ib', { size: 64 }),
  row('1', 0xc9, 'leave', { size: 64 }),
  // On AMD's processors F2 makes LOOPE a LOOPNE, and F3 makes LOOPNE a LOOPE.
  row('1', 0xe0, 'loopne Jb', { size: 64 }),
  row('1', 0xe1, 'loope Jb', { size: 64 }),
  row('1', 0xe2, 'loop Jb', { size: 64 }),
  // JCXZ and JECXZ too: the address size says which.
  row('1', 0xe3, 'jrcxz Jb', { size: 64 }),
  row('1', 0x62, 'bound Gv,Ma', { mod: 'mem', ...LEGACY }),
  row('1', 0xcc, 'int3'),
  row('1', 0xcd, 'int Ib'),
  row('1', 0xce, 'into', LEGACY),
  row('1', 0xf1, 'int1'),
  row('1', 0xcf, 'iret'),
  row('0f', 0x05, 'syscall'),
  row('0f', 0x0b, 'ud2'),
  // Intel's processors fetch a modrm byte behind these two.
  row('0f', 0xb9, 'ud1'),
  row('0f', 0xff, 'ud0'),
];

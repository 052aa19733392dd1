/** Input and output: SDM volume 1, 5.1.9 and 5.1.10. IOPL and the I/O permission map decide; PV guests get #GP(0). */
import { type Extra, row } from './make.ts';

const BY_IOPL: Extra = { privileged: true, iopl: true };

export const INPUT_OUTPUT = [
  row('1', 0x6c, 'ins Yb,DX', { rep: 'rep', ...BY_IOPL }),
  row('1', 0x6d, 'ins Yz,DX', { rep: 'rep', ...BY_IOPL }),
  row('1', 0x6e, 'outs DX,Xb', { rep: 'rep', ...BY_IOPL }),
  row('1', 0x6f, 'outs DX,Xz', { rep: 'rep', ...BY_IOPL }),
  row('1', 0xe4, 'in AL,Ib', BY_IOPL),
  row('1', 0xe5, 'in eAX,Ib', BY_IOPL),
  row('1', 0xe6, 'out Ib,AL', BY_IOPL),
  row('1', 0xe7, 'out Ib,eAX', BY_IOPL),
  row('1', 0xec, 'in AL,DX', BY_IOPL),
  row('1', 0xed, 'in eAX,DX', BY_IOPL),
  row('1', 0xee, 'out DX,AL', BY_IOPL),
  row('1', 0xef, 'out DX,eAX', BY_IOPL),
];

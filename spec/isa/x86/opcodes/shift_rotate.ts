/** Shifts and rotates: SDM volume 1, 5.1.5. */
import { row } from './make.ts';

/** By modrm.reg; 6 is an alias of 4. */
const SHIFT = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'shl', 'sar'] as const;

export const SHIFT_ROTATE = [
  ...SHIFT.flatMap((m, ext) => [
    row('1', 0xc0, `${m} Eb,Ib`, { ext }),
    row('1', 0xc1, `${m} Ev,Ib`, { ext }),
    row('1', 0xd0, `${m} Eb,1`, { ext }),
    row('1', 0xd1, `${m} Ev,1`, { ext }),
    row('1', 0xd2, `${m} Eb,CL`, { ext }),
    row('1', 0xd3, `${m} Ev,CL`, { ext }),
  ]),
  row('0f', 0xa4, 'shld Ev,Gv,Ib'),
  row('0f', 0xa5, 'shld Ev,Gv,CL'),
  row('0f', 0xac, 'shrd Ev,Gv,Ib'),
  row('0f', 0xad, 'shrd Ev,Gv,CL'),
];

/** String instructions: SDM volume 1, 5.1.8. */
import { row } from './make.ts';

export const STRING = [
  row('1', 0xa4, 'movs Yb,Xb', { rep: 'rep' }),
  row('1', 0xa5, 'movs Yv,Xv', { rep: 'rep' }),
  row('1', 0xa6, 'cmps Xb,Yb', { rep: 'repz' }),
  row('1', 0xa7, 'cmps Xv,Yv', { rep: 'repz' }),
  row('1', 0xaa, 'stos Yb,AL', { rep: 'rep' }),
  row('1', 0xab, 'stos Yv,rAX', { rep: 'rep' }),
  row('1', 0xac, 'lods AL,Xb', { rep: 'rep' }),
  row('1', 0xad, 'lods rAX,Xv', { rep: 'rep' }),
  row('1', 0xae, 'scas AL,Yb', { rep: 'repz' }),
  row('1', 0xaf, 'scas rAX,Yv', { rep: 'repz' }),
];

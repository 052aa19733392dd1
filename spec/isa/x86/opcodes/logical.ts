/** Logical instructions: SDM volume 1, 5.1.4, and TEST, which it counts among the bit instructions. */
import { operations } from './binary_arithmetic.ts';
import { row } from './make.ts';

export const LOGICAL = [
  ...operations(['or', 'and', 'xor']),
  row('1', 0xf6, 'not Eb', { ext: 2, lock: true }),
  row('1', 0xf7, 'not Ev', { ext: 2, lock: true }),
  row('1', 0xf6, 'test Eb,Ib', { ext: 0 }),
  row('1', 0xf6, 'test Eb,Ib', { ext: 1 }),
  row('1', 0xf7, 'test Ev,Iz', { ext: 0 }),
  row('1', 0xf7, 'test Ev,Iz', { ext: 1 }),
  row('1', 0x84, 'test Eb,Gb'),
  row('1', 0x85, 'test Ev,Gv'),
  row('1', 0xa8, 'test AL,Ib'),
  row('1', 0xa9, 'test rAX,Iz'),
];

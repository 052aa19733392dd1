/** Decimal arithmetic: SDM volume 1, 5.1.3. 64-bit mode has none of it. */
import { LEGACY, row } from './make.ts';

export const DECIMAL = [
  row('1', 0x27, 'daa', LEGACY),
  row('1', 0x2f, 'das', LEGACY),
  row('1', 0x37, 'aaa', LEGACY),
  row('1', 0x3f, 'aas', LEGACY),
  row('1', 0xd4, 'aam Ib', LEGACY),
  row('1', 0xd5, 'aad Ib', LEGACY),
];

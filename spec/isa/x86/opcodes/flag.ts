/** Flag control: SDM volume 1, 5.1.11. */
import { row } from './make.ts';

export const FLAG = [
  row('1', 0xf5, 'cmc'),
  row('1', 0xf8, 'clc'),
  row('1', 0xf9, 'stc'),
  row('1', 0xfc, 'cld'),
  row('1', 0xfd, 'std'),
  row('1', 0x9e, 'sahf'),
  row('1', 0x9f, 'lahf'),
  row('1', 0x9c, 'pushf', { size: 64 }),
  row('1', 0x9d, 'popf', { size: 64 }),
  row('1', 0xfa, 'cli', { privileged: true, iopl: true }),
  row('1', 0xfb, 'sti', { privileged: true, iopl: true }),
];

/** Bits and bytes: SDM volume 1, 5.1.6; POPCNT, LZCNT, TZCNT and CRC32 with them. */
import { CONDITIONS, row } from './make.ts';

export const BIT_BYTE = [
  ...(['bt', 'bts', 'btr', 'btc'] as const).flatMap((m, i) => [
    row('0f', 0xa3 + 8 * i, `${m} Ev,Gv`, m === 'bt' ? {} : { lock: true }),
    row('0f', 0xba, `${m} Ev,Ib`, m === 'bt' ? { ext: 4 } : { ext: 4 + i, lock: true }),
  ]),
  row('0f', 0xbc, 'tzcnt Gv,Ev', { prefix: 'f3', feature: 'bmi1' }),
  row('0f', 0xbd, 'lzcnt Gv,Ev', { prefix: 'f3', feature: 'lzcnt' }),
  // F2 selects nothing here.
  row('0f', 0xbc, 'bsf Gv,Ev'),
  row('0f', 0xbd, 'bsr Gv,Ev'),
  row('0f', 0xb8, 'popcnt Gv,Ev', { prefix: 'f3', feature: 'popcnt' }),
  ...CONDITIONS.map((cc, i) => row('0f', 0x90 + i, `set${cc} Eb`)),
  row('0f38', 0xf0, 'crc32 Gy,Eb', { prefix: 'f2', feature: 'sse4_2' }),
  row('0f38', 0xf1, 'crc32 Gy,Ev', { prefix: 'f2', feature: 'sse4_2' }),
];

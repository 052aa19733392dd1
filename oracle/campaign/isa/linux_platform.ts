/** What stands around the executor's processor when it runs a case as a program of Linux: its page tables, nothing outside RAM. */
import { GP } from '../../executor/cpu/exit.ts';
import { spaceOf, walkTables } from '../../executor/cpu/system/paging.ts';
import type { Processor } from '../../executor/cpu/system/processor.ts';
import { loadSegment } from '../../executor/cpu/system/segments.ts';

const nothingThere = (): never => {
  throw new Error('a case reached beyond its memory');
};

export const linuxPlatform = (): Processor => ({
  bare: true,
  outside: { covers: () => false, read: nothingThere, write: nothingThere },
  walk: walkTables,
  space: spaceOf,
  loadSegment,
  watches: () => false,
  inspect: () => {},
  checkPort: (c) => c.fault(GP, 0),
  readPort: nothingThere,
  writePort: nothingThere,
  random: () => null,
  devices: { priority: 0 },
  nmiBlocked: false,
  halted: false,
  hits: 0,
  stepless: false,
  traps: 0,
  late: null,
  tscOffset: 0n,
  wantsTsc: null,
  tell: () => {},
});

/** The time of day, as each domain reads it from its shared info page. */
import type { Domain } from './domain.ts';
import type { Machine } from './machine.ts';

const FRAME = 4096;
/** Behind the version. */
const SECONDS = 4;
const NANOSECONDS = 8;
const BILLION = 1_000_000_000n;

/** Tell all domains. @param start ns since 1970 at Xen's time 0, modulo 2^64. */
export const setWallclock = (machine: Machine, start: bigint): void => {
  machine.wallclock = BigInt.asUintN(64, start);
  for (const domain of machine.domains) tellWallclock(machine, domain);
};

/** The domain's clock differs from the others' by what domain 0 has set for it. */
export const tellWallclock = ({ memory, wallclock }: Machine, { sharedInfoMfn, info, timeOffset }: Domain): void => {
  const seconds = wallclock / BILLION + timeOffset;
  const page = sharedInfoMfn * FRAME;
  const version = page + info.wcVersion;
  // Readers try again while the number is odd.
  memory.write32(version, (memory.view.getInt32(version, true) + 1) | 1);
  memory.write32(version + SECONDS, Number(BigInt.asIntN(32, seconds)));
  memory.write32(version + NANOSECONDS, Number(wallclock % BILLION));
  memory.write32(page + info.wcSecHi, Number(BigInt.asIntN(32, seconds >> 32n)));
  memory.write32(version, (memory.view.getInt32(version, true) + 1) | 0);
};

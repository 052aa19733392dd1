/** The time of day, as all domains read it from their shared info page. */
import type { Machine } from './machine.ts';

const FRAME = 4096;
/** Behind the version. */
const SECONDS = 4;
const NANOSECONDS = 8;
const BILLION = 1_000_000_000n;

/** @param start ns since 1970 at Xen's time 0, modulo 2^64. */
export const setWallclock = (machine: Machine, start: bigint): void => {
  const since = BigInt.asUintN(64, start);
  const seconds = since / BILLION;
  const { memory } = machine;
  for (const { sharedInfoMfn, info } of machine.domains) {
    const page = sharedInfoMfn * FRAME;
    const version = page + info.wcVersion;
    // Readers try again while the number is odd.
    memory.write32(version, (memory.view.getInt32(version, true) + 1) | 1);
    memory.write32(version + SECONDS, Number(BigInt.asIntN(32, seconds)));
    memory.write32(version + NANOSECONDS, Number(since % BILLION));
    memory.write32(page + info.wcSecHi, Number(BigInt.asIntN(32, seconds >> 32n)));
    memory.write32(version, (memory.view.getInt32(version, true) + 1) | 0);
  }
};

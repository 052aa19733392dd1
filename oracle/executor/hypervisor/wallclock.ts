/** The time of day, as all domains read it from their shared info page. */
import { shared_info } from '#spec/abi/xen.ts';
import type { Machine } from './machine.ts';

const FRAME = 4096;
const BILLION = 1_000_000_000n;

/** @param start ns since 1970 at Xen's time 0, modulo 2^64. */
export const setWallclock = (machine: Machine, start: bigint): void => {
  const since = BigInt.asUintN(64, start);
  const seconds = since / BILLION;
  const { fields } = shared_info;
  const { memory } = machine;
  for (const { sharedInfoMfn } of machine.domains) {
    const page = sharedInfoMfn * FRAME;
    const version = page + fields.wc_version.at;
    // Readers try again while the number is odd.
    memory.write32(version, (memory.view.getInt32(version, true) + 1) | 1);
    memory.write32(page + fields.wc_sec.at, Number(BigInt.asIntN(32, seconds)));
    memory.write32(page + fields.wc_nsec.at, Number(since % BILLION));
    memory.write32(page + fields.wc_sec_hi.at, Number(BigInt.asIntN(32, seconds >> 32n)));
    memory.write32(version, (memory.view.getInt32(version, true) + 1) | 0);
  }
};

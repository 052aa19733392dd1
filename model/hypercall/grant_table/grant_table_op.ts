/** HYPERVISOR_grant_table_op(cmd, uop, count). */
import { suboperation } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Machine } from '../../machine.ts';
import type { Word } from '../../word/word.ts';
import { notModelled } from '../not_modelled.ts';
import { fail, type HypercallResult, type Perform } from '../result.ts';
import { mapGrantRefs, unmapAndReplace, unmapGrantRefs } from './batches.ts';
import { cacheFlush } from './cache_flush.ts';
import { copyGrants } from './copy.ts';
import { getStatusFrames } from './get_status_frames.ts';
import { querySize } from './query_size.ts';
import { setupTable } from './setup_table.ts';
import { swapGrantRefs } from './swap_grant_ref.ts';
import { transferFrames } from './transfer.ts';
import { getVersion, setVersion } from './version.ts';

/** `cmd`: with the mark of a call that was interrupted. */
type Rule = (machine: Machine, caller: VcpuRef, uop: Word, count: number, cmd: number) => HypercallResult;

const RULES: Readonly<Record<string, Rule>> = {
  map_grant_ref: mapGrantRefs,
  unmap_grant_ref: unmapGrantRefs,
  setup_table: setupTable,
  query_size: querySize,
  set_version: setVersion,
  get_version: getVersion,
  copy: copyGrants,
  get_status_frames: getStatusFrames,
  swap_grant_ref: swapGrantRefs,
  cache_flush: cacheFlush,
  unmap_and_replace: unmapAndReplace,
  transfer: transferFrames,
};

/** Bits of the command; those above are Xen's own, for calls that it interrupted. */
const COMMAND = 0xfff;
/** Xen has no such operation any more. */
const GONE = 'dump_table';
/** The only operation that Xen interrupts with a mark in the command's high bits. */
const MARKED = 'cache_flush';

export const grant_table_op: Perform = (machine, caller, [cmd, uop, count]) => {
  if (count.lo < 0) return fail(machine, 'EINVAL', 'gnttab/count-negative');
  const name = suboperation('grant_table_op', cmd.lo & COMMAND);
  if (name !== MARKED && (cmd.lo & ~COMMAND) !== 0) return fail(machine, 'EINVAL', 'gnttab/command-high_bits');
  if (!name || name === GONE) return fail(machine, 'ENOSYS', 'gnttab/command-unknown');
  const rule = RULES[name];
  return rule ? rule(machine, caller, uop, count.lo, cmd.lo) : notModelled(machine, caller, `grant_table_op/${name}`);
};

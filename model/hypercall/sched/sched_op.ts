/** sched_op: giving up the pCPU, waiting, ending the domain. Chapter: spec/chapters/sched.md. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Perform } from '../result.ts';
import { fail } from '../result.ts';
import { block, yieldCpu } from './block.ts';
import { pinOverride } from './pin_override.ts';
import { poll } from './poll.ts';
import { remoteShutdown, shutdown, shutdownCode } from './shutdown.ts';
import { watchdog } from './watchdog.ts';

const CMD = SUBOPERATIONS.sched_op;
const OPERATIONS: ReadonlyMap<number, Perform> = new Map([
  [CMD.yield, yieldCpu],
  [CMD.block, block],
  [CMD.shutdown, shutdown],
  [CMD.poll, poll],
  [CMD.remote_shutdown, remoteShutdown],
  [CMD.shutdown_code, shutdownCode],
  [CMD.watchdog, watchdog],
  [CMD.pin_override, pinOverride],
]);

export const sched_op: Perform = (machine, caller, args) => {
  const perform = OPERATIONS.get(args[0].lo);
  return perform ? perform(machine, caller, args.slice(1)) : fail(machine, 'ENOSYS', 'sched/op-unknown');
};

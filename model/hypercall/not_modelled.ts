/** What Xen has and this slice lacks: stop with its name, or, when the run is lenient, answer -ENOSYS and tell. */
import { ERRNO } from '#spec/abi/errno.ts';
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { emit } from '../journal.ts';
import type { Machine } from '../machine.ts';
import { fromNumber } from '../word/word.ts';
import type { HypercallResult } from './result.ts';

/** `what` names it: `grant_table_op/copy`. Throws NotModelled unless the configuration is lenient. */
export const notModelled = (machine: Machine, caller: VcpuRef, what: string): HypercallResult => {
  if (!machine.config.lenient) throw new NotModelled(what);
  return { kind: 'reply', machine: emit(machine, { kind: 'not_modelled', at: caller, what }), value: fromNumber(-ERRNO.ENOSYS) };
};

/** SCHEDOP_watchdog: end the domain unless it calls again in time. */
import { ERRNO } from '#spec/abi/errno.ts';
import { NR_DOMAIN_WATCHDOG_TIMERS, sched } from '#spec/abi/sched.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { word } from '../../word/word.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, doneWord, fail, type HypercallResult, type Perform } from '../result.ts';

const NS_PER_SECOND = 1_000_000_000;

export const watchdog: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, sched.watchdog.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'sched/watchdog-fault');
  const id = fieldOf(copied.bytes, sched.watchdog.fields.id);
  const seconds = fieldOf(copied.bytes, sched.watchdog.fields.timeout);
  if (id > NR_DOMAIN_WATCHDOG_TIMERS) return fail(copied.machine, 'EINVAL', 'sched/watchdog-id');
  return id === 0 ? take(copied.machine, caller.domid, seconds) : change(copied.machine, caller.domid, id - 1, seconds);
};

/** sched/watchdog-taken: even with a timeout of 0, which is due at once. */
const take = (machine: Machine, domid: number, seconds: number): HypercallResult => {
  const slot = domainOf(machine, domid).watchdogs.findIndex(({ inUse }) => !inUse);
  if (slot < 0) return doneWord(machine, 'sched/watchdog-full', word(0, -ERRNO.ENOSPC));
  return done(arm(machine, domid, slot, seconds), 'sched/watchdog-taken', slot + 1);
};

const change = (machine: Machine, domid: number, slot: number, seconds: number): HypercallResult => {
  const { watchdogs } = domainOf(machine, domid);
  if (!watchdogs[slot].inUse) return fail(machine, 'EINVAL', 'sched/watchdog-free');
  if (seconds !== 0) return done(arm(machine, domid, slot, seconds), 'sched/watchdog-set');
  return done(
    updateDomain(machine, domid, { watchdogs: watchdogs.with(slot, { inUse: false, deadline: null }) }),
    'sched/watchdog-stopped',
  );
};

const arm = (machine: Machine, domid: number, slot: number, seconds: number): Machine => {
  const deadline = machine.now + seconds * NS_PER_SECOND;
  return updateDomain(machine, domid, { watchdogs: domainOf(machine, domid).watchdogs.with(slot, { inUse: true, deadline }) });
};

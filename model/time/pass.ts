/** Time goes on. Chapter: spec/chapters/time.md. */
import { BadInput } from '#spec/failure.ts';
import { cite } from '../journal.ts';
import type { Machine } from '../machine.ts';
import { returnAll } from '../traps/return_all.ts';
import { refreshTime } from './clock.ts';
import { fireDueTimers } from './timers.ts';

/** Xen renews the time records of running vCPUs about once a second. */
const REFRESH_NS = 1_000_000_000;

/** Set Xen's system time to `now` and fire what became due. Throws BadInput when time would run backwards. */
export const passTime = (machine: Machine, now: number): Machine => {
  if (!(now >= machine.now)) throw new BadInput(`input: time ${now} is before ${machine.now}`);
  const moved: Machine = { ...machine, now, retiredAtTime: machine.retired };
  const refreshed = now - machine.timeRefreshed >= REFRESH_NS ? refreshAll(moved) : moved;
  const { machine: m, fired } = fireDueTimers(refreshed);
  return fired ? returnAll(m) : m;
};

const refreshAll = (machine: Machine): Machine =>
  machine.cpus.reduce<Machine>(
    (m, { current }) => (current ? refreshTime(m, current) : m),
    cite({ ...machine, timeRefreshed: machine.now }, 'time/record-second'),
  );

/** XEN_DOMCTL_destroydomain. */
import { kill } from '../../../domain/teardown/kill.ts';
import { cite } from '../../../journal.ts';
import { done, fail } from '../../result.ts';
import type { Rule } from './rule.ts';

export const destroydomain: Rule = (machine, { caller, at, target }) => {
  if (target.domid === caller.domid) return fail(machine, 'EINVAL', 'domctl/destroydomain-self');
  const killed = kill(machine, caller, target.domid);
  if (!killed.over) return { kind: 'preempted', machine: cite(killed.machine, 'domctl/destroydomain-preempted'), args: [at] };
  return done(killed.machine, 'domctl/destroydomain-preempted');
};

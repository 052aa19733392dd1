import { expect, it } from 'vitest';
import { Answers } from './answers.ts';

it('counts what passed and what was refused, by operation', () => {
  const answers = new Answers();
  answers.add('0.0 event_channel_op/send rc=0\n0.1 event_channel_op/send rc=-22\n0.2 write\n0.3 code trap=6 rip=here\nhello rc=0\n');
  answers.add(
    '0.0 event_channel_op/send rc=0 up=1\n0.1 grant_table_op/map_grant_ref rc=0 status=-3 handle=-\n0.2 set_debugreg trap=13 error=0\n',
  );
  answers.add(
    '1.4 xen_version/version rc=262161\n1.5 hypercall_63 rc=-38\n1.6 sched_op/watchdog rc=4294967268\n1.7 mmuext_op rc=0 [0]=1\n',
  );
  expect(answers.toJSON()).toEqual({
    'event_channel_op/send': { EINVAL: 1, ok: 2 },
    'grant_table_op/map_grant_ref': { '-3': 1 },
    hypercall_63: { ENOSYS: 1 },
    mmuext_op: { ok: 1 },
    'sched_op/watchdog': { ok: 1 },
    'xen_version/version': { ok: 1 },
  });
  expect(answers.rows()[0]).toEqual({ operation: 'event_channel_op/send', calls: 3, passed: 2, refusals: ['EINVAL 1'] });
});

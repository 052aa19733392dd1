import { expect, it } from 'vitest';
import { Environment } from './environment.ts';

const refs = [0, 1].map((vcpu) => ({ domid: 0, vcpu }));
const status = { now: 0, halted: null, current: [null, null], runnable: refs, deadline: null };

/** Which vCPU each pCPU is given. */
const given = (pinned?: { vcpu: { domid: number; vcpu: number }; cpu: number }[]) => {
  const environment = new Environment();
  environment.next(status); // the time at boot
  const seen: Record<number, number> = {};
  for (let i = 0; i < 4; i++) {
    const input = environment.next({ ...status, ...(pinned ? { pinned } : {}) });
    if (typeof input === 'object' && input.kind === 'schedule' && input.vcpu) seen[input.cpu] = input.vcpu.vcpu;
  }
  return seen;
};

it('gives every pCPU a vCPU', () => {
  expect(Object.keys(given())).toEqual(['0', '1']);
});

it('gives a pinned vCPU to its pCPU alone', () => {
  expect(given([{ vcpu: refs[0]!, cpu: 1 }])).toEqual({ 0: 1, 1: 0 });
  expect(
    given([
      { vcpu: refs[0]!, cpu: 1 },
      { vcpu: refs[1]!, cpu: 1 },
    ])[0],
  ).toBeUndefined();
});

it('waits for a timer as long as its patience lasts', () => {
  const asleep = { ...status, runnable: [], deadline: 5_000_000_000 };
  const after = (patience?: number) => {
    const environment = new Environment(undefined, undefined, patience);
    environment.next(asleep);
    return environment.next(asleep);
  };
  expect(after()).toEqual({ kind: 'time', now: 5_000_000_000 });
  expect(after(5_000_000_000)).toEqual({ kind: 'time', now: 5_000_000_000 });
  expect(after(4_999_999_999)).toBe('idle');
});

import { describe, expect, it, test } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { NotModelled } from '#spec/failure.ts';
import { ARGS_AT, ARGUMENTS, TwoDomains } from '../testing/two_domains.ts';
import { domctl, paging_domctl_cont, sysctl } from './domctl.ts';
import { dm_op, hvm_op } from './hvm_op.ts';
import { kexec_op } from './kexec_op.ts';
import { xenoprof_op } from './xenoprof_op.ts';

const VERSION = 0x15;
const NOWHERE = 0x7000000;
const GETDOMAININFO = 5;
const SHADOW_OP = 10;
const IOMEM_PERMISSION = 20;
const PAUSE = 3;
const SETCONTEXT = 12;

/** A domctl of domain 1 with the words that follow the version. */
const ask = (cmd: number, domain: number, ...more: readonly number[]): number => {
  const t = new TwoDomains();
  t.put(1, ARGUMENTS, 0, cmd, VERSION, domain, 0, ...more);
  return t.call(1, domctl, ARGS_AT);
};

describe('domctl', () => {
  test.each([
    ['a domain that is none', ask(PAUSE, 7), ERRNO.ESRCH],
    ['a domain that is one', ask(PAUSE, 0), ERRNO.EPERM],
    ['information about a domain above all', ask(GETDOMAININFO, 2), ERRNO.ESRCH],
    ['information about no domain', ask(GETDOMAININFO, 0x7ff0), ERRNO.EINVAL],
    ['information about the next domain', ask(GETDOMAININFO, 1), ERRNO.EPERM],
    ['no frames from 5 on', ask(IOMEM_PERMISSION, 0, 5, 0, 0, 0), ERRNO.EINVAL],
    ['no frames from 0 on', ask(IOMEM_PERMISSION, 0, 0, 0, 0, 0), ERRNO.EPERM],
  ])('of domain 1 about %s is refused', (_, answer, errno) => expect(answer).toBe(-errno));

  it('looks at structure and version first', () => {
    const t = new TwoDomains();
    for (const handler of [domctl, sysctl]) {
      expect(t.call(1, handler, NOWHERE)).toBe(-ERRNO.EFAULT);
      t.put(1, ARGUMENTS, 0, PAUSE, VERSION + 1, 9);
      expect(t.call(1, handler, ARGS_AT)).toBe(-ERRNO.EACCES);
    }
    t.put(1, ARGUMENTS, 0, 999, VERSION);
    expect(t.call(1, sysctl, ARGS_AT)).toBe(-ERRNO.EPERM);
    expect(t.call(1, kexec_op)).toBe(-ERRNO.EPERM);
  });

  it('is not modelled where domain 0 is served', () => {
    const t = new TwoDomains();
    t.put(0, ARGUMENTS, 0, SETCONTEXT, VERSION, 1);
    expect(() => t.call(0, domctl, ARGS_AT)).toThrow(NotModelled);
  });

  test.each([
    ['an interrupt that no domain has', ask(19, 0, 56), ERRNO.EINVAL],
    ['an interrupt that is not its own', ask(19, 0, 55), ERRNO.EPERM],
    ['no ports', ask(21, 0, 5, 0), ERRNO.EINVAL],
    ['a port behind the last', ask(21, 0, 65535, 2), ERRNO.EINVAL],
    ['ports', ask(21, 0, 65535, 1), ERRNO.EPERM],
    ['no frames of a device', ask(39, 0, 0, 0, 0, 0, 0, 0), ERRNO.EINVAL],
    ['frames of a device', ask(39, 0, 0, 0, 0, 0, 1, 0), ERRNO.EPERM],
    ['a target that is none', ask(46, 0, 7), ERRNO.ESRCH],
    ['itself as a target', ask(46, 1, 1), ERRNO.EINVAL],
    ['a PV guest as a target', ask(46, 1, 0), ERRNO.EOPNOTSUPP],
    ['an interrupt for a PV guest', ask(38, 0), ERRNO.EINVAL],
    ['ports for a PV guest', ask(40, 0), ERRNO.EOPNOTSUPP],
    ['events of nobody', ask(56, 0x7ff4, 0), ERRNO.ESRCH],
    ['events of a domain', ask(56, 0, 0), ERRNO.EPERM],
  ])('that asks for privilege late is refused %s', (_, answer, errno) => expect(answer).toBe(-errno));

  it('tells anybody the version of the ring of events', () => {
    expect(ask(56, 0x7ff4, 3)).toBe(0);
  });

  it('that goes on with a shadow operation is written back', () => {
    const t = new TwoDomains();
    t.put(1, ARGUMENTS, 0, PAUSE, VERSION, 0);
    expect(t.call(1, paging_domctl_cont, ARGS_AT)).toBe(-ERRNO.EOPNOTSUPP);
    t.put(1, ARGUMENTS, 0, SHADOW_OP, VERSION, 0);
    expect(t.call(1, paging_domctl_cont, ARGS_AT)).toBe(-ERRNO.EPERM);
  });
});

describe('what is for HVM guests', () => {
  it('is refused in order', () => {
    const t = new TwoDomains();
    t.put(1, ARGUMENTS, 0, 9, 39);
    expect(t.call(1, hvm_op, 0, ARGS_AT)).toBe(-ERRNO.EINVAL);
    t.put(1, ARGUMENTS, 0, 9, 38);
    expect([t.call(1, hvm_op, 1, ARGS_AT), t.call(1, hvm_op, 9, ARGS_AT)]).toEqual([-ERRNO.ESRCH, -ERRNO.ESRCH]);
    t.put(1, ARGUMENTS, 0, 0, 38);
    expect([0, 9, 15].map((op) => t.call(1, hvm_op, op, ARGS_AT))).toEqual([-ERRNO.EINVAL, -ERRNO.EOPNOTSUPP, -ERRNO.EPERM]);
    expect([2, 5, 23, 25, 99].map((op) => t.call(1, hvm_op, op, NOWHERE))).toEqual(
      [ERRNO.ENOSYS, ERRNO.EINVAL, ERRNO.EINVAL, ERRNO.EOPNOTSUPP, ERRNO.ENOSYS].map((errno) => -errno),
    );
  });

  it('by dm_op too', () => {
    const t = new TwoDomains();
    const of = (domid: number, count: number, at = ARGS_AT): number => t.call(1, dm_op, domid, count, at);
    expect([of(0, 0), of(0, 3), of(9, 2, NOWHERE), of(9, 1), of(1, 1), of(0, 1)]).toEqual(
      [ERRNO.ENODATA, ERRNO.E2BIG, ERRNO.EFAULT, ERRNO.ESRCH, ERRNO.EPERM, ERRNO.EINVAL].map((errno) => -errno),
    );
  });
});

test('profiles are for the primary profiler', () => {
  const t = new TwoDomains();
  expect([-1, 18, 9].map((op) => t.call(1, xenoprof_op, op))).toEqual([-ERRNO.EINVAL, -ERRNO.EINVAL, -ERRNO.EPERM]);
  expect(() => t.call(1, xenoprof_op, 14)).toThrow(NotModelled);
});

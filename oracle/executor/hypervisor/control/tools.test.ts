import { describe, expect, it, test } from 'vitest';
import { XEN_DOMCTL_TOOLS as DOMCTL, XEN_DOMINF } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { XEN_SYSCTL_CPUPOOL_OP as POOL, XEN_SYSCTL_TOOLS as SYSCTL } from '#spec/abi/sysctl.ts';
import { VIRQ } from '#spec/abi/xen.ts';
import { NotModelled } from '#spec/failure.ts';
import { ARGS_AT, ARGUMENTS, TwoDomains } from '../testing/two_domains.ts';
import { sendGlobalVirq } from '../upcall.ts';
import { domctl, sysctl } from './domctl.ts';
import { kexec_op } from './kexec_op.ts';

const VERSION = 0x15;
const GETDOMAININFO = 5;
const NOWHERE = 0x7000000;
const MSRS_AT = 2048;
const TSC_AUX = 0xc0000103;

/** A domctl of domain 0 with the words that follow the domain. */
const set = (t: TwoDomains, cmd: number, domain: number, ...more: readonly number[]): number => {
  t.put(0, ARGUMENTS, 0, cmd, VERSION, domain, 0, ...more);
  return t.call(0, domctl, ARGS_AT);
};
/** A sysctl with the words that follow the version. */
const ask = (t: TwoDomains, cmd: number, ...more: readonly number[]): number => {
  t.put(0, ARGUMENTS, 0, cmd, VERSION, ...more);
  return t.call(0, sysctl, ARGS_AT);
};
const word = (t: TwoDomains, at: number): number => t.get(0, ARGUMENTS, at) >>> 0;

describe('domctls of the toolstack', () => {
  test.each([
    ['setdebugging', [1], ERRNO.EINVAL],
    ['max_vcpus', [1], ERRNO.EINVAL],
    ['set_access_required', [1], ERRNO.EPERM],
    ['soft_reset', [], ERRNO.EINVAL],
    ['shadow_op', [], ERRNO.EINVAL],
    ['set_cpu_policy', [], ERRNO.EINVAL],
    ['monitor_op', [2], ERRNO.EPERM],
    ['gettscinfo', [], ERRNO.EINVAL],
    ['set_ext_vcpucontext', [0, 64], ERRNO.ESRCH],
    ['set_vcpu_msrs', [0, 0], ERRNO.EINVAL],
  ] as const)('%s is not for the caller itself', (name, words, errno) => {
    expect(set(new TwoDomains(), DOMCTL[name], 0, ...words)).toBe(-errno);
  });

  it('mark a domain as debugged', () => {
    const t = new TwoDomains();
    expect(set(t, DOMCTL.setdebugging, 1, 1)).toBe(0);
    expect(set(t, GETDOMAININFO, 1)).toBe(0);
    expect(word(t, 20) & XEN_DOMINF.debugged).toBe(XEN_DOMINF.debugged);
  });

  it('keep nodes, of which node 0 has to be one', () => {
    const t = new TwoDomains();
    t.put(0, ARGUMENTS, MSRS_AT, 3, 0);
    expect(set(t, DOMCTL.setnodeaffinity, 1, ARGS_AT + MSRS_AT, 0, 64)).toBe(0);
    expect(t.machine.domains[1].nodes).toBe(3n);
    t.put(0, ARGUMENTS, MSRS_AT, 2, 0);
    expect(set(t, DOMCTL.setnodeaffinity, 1, ARGS_AT + MSRS_AT, 0, 64)).toBe(-ERRNO.EINVAL);
    expect(set(t, DOMCTL.setnodeaffinity, 1, NOWHERE, 0, 64)).toBe(-ERRNO.EFAULT);
  });

  it('set registers one by one, and tell how far they came', () => {
    const t = new TwoDomains();
    const target = t.vcpu(1);
    Object.assign(target.cpu, { msrs: new Map<number, bigint>() });
    t.put(0, ARGUMENTS, MSRS_AT, TSC_AUX, 0, 7, 0, 1, 0, 0, 0);
    expect(set(t, DOMCTL.set_vcpu_msrs, 1, 0, 2, ARGS_AT + MSRS_AT, 0)).toBe(-ERRNO.EINVAL);
    expect([word(t, 20), target.cpu.msrs.get(TSC_AUX)]).toEqual([1, 7n]);
    expect(set(t, DOMCTL.set_vcpu_msrs, 1, 0, 8, 0, 0)).toBe(-ERRNO.EINVAL);
    expect(word(t, 20)).toBe(8);
  });

  it('keep machine-check registers as far as the structure goes', () => {
    const t = new TwoDomains();
    const extended = (size: number, caps: number): number =>
      set(t, DOMCTL.set_ext_vcpucontext, 1, 0, size, 0, 0, 0, 0, 0x13, 0, caps, 0, 5, 0, 6, 0, 7, 0);
    expect(extended(31, 2)).toBe(-ERRNO.EINVAL);
    expect(extended(40, 3)).toBe(0);
    expect([t.vcpu(1).mcgCap, t.vcpu(1).mciCtl2]).toEqual([3n, [0n, 0n]]);
    expect(extended(56, 4)).toBe(0);
    expect(t.vcpu(1).mciCtl2).toEqual([5n, 6n]);
    expect(extended(64, 0x200)).toBe(-ERRNO.EINVAL);
    expect(t.vcpu(1).syscall32CallbackCs).toBe(0x13);
  });

  it('name who is told of a global VIRQ, domain 0 else', () => {
    const t = new TwoDomains();
    for (const virq of [VIRQ.TIMER, VIRQ.DEBUG, 24]) expect(set(t, DOMCTL.set_virq_handler, 1, virq)).toBe(-ERRNO.EINVAL);
    expect(set(t, DOMCTL.set_virq_handler, 1, VIRQ.CONSOLE)).toBe(0);
    expect(t.machine.virqHandlers.get(VIRQ.CONSOLE)).toBe(t.machine.domains[1]);
    expect(() => sendGlobalVirq(t.machine, VIRQ.CONSOLE)).not.toThrow();
  });

  it('tell a domain another time of day', () => {
    const t = new TwoDomains();
    const info = t.machine.domains[1].sharedInfoMfn * 4096 + 0xc00;
    expect(set(t, DOMCTL.settimeoffset, 1, -5, -1)).toBe(0);
    expect(t.machine.memory.read32(info + 4) >>> 0).toBe(t.machine.config.wallclock_sec - 5);
  });

  it('fill a page with entry points if it may be written to', () => {
    const t = new TwoDomains();
    expect(set(t, DOMCTL.hypercall_init, 1, t.mfn(1, ARGUMENTS), 0)).toBe(0);
    expect(t.get(1, ARGUMENTS, 4092) >>> 0).toBe(0xcccccccc);
    expect(set(t, DOMCTL.hypercall_init, 1, t.mfn(0, ARGUMENTS), 0)).toBe(-ERRNO.EINVAL);
    expect(set(t, DOMCTL.hypercall_init, 1, t.mfn(1, 1), 0)).toBe(-ERRNO.EPERM);
  });
});

describe('sysctls of the toolstack', () => {
  test.each([
    ['another pool than 0', SYSCTL.cpupool_op, [POOL.DESTROY, 5], ERRNO.ENOENT],
    ['pool 0', SYSCTL.cpupool_op, [POOL.DESTROY, 0], ERRNO.EBUSY],
    ['an operation on pools', SYSCTL.cpupool_op, [9], ERRNO.ENOSYS],
    ['another scheduler', SYSCTL.scheduler_op, [0, 5, 1], ERRNO.EINVAL],
    ['a rate below the least', SYSCTL.scheduler_op, [0, 6, 0, 0, 99], ERRNO.EINVAL],
    ['tracing without buffers', SYSCTL.tbuf_op, [4], ERRNO.EINVAL],
    ['frequencies', SYSCTL.get_pmstat, [0x11, 0], ERRNO.ENODEV],
    ['turbo mode', SYSCTL.pm_op, [0x26, 0], ERRNO.EACCES],
    ['a processor that is on line', SYSCTL.cpu_hotplug, [0, 0], ERRNO.EEXIST],
    ['pages backwards', SYSCTL.page_offline_op, [3, 5, 4], ERRNO.EINVAL],
    ['a set of features', SYSCTL.get_cpu_featureset, [6, 19, ARGS_AT, 0], ERRNO.EINVAL],
  ])('refuse %s', (_, cmd, words, errno) => expect(ask(new TwoDomains(), cmd, ...words)).toBe(-errno));

  it('count the words that found room', () => {
    const t = new TwoDomains();
    expect(ask(t, SYSCTL.get_cpu_featureset, 2, 3, ARGS_AT + MSRS_AT, 0)).toBe(-ERRNO.ENOBUFS);
    expect([word(t, 12), word(t, MSRS_AT)]).toEqual([3, 0xfc9c3f5]);
  });

  it('tell which frames they did not come to', () => {
    const t = new TwoDomains();
    expect(ask(t, SYSCTL.page_offline_op, 3, 0x9e, 0xa0, 0, ARGS_AT + MSRS_AT, 0)).toBe(-ERRNO.EINVAL);
    expect([0, 4, 8].map((at) => word(t, MSRS_AT + at))).toEqual([0, 0x01010101, 0x01010101]);
  });

  it('stop at a new pool', () => {
    expect(() => ask(new TwoDomains(), SYSCTL.cpupool_op, POOL.CREATE, 5, 6)).toThrow(NotModelled);
  });
});

test('kexec_op is for domain 0', () => {
  expect(new TwoDomains().call(1, kexec_op, 6, ARGS_AT)).toBe(-ERRNO.EPERM);
});

import { describe, expect, it } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { EVTCHNSTAT } from '#spec/abi/event_channel.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID, VIRQ } from '#spec/abi/xen.ts';
import { CALL_STATE } from '../hypercall/continuation.ts';
import { ARGS_AT, ARGUMENTS, L4, TwoDomains } from '../testing/two_domains.ts';
import { isPending } from '../upcall.ts';
import { upcallPending } from '../vcpu_info.ts';
import { event_channel_op } from './event_channel_op.ts';

const OP = SUBOPERATIONS.event_channel_op;

const op = (t: TwoDomains, domid: number, cmd: number, ...words: readonly number[]): number => {
  t.put(domid, ARGUMENTS, 0, ...words);
  return t.call(domid, event_channel_op, cmd, ARGS_AT);
};
const allocUnbound = (t: TwoDomains, domid: number, remote: number): number => {
  expect(op(t, domid, OP.alloc_unbound, DOMID.SELF | (remote << 16), 0)).toBe(0);
  return t.get(domid, ARGUMENTS, 4);
};
const status = (t: TwoDomains, domid: number, port: number): readonly number[] => {
  expect(op(t, domid, OP.status, DOMID.SELF, port, 0, 0, 0, 0)).toBe(0);
  return [8, 12, 16, 20].map((at) => t.get(domid, ARGUMENTS, at));
};

describe('event_channel_op', () => {
  it('joins two domains, raises the new port at once, and turns the peer back to unbound on close', () => {
    const t = new TwoDomains();
    const waiting = allocUnbound(t, 0, 1);
    expect(op(t, 1, OP.bind_interdomain, 0, waiting, 0)).toBe(0);
    const local = t.get(1, ARGUMENTS, 8);
    expect([waiting, local]).toEqual([1, 1]);
    expect(isPending(t.machine, t.machine.domains[1], local)).toBe(true);
    expect(upcallPending(t.machine, t.vcpu(1))).toBe(1);
    expect(op(t, 1, OP.send, local)).toBe(0);
    expect(isPending(t.machine, t.machine.domains[0], waiting)).toBe(true);
    expect(status(t, 0, waiting)).toEqual([EVTCHNSTAT.interdomain, 0, 1, local]);
    expect(op(t, 1, OP.close, local)).toBe(0);
    expect(isPending(t.machine, t.machine.domains[1], local)).toBe(false);
    expect(status(t, 0, waiting)).toEqual([EVTCHNSTAT.unbound, 0, 1, 0]);
  });

  it('refuses a port that waits for somebody else, after it looked for a free port', () => {
    const t = new TwoDomains();
    const waiting = allocUnbound(t, 0, 7);
    expect(op(t, 1, OP.bind_interdomain, 0, waiting, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 1, OP.bind_interdomain, 9, 1, 0)).toBe(-ERRNO.ESRCH);
    for (let i = 1; i < 4096; i++) expect(op(t, 1, OP.bind_ipi, 0, 0)).toBe(0);
    expect(op(t, 1, OP.bind_interdomain, 0, waiting, 0)).toBe(-ERRNO.ENOSPC);
    expect(op(t, 1, OP.bind_ipi, 0, 0)).toBe(-ERRNO.ENOSPC);
  });

  it('binds each virtual interrupt once and in the right place', () => {
    const t = new TwoDomains();
    expect(op(t, 0, OP.bind_virq, VIRQ.TIMER, 0, 0)).toBe(0);
    expect(op(t, 0, OP.bind_virq, VIRQ.TIMER, 0, 0)).toBe(-ERRNO.EEXIST);
    expect(op(t, 0, OP.bind_virq, VIRQ.CONSOLE, 5, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.bind_virq, VIRQ.DEBUG, 5, 0)).toBe(-ERRNO.ENOENT);
    expect(op(t, 0, OP.bind_virq, 24, 0, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.bind_virq, -1, 0, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.bind_vcpu, 1, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.bind_virq, VIRQ.CONSOLE, 0, 0)).toBe(0);
    expect(op(t, 0, OP.bind_vcpu, 2, 0)).toBe(0);
    expect(op(t, 0, OP.bind_vcpu, 2, 1)).toBe(-ERRNO.ENOENT);
    expect(op(t, 0, OP.close, 1)).toBe(0);
    expect(op(t, 0, OP.bind_virq, VIRQ.TIMER, 0, 0)).toBe(0);
    expect(t.get(0, ARGUMENTS, 8)).toBe(1);
  });

  it('brings ports to life in blocks of 64', () => {
    const t = new TwoDomains();
    expect(op(t, 0, OP.unmask, 63)).toBe(0);
    expect(op(t, 0, OP.unmask, 64)).toBe(-ERRNO.EINVAL);
    for (let i = 0; i < 64; i++) op(t, 0, OP.bind_ipi, 0, 0);
    expect(op(t, 0, OP.unmask, 127)).toBe(0);
    expect(op(t, 0, OP.close, 64)).toBe(0);
    expect(op(t, 0, OP.send, 64)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.unmask, 64)).toBe(0);
    expect(op(t, 0, OP.close, 0)).toBe(-ERRNO.EINVAL);
  });

  it('answers for the FIFO ABI as a two-level domain gets it, until it takes it up', () => {
    const t = new TwoDomains();
    expect(op(t, 0, OP.expand_array, 0, 0)).toBe(-ERRNO.EOPNOTSUPP);
    expect(op(t, 0, OP.set_priority, 1, 0)).toBe(-ERRNO.ENOSYS);
    expect(op(t, 0, OP.set_priority, 5000, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.init_control, 0, 0, 0, 1)).toBe(-ERRNO.ENOENT);
    expect(op(t, 0, OP.init_control, 0, 0, 4032, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.init_control, 0, 0, 4, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.init_control, t.mfn(0, L4), 0, 0, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.init_control, -1, 15, 0, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.init_control, t.mfn(0, 20), 0, 0, 0)).toBe(0);
    expect(op(t, 0, OP.init_control, t.mfn(0, 20), 0, 128, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.bind_pirq, 9, 0, 0)).toBe(-ERRNO.EPERM);
    expect(op(t, 0, OP.bind_pirq, 100000, 0, 0)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, 15)).toBe(-ERRNO.ENOSYS);
    expect(t.call(0, event_channel_op, OP.send, PAGE_BEYOND)).toBe(-ERRNO.EFAULT);
  });

  it('resets all channels, in pieces while an upcall waits', () => {
    const t = new TwoDomains();
    for (let i = 0; i < 200; i++) op(t, 1, OP.bind_ipi, 0, 0);
    expect(op(t, 1, OP.send, 10)).toBe(0);
    const info = t.machine.domains[1].sharedInfoMfn * 4096;
    t.machine.memory.write8(info + 1, 0);
    t.put(1, ARGUMENTS, 0, DOMID.SELF);
    const args = Int32Array.of(OP.reset, 0, ARGS_AT, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    CALL_STATE.preempted = false;
    event_channel_op(t.machine, t.vcpu(1), args);
    expect(CALL_STATE.preempted).toBe(true);
    expect([...CALL_STATE.continuation.subarray(0, 4)]).toEqual([OP.reset_cont, 0, ARGS_AT, 0]);
    expect(t.machine.domains[1].activePorts).toBe(136);
    expect(op(t, 1, OP.reset, DOMID.SELF)).toBe(-ERRNO.EBUSY);
    t.machine.memory.write8(info + 1, 1);
    expect(op(t, 1, OP.reset_cont, DOMID.SELF)).toBe(0);
    expect(t.machine.domains[1].activePorts).toBe(0);
    expect(op(t, 1, OP.reset_cont, DOMID.SELF)).toBe(-ERRNO.EBUSY);
    expect(op(t, 1, OP.reset, 0)).toBe(-ERRNO.EPERM);
    expect(op(t, 0, OP.reset, 1)).toBe(-ERRNO.EINVAL);
    expect(op(t, 0, OP.reset, 5)).toBe(-ERRNO.ESRCH);
  });
});

/** Nothing is mapped there. */
const PAGE_BEYOND = 0x80000;

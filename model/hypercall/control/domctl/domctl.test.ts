import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { domctl, domctl_info } from '#spec/abi/domctl.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { SHUTDOWN } from '#spec/abi/xen.ts';
import { statusOf } from '../../../engine.ts';
import { domainOf, updateDomain, updateVcpu, vcpuOf } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { changeRunstate } from '../../../sched/runstate.ts';
import { shutdownDomain } from '../../../sched/shutdown.ts';
import { preparedGuest } from '../../../testing/fresh.ts';
import { ARGUMENTS, DOM0, DOM1, frameAt, POOL, peek, peek64, poke64 } from '../../../testing/guest.ts';
import { fromNumber, toBigInt } from '../../../word/word.ts';
import { type Fields, fieldsOf, withFields } from '../../guest_struct.ts';
import { getnodeaffinity, getvcpuaffinity } from './affinity.ts';
import { domainInfo, getdomaininfo } from './domain_info.ts';
import { getpageframeinfo3 } from './page_info.ts';
import { pausedomain, resumedomain, unpausedomain } from './pause.ts';
import type { Rule } from './rule.ts';
import { setvcpuaffinity } from './set_affinity.ts';
import { maxMem, schedulerOp, setAddressSize, subscribe } from './settings.ts';
import { gettscinfo, settimeoffset, settscinfo } from './time.ts';
import { getExtVcpucontext, getVcpuMsrs, getvcpuinfo, sendtrigger } from './vcpu.ts';
import { setVirqHandler } from './virq_handler.ts';
import { maxVcpus, setdebugging } from './whole_domain.ts';

const booted = preparedGuest(ONE_PAGE_KERNEL);
/** Domain 1 runs on a second pCPU. */
const both: Machine = changeRunstate({ ...booted, cpus: [...booted.cpus, { current: DOM1, loaded: DOM1 }] }, DOM1, 'running');
/** What stands at an address that a structure names. */
const AT = POOL;

const ask = <L extends Layout>(machine: Machine, rule: Rule, domid: number, layout: L, fields: Partial<Fields<L>> = {}) => {
  const bytes = withFields(new Uint8Array(layout.size), layout, fields);
  const asked = { caller: DOM0, at: fromNumber(ARGUMENTS), bytes, target: domainOf(machine, domid) };
  const result = rule(machine, asked);
  if (result?.kind !== 'reply') throw new Error('no reply');
  const out = fieldsOf(peek(result.machine, DOM0, ARGUMENTS, layout.size), layout);
  return { rc: Number(BigInt.asIntN(64, toBigInt(result.value))), machine: result.machine, out };
};

describe('pauses', () => {
  const pause = (machine: Machine, domid = 1) => ask(machine, pausedomain, domid, domctl.address_size);
  const unpause = (machine: Machine, domid = 1) => ask(machine, unpausedomain, domid, domctl.address_size);

  it('keep a domain from running until the last of them is taken back', () => {
    const twice = pause(pause(both).machine).machine;
    expect([twice.cpus[1], vcpuOf(twice, DOM1).runstate.state]).toEqual([{ current: null, loaded: null }, 'offline']);
    const once = unpause(twice);
    expect([once.rc, vcpuOf(once.machine, DOM1).runstate.state]).toEqual([0, 'offline']);
    const none = unpause(once.machine);
    expect(statusOf(none.machine).runnable).toContainEqual(DOM1);
    expect(unpause(none.machine).rc).toBe(-22);
  });
  it('are 255 at most, and never of the caller', () => {
    expect(pause(updateDomain(both, 1, { pauses: 255 })).rc).toBe(-75);
    expect([pause(both, 0).rc, unpause(both, 0).rc]).toEqual([-22, -22]);
  });
  it('leave a vCPU that sleeps asleep', () => {
    const asleep = updateVcpu(changeRunstate({ ...both, cpus: booted.cpus }, DOM1, 'blocked'), DOM1, { blocked: true });
    expect(vcpuOf(unpause(pause(asleep).machine).machine, DOM1).runstate.state).toBe('blocked');
  });
});

it('a domain that was shut down is resumed, and its reason forgotten', () => {
  const ended = shutdownDomain(both, 1, SHUTDOWN.suspend);
  const resumed = ask(ended, resumedomain, 1, domctl.address_size);
  expect([resumed.rc, domainOf(resumed.machine, 1).shutdown, domainOf(resumed.machine, 1).shutdownCode]).toEqual([0, null, null]);
  expect(statusOf(resumed.machine).runnable).toContainEqual(DOM1);
  expect(ask(ended, resumedomain, 0, domctl.address_size).rc).toBe(-22);
});

describe('what is told of a domain', () => {
  const flags = (machine: Machine, domid = 1): number => fieldsOf(domainInfo(machine, domainOf(machine, domid)), domctl_info).flags;

  it('its flags', () => {
    expect([flags(both), flags({ ...both, cpus: booted.cpus })]).toEqual([0xffff0020, 0xffff0000]);
    expect(flags(shutdownDomain(both, 1, SHUTDOWN.crash))).toBe((SHUTDOWN.crash << 16) | 4);
    expect(flags(ask(both, pausedomain, 1, domctl.address_size).machine)).toBe(0xffff0008);
  });
  it('sizes, and the number of the domain in the head too', () => {
    const { out } = ask(both, getdomaininfo, 1, domctl.getdomaininfo);
    expect([out.domid, out.tot_pages, out.max_vcpu_id, out.nr_online_vcpus, out.gpaddr_bits, out.emulation_flags]).toEqual([
      1, 1024, 1, 1, 40, 0,
    ]);
  });
});

describe('settings', () => {
  it('max_mem counts in KiB', () => {
    const set = ask(both, maxMem, 1, domctl.max_mem, { max_memkb: 4097 });
    expect(domainOf(set.machine, 1).maxPages).toBe(1024);
    expect(domainOf(ask(both, maxMem, 1, domctl.max_mem, { max_memkb: 2 ** 50 }).machine, 1).maxPages).toBe(0xffffffff);
  });
  it('a port that was subscribed hears of a suspension instead of VIRQ_DOM_EXC', () =>
    expect(domainOf(ask(both, subscribe, 1, domctl.subscribe, { port: 7 }).machine, 1).suspendPort).toBe(7));
  it.each([
    [64, 0],
    [32, -95],
    [16, -22],
  ])('an address size of %i', (size, rc) => expect(ask(both, setAddressSize, 1, domctl.address_size, { size }).rc).toBe(rc));
  it('the scheduler keeps weight and cap', () => {
    const op = (machine: Machine, operation: number, weight: number, cap: number, sched_id = 6) =>
      ask(machine, schedulerOp, 1, domctl.scheduler_op, { sched_id, operation, weight, cap });
    const put = op(op(both, 0, 512, 50).machine, 0, 0, 10).machine;
    expect([op(put, 1, 0, 0).out, op(both, 1, 0, 0).out]).toMatchObject([
      { weight: 512, cap: 10 },
      { weight: 256, cap: 0 },
    ]);
    expect([op(both, 2, 1, 1).rc, op(both, 1, 1, 1, 5).rc]).toEqual([-22, -22]);
  });
});

describe('a vCPU', () => {
  it('is asked about by number', () => {
    expect(ask(both, getvcpuinfo, 1, domctl.getvcpuinfo).out).toMatchObject({ online: 1, blocked: 0, running: 1, cpu: 1 });
    expect(ask(both, getvcpuinfo, 1, domctl.getvcpuinfo, { vcpu: 9 }).rc).toBe(-22);
  });
  it('cannot be the caller where it would have to be stopped', () => {
    expect(ask(both, getExtVcpucontext, 0, domctl.ext_vcpucontext).rc).toBe(-3);
    expect(ask(both, getVcpuMsrs, 0, domctl.vcpu_msrs).rc).toBe(-22);
    expect(ask(both, getExtVcpucontext, 1, domctl.ext_vcpucontext).out).toMatchObject({ size: 64, mcg_cap: 2 });
  });
  it('tells its TSC_AUX where there is room for it', () => {
    const marked = updateVcpu(both, DOM1, { tscAux: 9 });
    const told = ask(marked, getVcpuMsrs, 1, domctl.vcpu_msrs, { msr_count: 1, msrs: AT });
    expect([told.rc, told.out.msr_count, peek64(told.machine, DOM0, AT), peek64(told.machine, DOM0, AT + 8)]).toEqual([
      0,
      1,
      0xc0000103n,
      9n,
    ]);
    expect(ask(marked, getVcpuMsrs, 1, domctl.vcpu_msrs, { msr_count: 0, msrs: AT })).toMatchObject({ rc: -105, out: { msr_count: 1 } });
    expect(ask(marked, getVcpuMsrs, 1, domctl.vcpu_msrs).out.msr_count).toBe(7);
  });
  it('gets an NMI', () => {
    expect(vcpuOf(ask(both, sendtrigger, 1, domctl.sendtrigger).machine, DOM1).nmiPending).toBe(true);
    expect([1, 2, 3, 4, 5].map((trigger) => ask(both, sendtrigger, 1, domctl.sendtrigger, { trigger }).rc)).toEqual([
      -38, -38, -22, -22, -38,
    ]);
  });
});

describe('bitmaps', () => {
  it('take as many bytes as the caller has bits for', () => {
    const dirty = poke64(both, DOM0, AT, -1n);
    const at = (machine: Machine) => peek64(machine, DOM0, AT);
    const nodes = (bits: number) => at(ask(dirty, getnodeaffinity, 1, domctl.nodeaffinity, { bitmap: AT, bits }).machine);
    expect([nodes(0), nodes(3), nodes(16)]).toEqual([0xffffffffffffffffn, 0xffffffffffffff01n, 0xffffffffffff0001n]);
    const hard = ask(dirty, getvcpuaffinity, 1, domctl.vcpuaffinity, { flags: 1, hard_bitmap: AT, hard_bits: 8 });
    expect(at(hard.machine) & 0xffn).toBe(BigInt((1 << both.config.pcpus) - 1));
    expect(ask(dirty, getvcpuaffinity, 1, domctl.vcpuaffinity, { flags: 0 }).rc).toBe(-22);
    expect(ask(dirty, getvcpuaffinity, 1, domctl.vcpuaffinity, { flags: 2, hard_bitmap: AT }).rc).toBe(-22);
  });
});

it('frames have their types', () => {
  const { kernelTable } = vcpuOf(both, DOM1);
  const frames = [kernelTable, frameAt(both, DOM1, POOL), domainOf(both, 1).sharedInfo, frameAt(both, DOM0, POOL), 2 ** 40];
  const listed = frames.reduce((m, mfn, i) => poke64(m, DOM0, AT + 8 * i, BigInt(mfn)), both);
  const { rc, machine } = ask(listed, getpageframeinfo3, 1, domctl.getpageframeinfo3, { num: frames.length, array: AT });
  expect([rc, ...frames.map((_, i) => peek64(machine, DOM0, AT + 8 * i))]).toEqual([
    0,
    0xc0000000n,
    0n,
    0xf0000000n,
    0xf0000000n,
    0xf0000000n,
  ]);
  expect(ask(listed, getpageframeinfo3, 1, domctl.getpageframeinfo3, { num: 1025, array: AT }).rc).toBe(-7);
});

describe('the toolstack', () => {
  it('marks another domain as debugged, and stops it for a moment', () => {
    const { rc, machine } = ask(both, setdebugging, 1, domctl.setdebugging, { enable: 1 });
    expect([rc, domainOf(machine, 1).debugged, vcpuOf(machine, DOM1).runstate.state]).toEqual([0, true, 'runnable']);
    expect(ask(both, setdebugging, 0, domctl.setdebugging, { enable: 1 }).rc).toBe(-22);
  });
  it('takes back a mark with 0, and counts vCPUs', () => {
    const { machine } = ask(updateDomain(both, 1, { debugged: true }), setdebugging, 1, domctl.setdebugging);
    expect(domainOf(machine, 1).debugged).toBe(false);
    const { length } = domainOf(both, 1).vcpus;
    expect([length, length + 1].map((max) => ask(both, maxVcpus, 1, domctl.max_vcpus, { max }).rc)).toEqual([0, -22]);
  });
  it('moves the wall clock', () => {
    const { machine } = ask(both, settimeoffset, 1, domctl.settimeoffset, { time_offset_seconds: -7 });
    expect(domainOf(machine, 1).timeOffset).toBe(-7n);
  });
  it('gives a domain a counter of its own rate, or the processor\u2019s', () => {
    const own = ask(both, settscinfo, 1, domctl.tsc_info, { tsc_mode: 1, gtsc_khz: 500_000, incarnation: 7 });
    const told = ask(own.machine, gettscinfo, 1, domctl.tsc_info);
    expect([told.out.tsc_mode, told.out.gtsc_khz, told.out.incarnation]).toEqual([1, 500_000, 8]);
    const never = ask(own.machine, settscinfo, 1, domctl.tsc_info, { tsc_mode: 2 });
    expect([vcpuOf(never.machine, DOM1).tscEmulated, ask(never.machine, gettscinfo, 1, domctl.tsc_info).out.gtsc_khz]).toEqual([false, 0]);
    expect(ask(both, settscinfo, 1, domctl.tsc_info, { tsc_mode: 3 }).rc).toBe(-22);
  });
  it('names who hears of VIRQs that are not of each vCPU', () => {
    const { machine } = ask(both, setVirqHandler, 1, domctl.virq_handler, { virq: 3 });
    expect(machine.virqHandlers).toEqual(new Map([[3, 1]]));
    expect([0, 24].map((virq) => ask(both, setVirqHandler, 1, domctl.virq_handler, { virq }).rc)).toEqual([-22, -22]);
  });
  it('has no affinity without a bitmap', () => {
    expect([0, 1, 2].map((flags) => ask(both, setvcpuaffinity, 1, domctl.vcpuaffinity, { flags }).rc)).toEqual([-22, -22, -22]);
    expect(ask(both, setvcpuaffinity, 1, domctl.vcpuaffinity, { vcpu: 9, flags: 1 }).rc).toBe(-22);
  });
});

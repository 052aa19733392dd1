import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { EVTCHN_FIFO_BIT, evtchn } from '#spec/abi/event_channel.ts';
import { shared_info, vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { domainOf, frame, updateDomain, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { read } from '../../memory/access.ts';
import { numbered } from '../../numbered.ts';
import { observe } from '../../observe.ts';
import { DOM0, DOM1, frameAt, operate, peek, poke, SELF, twoDomains } from '../../testing/guest.ts';
import { EVENT_RULES, eventState } from './event_word.ts';
import { initControl } from './init_control.ts';
import { portOps } from './port_ops.ts';
import { pendingBit, setBit } from './shared_bits.ts';

const [P, M, L, BUSY] = [EVTCHN_FIFO_BIT.pending, EVTCHN_FIFO_BIT.masked, EVTCHN_FIFO_BIT.linked, EVTCHN_FIFO_BIT.busy].map((n) => 2 ** n);
const CONTROL = 0x310000;
const ARRAY = 0x311000;

const op = (machine: Machine, name: keyof typeof evtchn, fields: Readonly<Record<string, number>>, at: VcpuRef = DOM0) => {
  const called = operate(machine, at, 'event_channel_op', name, evtchn[name], fields);
  return { ...called, out: called.out as Readonly<Record<string, number>> };
};

const init = (machine: Machine, vcpu = 0, offset = 0, va = CONTROL, at: VcpuRef = DOM0) => {
  const fields = { control_gfn: frameAt(machine, at, va), offset, vcpu, link_bits: 0 };
  return initControl(machine, at, fields);
};
const expand = (machine: Machine, va = ARRAY, at: VcpuRef = DOM0) =>
  op(machine, 'expand_array', { array_gfn: frameAt(machine, at, va) }, at);

const word = (machine: Machine, port: number): number => peek32(machine, ARRAY + 4 * port);
const setWord = (machine: Machine, port: number, value: number): Machine => poke32(machine, ARRAY + 4 * port, value);
const head = (machine: Machine, priority: number, block = CONTROL): number => peek32(machine, block + 8 + 4 * priority);
const ready = (machine: Machine, block = CONTROL): number => peek32(machine, block);
const peek32 = (machine: Machine, va: number): number => new DataView(peek(machine, DOM0, va, 4).buffer).getUint32(0, true);
const poke32 = (machine: Machine, va: number, value: number): Machine =>
  poke(machine, DOM0, va, new Uint8Array(new Uint32Array([value]).buffer));
const upcall = (machine: Machine, vcpu = 0): number =>
  read(machine.memory, domainOf(machine, 0).sharedInfo, 64 * vcpu + vcpu_info.fields.evtchn_upcall_pending.at, 1).lo;
const fifo = (machine: Machine) => observe(machine).domains[0]?.fifo;

/** Domain 0 with the FIFO ABI, an ipi port for each of vCPU 0's `ports`, and a page of event words. */
const withPorts = (ports: number): Machine => {
  let m = init(twoDomains(ONE_PAGE_KERNEL)).machine;
  m = expand(m).machine;
  for (let i = 0; i < ports; i++) m = op(m, 'bind_ipi', { vcpu: 0 }).machine;
  return m;
};
const raised = (machine: Machine, ...ports: number[]): Machine => ports.reduce((m, port) => op(m, 'send', { port }).machine, machine);

describe('init_control', () => {
  let fresh: Machine;
  beforeAll(() => {
    fresh = twoDomains(ONE_PAGE_KERNEL);
  });
  const errno = (result: ReturnType<typeof init>) => ('errno' in result ? result.errno : null);

  it('checks the vCPU, the offset, whether there is a block already, and the frame, in this order', () => {
    expect(errno(init(fresh, 2, 5000))).toBe('ENOENT');
    expect(errno(init(fresh, 1, 4096 - 71))).toBe('EINVAL');
    expect(errno(init(fresh, 1, 4))).toBe('EINVAL');
    expect(errno(initControl(fresh, DOM0, { control_gfn: 0x3ffff, offset: 0, vcpu: 0, link_bits: 0 }))).toBe('EINVAL');
    const done = init(fresh, 1, 4096 - 72);
    expect(done).toMatchObject({ tag: 'granted', out: { link_bits: 17 } });
    expect(init(done.machine, 1)).toMatchObject({ clause: 'evtchn_fifo/init_control-again' });
    expect(init(done.machine, 0)).toMatchObject({ tag: 'granted' });
  });

  it('holds the frame by a reference and a use', () => {
    const mfn = frameAt(fresh, DOM0, CONTROL);
    const { refs, typeRefs } = frame(fresh, mfn)!;
    expect(frame(init(fresh).machine, mfn)).toMatchObject({ refs: refs + 1, typeRefs: typeRefs + 1, type: 'writable' });
  });

  it('keeps what was pending, ports without a channel included, until the page comes, and for good', () => {
    let m = op(fresh, 'bind_ipi', { vcpu: 1 }).machine;
    m = setBit(setBit(m, pendingBit(m, 0, 1)), pendingBit(m, 0, 9));
    m = init(init(m, 0).machine, 1, 128).machine;
    expect(fifo(m)).toMatchObject({ array: [], kept: [1, 9] });
    m = expand(m).machine;
    expect([word(m, 1), word(m, 9), word(m, 2)]).toEqual([P + L, P + L, 0]);
    expect([head(m, 7, CONTROL + 128), head(m, 7)]).toEqual([1, 9]);
    expect([upcall(m, 0), upcall(m, 1)]).toEqual([1, 1]);
    expect(fifo(m)?.kept).toEqual([1, 9]);
  });
});

describe('expand_array', () => {
  it('is for the FIFO ABI, and ends at 128 pages', () => {
    expect(expand(twoDomains(ONE_PAGE_KERNEL))).toMatchObject({ rc: -95 });
    let m = init(twoDomains(ONE_PAGE_KERNEL)).machine;
    expect(op(m, 'expand_array', { array_gfn: 0x3ffff }).rc).toBe(-22);
    for (let page = 0; page < 128; page++) m = expand(m).machine;
    expect(fifo(m)?.array).toHaveLength(128);
    expect(expand(m).rc).toBe(-28);
  });
});

describe('a raised port', () => {
  it('that comes first is the head, makes its queue ready and the upcall pending', () => {
    const m = raised(withPorts(3), 2);
    expect([word(m, 2), head(m, 7), ready(m), upcall(m)]).toEqual([P + L, 2, 1 << 7, 1]);
    expect(fifo(m)?.vcpus[0]?.tails[7]).toBe(2);
  });

  it('goes behind the last one', () => {
    const m = raised(setWord(withPorts(3), 2, BUSY + 0xabc0000), 2, 3, 1);
    expect([word(m, 2), word(m, 3), word(m, 1)]).toEqual([P + L + 0xabc0000 + 3, P + L + 1, P + L]);
    expect(head(m, 7)).toBe(2);
  });

  it('stays out while it is masked, and where it is while it is linked', () => {
    expect(word(raised(setWord(withPorts(1), 1, M), 1), 1)).toBe(P + M);
    const moved = op(raised(withPorts(2), 1), 'set_priority', { port: 1, priority: 3 }).machine;
    expect(head(raised(moved, 1), 3)).toBe(0);
  });

  it('finds its queue empty when the guest took the tail out, itself or another', () => {
    const taken = setWord(raised(withPorts(2), 1), 1, 0);
    const other = raised(taken, 2);
    expect([head(other, 7), word(other, 1)]).toEqual([2, 0]);
    const same = raised(taken, 1);
    expect([head(same, 7), word(same, 1)]).toEqual([1, P + L]);
  });

  it('raises no upcall while the bit of its queue is set', () => {
    const m = raised(poke32(withPorts(1), CONTROL, 1 << 7), 1);
    expect([head(m, 7), upcall(m)]).toEqual([1, 0]);
  });

  it('forgets the tail of the queue that it leaves', () => {
    const first = setWord(raised(withPorts(2), 1), 1, 0);
    const second = raised(op(first, 'set_priority', { port: 1, priority: 3 }).machine, 1);
    expect(fifo(second)?.vcpus[0]?.tails.flatMap((tail, priority) => (tail ? [[priority, tail]] : []))).toEqual([[3, 1]]);
  });

  it('is lost when its vCPU has no control block, and kept when it has no word', () => {
    const bound = op(withPorts(0), 'bind_ipi', { vcpu: 1 }).machine;
    expect(word(raised(bound, 1), 1)).toBe(0);
    const early = op(init(twoDomains(ONE_PAGE_KERNEL)).machine, 'bind_ipi', { vcpu: 0 }).machine;
    expect(fifo(raised(early, 1))?.kept).toEqual([1]);
  });

  it('wakes who polls, once, masked or not', () => {
    const polling = updateVcpu(setWord(withPorts(1), 1, M), { domid: 0, vcpu: 1 }, { online: true, blocked: true, poll: { port: 1 } });
    expect(vcpuOf(raised(polling, 1), { domid: 0, vcpu: 1 }).poll).toBeNull();
    const already = setWord(polling, 1, M + P);
    expect(vcpuOf(raised(already, 1), { domid: 0, vcpu: 1 }).poll).not.toBeNull();
  });
});

describe('other operations', () => {
  it('unmask raises what is pending, whether the port was masked or not', () => {
    const m = op(setWord(withPorts(1), 1, P), 'unmask', { port: 1 }).machine;
    expect([word(m, 1), head(m, 7)]).toEqual([P + L, 1]);
  });

  it('do to a word what the rules say, whatever the guest wrote', () => {
    const base = withPorts(1);
    const ops = portOps(base, 0);
    fc.assert(
      fc.property(fc.nat(0xffffffff), (before) => {
        const m = setWord(base, 1, before);
        const open = EVENT_RULES.unmask(eventState(before));
        expect(eventState(word(raised(m, 1), 1))).toEqual(EVENT_RULES.raise(eventState(before)));
        expect(eventState(word(ops.unmask(m, DOM0, 1), 1))).toEqual(open.pending ? EVENT_RULES.raise(open) : open);
        expect(eventState(word(op(m, 'close', { port: 1 }).machine, 1))).toEqual(EVENT_RULES.close(eventState(before)));
      }),
    );
  });

  it('a free port that is still linked is not given away', () => {
    const closed = op(raised(withPorts(2), 1), 'close', { port: 1 });
    expect(word(closed.machine, 1)).toBe(L);
    expect(op(closed.machine, 'bind_ipi', { vcpu: 0 }).out['port']).toBe(3);
    expect(op(setWord(closed.machine, 1, 0), 'bind_ipi', { vcpu: 0 }).out['port']).toBe(1);
  });

  it('set_priority asks for a channel first, then for the range', () => {
    const m = withPorts(1);
    expect(op(m, 'set_priority', { port: 64, priority: 16 }).rc).toBe(-22);
    expect(op(m, 'set_priority', { port: 2, priority: 16 }).rc).toBe(-13);
    expect(op(m, 'set_priority', { port: 1, priority: 16 }).rc).toBe(-22);
    expect(op(m, 'set_priority', { port: 1, priority: 15 }).rc).toBe(0);
    expect(observe(op(m, 'set_priority', { port: 1, priority: 15 }).machine).domains[0]?.ports[0]?.priority).toBe(15);
    expect(op(twoDomains(ONE_PAGE_KERNEL), 'set_priority', { port: 1, priority: 16 }).rc).toBe(-38);
  });

  it('there are more than 4096 ports', () => {
    const m = withPorts(0);
    const full = updateDomain(m, 0, { channels: numbered(new Array(4096).fill({ state: 'ipi', vcpu: 0 })), validPorts: 4096 });
    expect(op(full, 'bind_ipi', { vcpu: 0 }).out['port']).toBe(4096);
  });

  it('reset gives the pages back, and the two-level ABI', () => {
    const fresh = twoDomains(ONE_PAGE_KERNEL);
    const m = op(raised(withPorts(2), 1), 'reset', { dom: SELF });
    expect(m.rc).toBe(0);
    expect(fifo(m.machine)).toBeUndefined();
    for (const va of [CONTROL, ARRAY]) expect(frame(m.machine, frameAt(fresh, DOM0, va))).toEqual(frame(fresh, frameAt(fresh, DOM0, va)));
    expect(op(m.machine, 'bind_ipi', { vcpu: 0 }).out['port']).toBe(1);
  });

  it('work between domains of different ABIs', () => {
    const base = withPorts(0);
    const port = op(base, 'alloc_unbound', { dom: SELF, remote_dom: 1 });
    const joined = op(port.machine, 'bind_interdomain', { remote_dom: 0, remote_port: 1 }, DOM1);
    const pending = read(joined.machine.memory, domainOf(joined.machine, 1).sharedInfo, shared_info.fields.evtchn_pending.at, 1).lo;
    expect([pending, word(joined.machine, 1)]).toEqual([2, 0]);
    expect(word(op(joined.machine, 'send', { port: 1 }, DOM1).machine, 1)).toBe(P + L);
  });
});

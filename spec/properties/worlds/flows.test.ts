/** What each flow allows, and by how little a change misses it. Domain 1 looks on, and domain 2 acts, if not said otherwise. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shared_info, vcpu_info } from '../../abi/xen.ts';
import { frame, port, vcpu } from '../testing/small_machine.ts';
import { CHANGING_FLOWS, DECLARED_FLOWS } from './flows.ts';
import { bits, bytes, turn } from './testing/turn.ts';

const { allows: channel } = CHANGING_FLOWS['flow/channel'];
const { allows: controlled } = CHANGING_FLOWS['flow/controlled'];
const { allows: frameNumbers } = CHANGING_FLOWS['flow/frame-numbers'];

const end = (number: number, remote_dom: number) => port(number, { status: 'interdomain', remote_dom, remote_port: 1 });

test('each flow is a sentence of its own', () => {
  const all = [...Object.values(CHANGING_FLOWS).map(({ states }) => states), ...Object.values(DECLARED_FLOWS)];
  for (const sentence of all) expect(sentence).toMatch(/^[A-Z].{40,}\.$/);
  expect(new Set(all).size).toBe(all.length);
});

test('a port may change when it led or leads to the one who acts', () => {
  const change = (before: number | null, after: number | null) => ({
    ...{ kind: 'port' as const, port: 3 },
    ...{ before: before === null ? undefined : end(3, before), after: after === null ? undefined : end(3, after) },
  });
  for (const [before, after] of [
    [2, 2],
    [2, null],
    [null, 2],
    [2, 3],
    [3, 2],
  ] as const)
    expect(channel(change(before, after), turn())).toBe(true);
  for (const [before, after] of [
    [3, 3],
    [3, null],
    [null, 3],
  ] as const)
    expect(channel(change(before, after), turn())).toBe(false);
  const unbound = { kind: 'port' as const, port: 3, before: port(3, { remote_dom: 2 }), after: end(3, 2) };
  expect(channel(unbound, turn())).toBe(true);
});

const CHANNELS = [
  ['that was', turn({ before: { ports: [port(1), end(3, 2)] } })],
  ['that is now', turn({ after: { ports: [port(1), end(3, 2)] } })],
] as const;
const NO_CHANNELS = [turn(), turn({ before: { ports: [end(3, 4)] }, after: { ports: [end(3, 4)] } })];

test.each(CHANNELS)('over a channel %s a vCPU wakes up, and the queues of events change; nothing else does', (_, having) => {
  for (const field of ['runstate', 'polling', 'poll_deadline', 'nmi_pending']) {
    expect(channel({ kind: 'vcpu', vcpu: 0, field }, having)).toBe(true);
    for (const without of NO_CHANNELS) expect(channel({ kind: 'vcpu', vcpu: 0, field }, without)).toBe(false);
  }
  for (const field of ['rip', 'gpr', 'online']) expect(channel({ kind: 'vcpu', vcpu: 0, field }, having)).toBe(false);
  expect(channel({ kind: 'domain', field: 'fifo' }, having)).toBe(true);
  for (const without of NO_CHANNELS) expect(channel({ kind: 'domain', field: 'fifo' }, without)).toBe(false);
  expect(channel({ kind: 'domain', field: 'runstate' }, having)).toBe(false);
  expect(channel({ kind: 'grant', ref: 1, user: 2 }, having)).toBe(false);
  expect(channel({ kind: 'frame', mfn: 0x500, before: frame(0x500), after: null }, having)).toBe(false);
});

test('in shared info a channel’s own bit changes, and what the records of vCPUs say of waiting events', () => {
  const ports = [end(3, 2), end(8, 2), end(4095, 2), end(5, 4), port(6)];
  const states = { ports, shared_info: 0x401 };
  const having = turn({ before: states, after: states });
  const allowed: string[] = [];
  for (let at = 0; at < 4096; at++)
    for (let bit = 0; bit < 8; bit++) if (channel(bytes(0x401, { at, bits: 1 << bit }), having)) allowed.push(`${at}.${bit}`);
  const record = (n: number) => [0, 8, 9, 10, 11, 12, 13, 14, 15].flatMap((at) => bits(64 * n + at));
  const pending = shared_info.fields.evtchn_pending.at;
  expect(allowed).toEqual([
    ...Array.from({ length: 32 }, (_, n) => record(n)).flat(),
    `${pending}.3`,
    `${pending + 1}.0`,
    `${pending + 511}.7`,
  ]);
  expect(channel(bytes(0x401, { at: pending, bits: 8 }, { at: pending + 1, bits: 1 }), having)).toBe(true);
  expect(channel(bytes(0x401, { at: pending, bits: 8 }, { at: pending + 1, bits: 3 }), having)).toBe(false);
  expect(channel({ kind: 'bytes', mfn: 0x401, at: null }, having)).toBe(false);
  expect(channel(bytes(0x402, { at: pending, bits: 8 }), having)).toBe(false);
  for (const without of NO_CHANNELS) expect(channel(bytes(0x401, { at: 0, bits: 1 }), without)).toBe(false);
});

test('two channels whose ports share a byte may both be raised', () => {
  const having = turn({ before: { ports: [end(3, 2)] }, after: { ports: [end(3, 2), end(1, 2)] } });
  expect(channel(bytes(0x401, { at: 2048, bits: 0b1010 }), having)).toBe(true);
  expect(channel(bytes(0x401, { at: 2048, bits: 0b1011 }), having)).toBe(false);
});

test('a vCPU’s record may lie in a page of its own, anywhere', () => {
  fc.assert(
    fc.property(fc.nat(4096 - 64), fc.nat(4095), (offset, at) => {
      const states = { ports: [end(3, 2)], vcpus: [vcpu(), vcpu({ vcpu_info: [0x510, offset] })] };
      const { evtchn_upcall_pending, evtchn_pending_sel } = vcpu_info.fields;
      const isTold = [evtchn_upcall_pending, evtchn_pending_sel].some((f) => at >= offset + f.at && at < offset + f.at + f.size);
      expect(channel(bytes(0x510, { at, bits: 1 }), turn({ before: states }))).toBe(isTold);
      expect(channel(bytes(0x511, { at, bits: 1 }), turn({ before: states }))).toBe(false);
    }),
  );
});

test.each([0, 8, 15, 63, 64, 72])('byte %i behind the beginning of a record', (at) => {
  const states = { ports: [end(3, 2)], vcpus: [vcpu({ vcpu_info: [0x510, 128] })] };
  expect(channel(bytes(0x510, { at: 128 + at, bits: 1 }), turn({ before: states }))).toBe(at < 16);
});

test('with FIFO events all of the event array and of the control blocks may change', () => {
  const fifo = {
    array: [0x510, 0x511],
    vcpus: [
      { control_block: null, tails: [] },
      { control_block: [0x512, 64] as const, tails: [] },
    ],
    kept: [],
  };
  const having = turn({ before: { ports: [end(3, 2)], fifo } });
  for (const mfn of [0x510, 0x511, 0x512]) {
    expect(channel({ kind: 'bytes', mfn, at: null }, having)).toBe(true);
    expect(channel({ kind: 'bytes', mfn, at: null }, turn({ before: { fifo } }))).toBe(false);
    expect(channel({ kind: 'frame', mfn, before: frame(mfn), after: null }, having)).toBe(false);
  }
  expect(channel({ kind: 'bytes', mfn: 0x513, at: null }, having)).toBe(false);
});

test('the control domain does anything to others by the calls that are for it', () => {
  const change = { kind: 'vcpu', vcpu: 0, field: 'rip' } as const;
  const by = (actor: number, ...calls: string[]) => controlled(change, turn({ actor, calls }));
  for (const call of ['domctl', 'memory_op', 'mmu_update', 'mmuext_op', 'update_va_mapping_otherdomain', 'hvm_op']) {
    expect(by(0, 'xen_version', call)).toBe(true);
    expect(by(2, call)).toBe(false);
  }
  expect(by(0)).toBe(false);
  expect(by(0, 'xen_version', 'grant_table_op')).toBe(false);
});

test('the machine-to-phys table tells of frames that are not the domain’s own', () => {
  const named = (mfn: number, at: number) => (mfn === 0x200 ? at >> 3 : null);
  const having = turn({ named, isOwn: (mfn) => mfn === 5 });
  expect(frameNumbers(bytes(0x200, { at: 8, bits: 1 }, { at: 48, bits: 1 }), having)).toBe(true);
  expect(frameNumbers(bytes(0x200, { at: 8, bits: 1 }, { at: 47, bits: 1 }), having)).toBe(false);
  expect(frameNumbers(bytes(0x201, { at: 8, bits: 1 }), having)).toBe(false);
  expect(frameNumbers({ kind: 'bytes', mfn: 0x200, at: null }, having)).toBe(false);
  expect(frameNumbers({ kind: 'domain', field: 'pages' }, having)).toBe(false);
});

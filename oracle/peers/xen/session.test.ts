import { afterAll, describe, expect, it } from 'vitest';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import type { Program, Step } from '#spec/program.ts';
import { buildImages } from '../../image/index.ts';
import { CRADLE_END } from '../../image/toolstack/cradle.ts';
import { emptyQcow2 } from './qcow2.ts';
import { xenPeer } from './xen.ts';

const peer = xenPeer();

it('a disk to remember on is a whole number of clusters', () => {
  expect(emptyQcow2().length % 65536).toBe(0);
});

const version = { do: 'hypercall' as const, call: 'xen_version' as const, args: [0, 0] };
const LINE = '0.1 xen_version/version rc=262161\n';
const shutdown = (reason: number): Program => ({
  steps: [
    { id: 1, ...version },
    { id: 2, do: 'end', how: 'shutdown', reason },
  ],
});
const forever: Program = {
  steps: [
    { id: 1, ...version },
    { id: 2, do: 'wait', how: 'block', timer: 'none', ns: 0 },
    { id: 3, do: 'code', code: [{ op: 'jmp', args: [{ to: 0 }] }] },
  ],
};

describe.skipIf(!peer.available)('real Xen, kept', () => {
  if (!peer.available) return;
  const session = peer.session!();
  afterAll(() => session.close());

  it('is as fresh at each run as after a boot', { timeout: 180_000 }, async () => {
    const machine = debian_4_17([dom0('', 32)]);
    for (const reason of [3, 0, 1, 4]) {
      const images = buildImages(shutdown(reason), CRADLE_END);
      const [kept, booted] = [await session.record(images, machine), await peer.record(images, machine)];
      expect(kept.ended).toEqual({ kind: 'shutdown', reason });
      expect([kept.consoles, kept.ended, kept.machine]).toEqual([booted.consoles, booted.ended, booted.machine]);
    }
  });

  it('boots an image that is not laid out for it', async () => {
    const recording = await session.record(buildImages(shutdown(2)), debian_4_17());
    expect(recording.ended).toEqual({ kind: 'shutdown', reason: 2 });
  });

  it('runs programs in domains of their own, each to its end', { timeout: 180_000 }, async () => {
    const programs = [shutdown(0), forever, shutdown(5), { steps: [{ id: 1, ...version }] }];
    const guests = programs.map((program) => ({ image: buildImages(program)[0]!, vcpus: 1 }));
    const { seen, machine } = await session.farm(guests, debian_4_17([dom0(), domU(1)]));
    expect(seen.map(({ outcome }) => outcome)).toEqual([
      { kind: 'shutdown', reason: 0 },
      { kind: 'silent' },
      { kind: 'shutdown', reason: 5 },
      { kind: 'shutdown', reason: 0 },
    ]);
    expect(seen.map(({ log }) => log.startsWith(LINE))).toEqual([true, true, true, true]);
    expect(machine.xen.minor).toBe(17);
  });

  it('runs two domains side by side, and destroys one that comes to a bad end while the other goes on', { timeout: 180_000 }, async () => {
    const status: Step = {
      ...{ id: 2, do: 'hypercall', call: 'event_channel_op' },
      args: [5, { struct: 'evtchn.status', fields: { dom: 0x7ff0, port: 1 } }],
    };
    const program: Program = { steps: [{ id: 1, domain: 1, do: 'end', how: 'shutdown', reason: 3 }, status] };
    const guests = buildImages(program, 0, [1, 2]).map((image, i) => ({ image, vcpus: 1, domid: 1 + i, beside: i === 0 }));
    const { seen } = await session.farm([...guests, { image: buildImages(shutdown(5))[0]!, vcpus: 1 }], debian_4_17([dom0(), domU(1)]));
    expect(seen.map(({ outcome }) => (outcome.kind === 'shutdown' ? outcome.reason : outcome.kind))).toEqual([0, 3, 5]);
    expect(seen[0]!.log).toMatch(/silent[\s\S]*status=1/);
  });
});

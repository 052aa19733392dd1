import { describe, expect, it } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import { writeElf } from '../../image/elf.ts';
import { buildImages } from '../../image/index.ts';
import { xenPeer } from './xen.ts';

const peer = xenPeer();
const BASE = 0x400000;

const u32 = (value: number): readonly number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];

/** A kernel that writes `text` and shuts down for `reason`; a reason below 0 spins instead. */
const kernel = (text: string, reason: number): Uint8Array => {
  const bytes = Array.from(text, (c) => c.charCodeAt(0));
  const at = BASE + 0x80;
  const code = [
    ...[0xb8, ...u32(18), 0xbf, ...u32(0), 0xbe, ...u32(bytes.length), 0xba, ...u32(at + 4), 0x0f, 0x05], // console_io(write, n, text)
    ...(reason < 0 ? [0xeb, 0xfe] : [0xb8, ...u32(29), 0xbf, ...u32(2), 0xbe, ...u32(at), 0x0f, 0x05, 0x0f, 0x0b]), // sched_op(shutdown, &reason)
  ];
  const image = new Uint8Array(0x84 + bytes.length);
  image.set(code);
  image.set(u32(reason), 0x80);
  image.set(bytes, 0x84);
  return writeElf({
    segments: [{ address: BASE, bytes: image, size: 0x2000 }],
    entry: BASE,
    virtBase: BASE,
    hypercallPage: BASE + 0x1000,
  });
};

describe.skipIf(!peer.available)('real Xen', () => {
  if (!peer.available) return;

  it.each([0, 1, 2, 3, 4, 5, 9])('ends as it was asked to: SHUTDOWN reason %i', async (reason) => {
    const { ended, consoles } = await peer.record([kernel(`bye ${reason}\n`, reason)], debian_4_17());
    expect(ended).toEqual({ kind: 'shutdown', reason });
    expect(consoles).toEqual([`bye ${reason}\n`]);
  });

  it('writes all bytes, the same ones when two boot at once', async () => {
    const text = Array.from({ length: 512 }, (_, i) => String.fromCharCode(i & 255)).join('');
    const image = kernel(text, 0);
    const both = await Promise.all([peer.record([image], debian_4_17()), peer.record([image], debian_4_17([dom0('a,b c', 64)]))]);
    expect(both.flatMap((r) => r.consoles)).toEqual([text, text]);
    expect(both[1]!.machine.xen.commandline).toMatch(/dom0_mem=64M/);
  });

  it('runs two domains, and tells their consoles apart', async () => {
    const version = { do: 'hypercall' as const, call: 'xen_version' as const, args: [0, 0] };
    const steps = [
      { id: 0, ...version },
      { id: 1, domain: 1, ...version },
      { id: 2, ...version },
    ];
    const { ended, consoles } = await peer.record(buildImages({ steps }), debian_4_17([dom0(), domU(1)]));
    expect(ended).toEqual({ kind: 'shutdown', reason: 0 });
    expect(consoles).toEqual([
      '0.0 xen_version/version rc=262161\n0.2 xen_version/version rc=262161\n',
      '0.1 xen_version/version rc=262161\n',
    ]);
  });

  it('is given up on when it does not end, and the loss is marked', async () => {
    const { ended, records } = await peer.record([kernel('half a line', -1)], debian_4_17(), { timeoutSeconds: 2 });
    expect(ended).toEqual({ kind: 'timeout', seconds: 2 });
    expect(records.map((r) => r.record)).toEqual(['lost', 'end']);
  });

  it('refuses what is no kernel, and says why', async () => {
    const { ended } = await peer.record([new Uint8Array(64)], debian_4_17());
    expect(ended.kind).toBe('refused');
  });

  it('does not start what it cannot be', async () => {
    await expect(peer.record([kernel('', 0)], debian_4_17([dom0(), { ...dom0(), domid: 2 }]))).rejects.toThrow(BadInput);
  });
});

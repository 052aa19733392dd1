import { expect, it } from 'vitest';
import type { Program } from '#spec/program.ts';
import { loadEngine } from '../engines.ts';
import { asPair, canBePair } from './pair.ts';
import { domuBatches, domuImages, farmMachine } from './subject.ts';
import { showDomu } from './witness.ts';

const program: Program = {
  steps: [
    {
      id: 1,
      do: 'hypercall',
      call: 'event_channel_op',
      args: [6, { struct: 'evtchn.alloc_unbound', fields: { dom: 0x7ff0, remote_dom: 1 } }],
    },
    { id: 2, domain: 1, do: 'hypercall', call: 'mmu_update', args: [0, 1, 0, 0] },
    { id: 3, domain: 1, do: 'grant_entry', ref: 9, flags: 1, domid: 0, frame: { page: 5, as: 'mfn' } },
    { id: 4, do: 'hypercall', call: 'multicall', args: [{ calls: [{ call: 'mmuext_op', args: [0, 0, 0, 1] }] }, 1] },
  ],
};

it('names the partner by its new number, and nothing else', () => {
  const [alloc, update, grant, list] = asPair(program).steps as unknown as [
    { args: [number, { fields: unknown }] },
    { args: number[] },
    { domid: number },
    { args: [{ calls: { args: number[] }[] }, number] },
  ];
  expect(alloc.args[1].fields).toEqual({ dom: 0x7ff0, remote_dom: 2 });
  expect(update.args).toEqual([0, 1, 0, 1]);
  expect(grant.domid).toBe(1);
  expect(list.args[0].calls[0]!.args).toEqual([0, 0, 0, 2]);
});

it('keeps away from what domain 0 alone can do', () => {
  expect(canBePair(program)).toBe(true);
  expect(canBePair({ ...program, vcpus: 2 })).toBe(false);
  expect(canBePair({ steps: [...program.steps, { id: 5, do: 'rest' }] })).toBe(false);
});

/** The second domain crashes in its turn; the first looks at the port that they had. Its page is still mapped by the first, so that it stays as a dying one. */
const dies: Program = {
  steps: [
    { id: 1, do: 'hypercall', call: 'event_channel_op', args: [5, { struct: 'evtchn.status', fields: { dom: 0x7ff0, port: 1 } }] },
    { id: 2, domain: 1, do: 'end', how: 'shutdown', reason: 3 },
    { id: 3, do: 'hypercall', call: 'event_channel_op', args: [5, { struct: 'evtchn.status', fields: { dom: 0x7ff0, port: 1 } }] },
    {
      id: 4,
      do: 'hypercall',
      call: 'event_channel_op',
      args: [6, { struct: 'evtchn.alloc_unbound', fields: { dom: 1, remote_dom: 0x7ff0 } }],
    },
  ],
};

it.each(['model', 'executor'] as const)('%s: of two domains one dies and is destroyed while the other goes on', async (name) => {
  const batch = domuBatches([{ seed: 1, work: 'mixed', program: dies }], 1);
  expect(batch).toHaveLength(1);
  const { lines, end } = showDomu(await loadEngine(name), farmMachine(1), domuImages(batch[0]!.programs[0]!), 1);
  expect(end).toBe('shutdown 0, shutdown 3');
  expect(lines.map((line) => line.replace(/\s+/g, ' '))).toEqual([
    expect.stringMatching(/^0\.1 .* rc=0 status=2/),
    expect.stringContaining('silent'),
    expect.stringMatching(/^0\.3 .* rc=0 status=1/),
    expect.stringMatching(/^0\.4 .* rc=-22/),
    expect.stringMatching(/^1> 0\.2 end/),
  ]);
});

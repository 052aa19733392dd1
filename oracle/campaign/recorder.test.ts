import { expect, it } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { imagesOf } from '#traces/file.ts';
import { replay } from '#traces/replay.ts';
import { parseTrace, printTrace } from '#traces/text.ts';
import { buildImages } from '../image/index.ts';
import type { Ended, Peer } from '../peers/peer.ts';
import { recordsOf } from '../peers/records.ts';
import { loadEngine } from './engines.ts';
import { DEFAULT_POLICY, Environment } from './environment.ts';
import { evidenceOf } from './evidence.ts';
import { engineRecorder, peerRecorder, programData, traceOf, transcript } from './recorder.ts';

const program = { steps: [{ id: 0, do: 'hypercall' as const, call: 'xen_version' as const, args: [0, 0] }] };
const images = buildImages(program);
const subject = { title: 'a test', program: programData(program), seed: 7, clauses: [] };

const peer = (console: string, ended: Ended): Peer => ({
  available: true,
  name: 'xen',
  version: '4.17.7',
  details: { qemu: '7.2' },
  release: '4.17',
  width: 1,
  domains: 1,
  record: async (_, machine) => ({ machine, ended, consoles: [console], remarks: [], seconds: 0, records: recordsOf([console], ended) }),
});

it.each(['model', 'executor'] as const)('a run of the %s is a trace that both engines repeat', async (name) => {
  const recorder = await engineRecorder(name, '1');
  const seen = await recorder.record(images, debian_4_17());
  expect(seen).toMatchObject({ reason: 0, why: null, consoles: ['0.0 xen_version/version rc=262161\n'] });
  expect(transcript(seen)).toEqual(['0.0 xen_version/version rc=262161']);
  const trace = traceOf(recorder, images, seen, subject);
  expect(parseTrace(printTrace(trace), 'test')).toEqual(trace);
  for (const other of ['model', 'executor'] as const) {
    const verdict = replay(await loadEngine(other), trace, imagesOf(trace.header), new Environment(DEFAULT_POLICY, 1_000_000));
    expect(verdict).toMatchObject({ verdict: 'accepted' });
  }
});

it("a peer's run is judged by what it showed", async () => {
  const good = peerRecorder(peer('0.0 xen_version/version rc=262161\n', { kind: 'shutdown', reason: 0 }));
  const trace = traceOf(good, images, await good.record(images, debian_4_17()), subject);
  expect(await evidenceOf(trace)).toContain('version/version');
  const bad = peerRecorder(peer('0.0 xen_version/version rc=1\n', { kind: 'shutdown', reason: 0 }));
  const other = traceOf(bad, images, await bad.record(images, debian_4_17()), subject);
  expect(await evidenceOf(other)).toEqual([]);
});

it.each([
  [{ kind: 'timeout', seconds: 3 } as const, 'no end within 3 s'],
  [{ kind: 'refused', why: 'no kernel' } as const, 'refused: no kernel'],
  [{ kind: 'stopped', why: 'gone' } as const, 'stopped: gone'],
])('a run without an end says why: %o', async (ended, why) => {
  expect(await peerRecorder(peer('x', ended)).record(images, debian_4_17())).toMatchObject({ reason: null, why });
});

it('what is not modelled is an end of its own, and a bad image is bad input', async () => {
  const recorder = await engineRecorder('model', '1');
  const foreign = buildImages({ steps: [{ id: 0, do: 'hypercall', call: 'xenoprof_op', args: [14] }] });
  expect(await recorder.record(foreign, debian_4_17())).toMatchObject({ reason: null, why: 'not modelled: xenoprof_op' });
  await expect(recorder.record([new Uint8Array(10)], debian_4_17())).rejects.toThrow(BadInput);
});

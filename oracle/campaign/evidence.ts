/** Which clauses a recording is evidence for: those that the model cited on its way to the same console and the same end. */

import { imagesOf } from '#traces/file.ts';
import type { Trace } from '#traces/format.ts';
import { replay } from '#traces/replay.ts';
import { buildImages } from '../image/index.ts';
import { loadEngine } from './engines.ts';
import { DEFAULT_POLICY, Environment } from './environment.ts';

const LIMIT = 50_000_000;

/** What every image cites before its first step and after its last: no script is about that. */
let common: ReadonlySet<string> | null = null;

const citedBy = async (trace: Trace, images: readonly Uint8Array[]): Promise<readonly string[] | null> => {
  const verdict = replay(await loadEngine('model'), trace, images, new Environment(trace.header.policy ?? DEFAULT_POLICY, LIMIT));
  return verdict.verdict === 'accepted' ? verdict.clauses : null;
};

/** Ascending; empty when the model does not accept the recording. */
export const evidenceOf = async (trace: Trace): Promise<readonly string[]> => {
  const images = imagesOf(trace.header);
  const cited = await citedBy(trace, images);
  if (cited === null) return [];
  if (common === null) {
    // An empty program, replayed against nothing but its end.
    const [empty] = buildImages({ steps: [] }) as [Uint8Array];
    const machine = { ...trace.header.machine, domains: trace.header.machine.domains.slice(0, 1) };
    const header: Trace['header'] = { ...trace.header, machine, visible: ['end'], images: [{ ...trace.header.images[0]!, elf: '' }] };
    const nothing: Trace = { header, records: [{ record: 'end', finish: 'halted', reason: 0, retired: null }] };
    common = new Set((await citedBy(nothing, [empty])) ?? []);
  }
  return cited.filter((clause) => !common!.has(clause)).sort();
};

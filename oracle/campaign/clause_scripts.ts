/**
 * Which recorded scripts exercise which clauses. Measured: the model cites a clause where it applies it, so what it cites while it carries out a
 * recording, to the end that real Xen came to, was exercised by it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CLAUSES, type ClauseId } from '#spec/clauses.ts';
import { BadInput } from '#spec/failure.ts';
import { REFERENCE_RELEASE, XEN_RELEASES } from '#spec/releases/release.ts';
import { imagesOf, readTrace } from '#traces/file.ts';
import { type ReplayVerdict, replay } from '#traces/replay.ts';
import { whyWithoutScript } from './clauses_without_script.ts';
import { RECORDED_FOLDER, recordedFolder } from './conformance.ts';
import { type EngineName, loadEngine } from './engines.ts';
import { DEFAULT_POLICY, Environment } from './environment.ts';

const STEPS = 50_000_000;

/**
 * Recordings of real Xen by their paths below the folder of recordings: the reference's, and those of other releases. Throws BadInput where there are
 * none.
 */
export const recordings = (): readonly string[] => {
  if (!existsSync(RECORDED_FOLDER)) throw new BadInput('recorded scripts are part of a checkout, and there is none here');
  return XEN_RELEASES.flatMap((release) =>
    readdirSync(recordedFolder(release))
      .filter((file) => file.endsWith('.trace.gz'))
      .sort()
      .map((file) => (release === REFERENCE_RELEASE ? file : join(release, file))),
  );
};

/** One of `recordings()`, carried out by an engine. */
export const carryOut = async (engine: EngineName, file: string): Promise<ReplayVerdict> => {
  const trace = await readTrace(join(RECORDED_FOLDER, file));
  return replay(await loadEngine(engine), trace, imagesOf(trace.header), new Environment(trace.header.policy ?? DEFAULT_POLICY, STEPS));
};

/** A clause, the recordings that exercise it, and, when there are none, the reason. */
export type ClauseScripts = { readonly clause: ClauseId; readonly scripts: readonly string[]; readonly why: string | null };

/** Every clause, from what the model cited for each recording. */
export const scriptsByClause = (cited: ReadonlyMap<string, readonly string[]>): readonly ClauseScripts[] => {
  const found = new Map<string, string[]>();
  for (const [file, clauses] of cited)
    for (const clause of clauses) found.set(clause, [...(found.get(clause) ?? []), file.replace(/\.trace\.gz$/, '')]);
  return (Object.keys(CLAUSES) as ClauseId[]).map((clause) => {
    const scripts = found.get(clause) ?? [];
    return { clause, scripts, why: scripts.length > 0 ? null : whyWithoutScript(clause) };
  });
};

/** The whole measurement, some seconds: `progress` after each recording. */
export const measureScripts = async (progress: () => void = () => {}): Promise<readonly ClauseScripts[]> => {
  const cited = new Map<string, readonly string[]>();
  for (const file of recordings()) {
    const verdict = await carryOut('model', file);
    if (verdict.verdict === 'accepted') cited.set(file, verdict.clauses);
    progress();
  }
  return scriptsByClause(cited);
};

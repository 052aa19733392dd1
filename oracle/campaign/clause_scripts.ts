/**
 * Which scripts exercise which clauses. Measured: the model cites a clause where it applies it, so what it cites while it carries out a recording, to the
 * end that real Xen came to, was exercised by it. Some recordings are carried out once more with long calls stopped at every question, and must end
 * alike; scripts of 32-bit guests, which no Xen could be asked for, count when they go as model and executor agreed; and those of the processor and of
 * the machine without Xen, when the model answers as their judge did.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CLAUSES, type ClauseId } from '#spec/clauses.ts';
import type { Status } from '#spec/engine.ts';
import { BadInput } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import { REFERENCE_RELEASE, XEN_RELEASES } from '#spec/releases/release.ts';
import { imagesOf, readTrace } from '#traces/file.ts';
import { type ReplayVerdict, replay } from '#traces/replay.ts';
import { whyWithoutScript } from './clauses_without_script.ts';
import { RECORDED_FOLDER, recordedFolder } from './conformance.ts';
import { type EngineName, loadEngine } from './engines.ts';
import { DEFAULT_POLICY, Environment, type Finish } from './environment.ts';
import { EVERY } from './preemption.ts';
import { carryOutPv32, isAsExpected, readPv32Scripts } from './pv32/scripts.ts';
import { X86Machines } from './x86_scripts/carry_out.ts';
import { readX86Scripts } from './x86_scripts/scripts.ts';

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

/** Xen's questions whether to stop a long call are answered with yes. */
class Stopping extends Environment {
  override next(status: Status): Input | Finish {
    const next = super.next(status);
    return typeof next === 'object' && next.kind === 'execute' ? { ...next, preempt: [...EVERY] } : next;
  }
}

/** One of `recordings()`, carried out by an engine; `stopped`: with long calls stopped wherever they can be. */
export const carryOut = async (engine: EngineName, file: string, stopped = false): Promise<ReplayVerdict> => {
  const trace = await readTrace(join(RECORDED_FOLDER, file));
  const policy = trace.header.policy ?? DEFAULT_POLICY;
  const environment = stopped ? new Stopping(policy, STEPS) : new Environment(policy, STEPS);
  return replay(await loadEngine(engine), trace, imagesOf(trace.header), environment);
};

/** Recordings with long calls, which are carried out a second time too, stopped wherever they can be. */
export const STOPPED: readonly string[] = [
  'memory_op-exchange',
  'page_type-tree',
  'stopped-calls',
  'two_domains-destroy',
  'two_domains-frames_many',
].map((name) => `${name}.trace.gz`);
const STOPPED_MARK = ', stopped at every question';

/** What the model cites for scripts that are carried out otherwise than as real Xen was recorded, by their names. */
export const citedBeyondRecordings = async (): Promise<ReadonlyMap<string, readonly string[]>> => {
  const cited = new Map<string, readonly string[]>();
  for (const file of STOPPED) {
    const verdict = await carryOut('model', file, true);
    if (verdict.verdict === 'accepted') cited.set(`${file.replace(/\.trace\.gz$/, '')}${STOPPED_MARK}`, verdict.clauses);
  }
  const model = await loadEngine('model');
  for (const { name, script } of readPv32Scripts()) {
    const carried = carryOutPv32(model, script);
    if (isAsExpected(script, carried)) cited.set(name, [...carried.clauses]);
  }
  const machines = await X86Machines.load();
  for (const { name, script } of readX86Scripts()) {
    const { answer, clauses } = await machines.carryOut('model', script);
    if (answer.length === 0) cited.set(name, clauses);
  }
  return cited;
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

/** What the model cites for each recording of real Xen that it accepts: `progress` after each. */
export const citedByRecordings = async (progress: () => void = () => {}): Promise<Map<string, readonly string[]>> => {
  const cited = new Map<string, readonly string[]>();
  for (const file of recordings()) {
    const verdict = await carryOut('model', file);
    if (verdict.verdict === 'accepted') cited.set(file, verdict.clauses);
    progress();
  }
  return cited;
};

/** The whole measurement, some seconds: `progress` after each recording. */
export const measureScripts = async (progress: () => void = () => {}): Promise<readonly ClauseScripts[]> => {
  const cited = await citedByRecordings(progress);
  for (const [name, clauses] of await citedBeyondRecordings()) cited.set(name, clauses);
  return scriptsByClause(cited);
};

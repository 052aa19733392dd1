/** The conformance scripts of this checkout, and the recordings made from them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BadInput } from '#spec/failure.ts';
import { CHANGES } from '#spec/releases/changes.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { type Conformance, parseConformance, printConformance } from '#traces/conformance.ts';
import { writeTrace } from '#traces/file.ts';
import { buildImages } from '../image/index.ts';
import { evidenceOf } from './evidence.ts';
import { programData, type Recorder, type Seen, traceOf, transcript } from './recorder.ts';
import { machineFor } from './seed_recordings.ts';

export const CONFORMANCE_FOLDER = fileURLToPath(new URL('../../traces/conformance/', import.meta.url));
export const RECORDED_FOLDER = fileURLToPath(new URL('../../traces/recorded/', import.meta.url));

/** Recordings of a release: the reference's own lie in the folder itself. */
export const recordedFolder = (release: XenRelease): string =>
  release === REFERENCE_RELEASE ? RECORDED_FOLDER : join(RECORDED_FOLDER, release);

export type Script = { readonly name: string; readonly path: string; readonly script: Conformance };

/** All scripts, by name. Throws BadInput for one that is not valid, or when this is no checkout. */
export const readScripts = (folder = CONFORMANCE_FOLDER): readonly Script[] => {
  if (!existsSync(folder)) throw new BadInput('conformance scripts are part of a checkout, and there is none here');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      return { name: file.slice(0, -'.json'.length), path, script: parseConformance(readFileSync(path, 'utf8'), file) };
    });
};

/** Those that show what a release changed: the others are the reference's alone. */
export const showsChange = ({ name }: Script): boolean => Object.values(CHANGES).some(({ shown }) => shown.script === name);

export const recordedPath = (name: string, folder = RECORDED_FOLDER): string => join(folder, `${name}.trace.gz`);

/**
 * Run a script, and write down what was seen: the trace into `folder`, and, when `update`, the expected lines into the script. A run without an end
 * is reported, never written.
 */
export const recordScript = async (
  recorder: Recorder,
  { name, path, script }: Script,
  folder: string,
  update: boolean,
  release: XenRelease = REFERENCE_RELEASE,
): Promise<Seen> => {
  const program = release === REFERENCE_RELEASE ? script.program : { ...script.program, release };
  const images = buildImages(program);
  const seen = await recorder.record(images, machineFor(program));
  if (seen.reason === null) return seen;
  const subject = { title: `${name}: ${script.title}`, program: programData(program), seed: null };
  const clauses = [...(await evidenceOf(traceOf(recorder, images, seen, { ...subject, clauses: [] })))];
  if (update) {
    const { name: producer, version } = recorder.producer;
    const expected = { producer, version, console: [...transcript(seen)], reason: seen.reason };
    writeFileSync(path, printConformance({ ...script, clauses, expected }));
  }
  writeTrace(recordedPath(name, folder), traceOf(recorder, images, seen, { ...subject, clauses }));
  return seen;
};

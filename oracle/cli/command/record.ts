/** `xenspec record`: run images, generated programs or conformance scripts, and write down what was seen as traces. */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Command, Option } from 'commander';
import { BadInput } from '#spec/failure.ts';
import { debian } from '#spec/machines/debian.ts';
import { REFERENCE_RELEASE, XEN_RELEASES, type XenRelease } from '#spec/releases/release.ts';
import { writeTrace } from '#traces/file.ts';
import { Answers } from '../../campaign/answers.ts';
import { readScripts, recordedFolder, recordScript, showsChange } from '../../campaign/conformance.ts';
import { ENGINES, type EngineName } from '../../campaign/engines.ts';
import { engineRecorder, peerRecorder, type Recorder, type Seen, traceOf, transcript } from '../../campaign/recorder.ts';
import { findPeer, PEERS, type PeerName } from '../../peers/peers.ts';
import { EXIT } from '../exit_code.ts';
import { CommandFailure } from '../failure.ts';
import { onFile, readImage } from '../files.ts';
import { seedRange, wholeNumber } from '../option.ts';
import { Progress, percent, table } from '../table.ts';
import { version } from '../version.ts';
import { recordIsa } from './record_isa.ts';

type RecorderName = PeerName | EngineName;
type Options = {
  peer: RecorderName;
  xen: XenRelease;
  seeds?: { readonly first: number; readonly last: number };
  batch: number;
  conformance?: true;
  pv32?: true;
  isa?: string;
  stats?: true;
  out?: string;
  json?: true;
};
/** One thing to record; `run` writes the trace itself when the run has an end. */
type Job = { readonly name: string; readonly run: () => Promise<Seen> };
export type Recorded = {
  readonly name: string;
  readonly lines: number;
  readonly reason: number | null;
  readonly why: string | null;
  readonly seconds: number;
};

/** Throws CommandFailure when the peer is not on this machine. */
export const recorderNamed = async (name: RecorderName, release: XenRelease = REFERENCE_RELEASE): Promise<Recorder> => {
  if ((ENGINES as readonly string[]).includes(name)) return engineRecorder(name as EngineName, version());
  const peer = findPeer(name as PeerName, release);
  if (!peer.available) throw new CommandFailure(EXIT.unavailable, `peer ${peer.name}: ${peer.why}`);
  return peerRecorder(peer);
};

const nameOf = (path: string): string => basename(path).replace(/\.elf$/, '');

const imageJob = (recorder: Recorder, path: string, folder: string, release: XenRelease): Job => {
  const name = nameOf(path);
  const image = readImage(path);
  const run = async (): Promise<Seen> => {
    const seen = await recorder.record([image], debian(release));
    const subject = { title: basename(path), program: null, seed: null, clauses: [] };
    if (seen.reason !== null) writeTrace(join(folder, `${name}.trace.gz`), traceOf(recorder, [image], seen, subject));
    return seen;
  };
  return { name, run };
};

const jobsOf = async (recorder: Recorder, images: readonly string[], options: Options, folder: string): Promise<readonly Job[]> => {
  if (options.conformance)
    // Scripts hold what real Xen did; an engine's run of them is a trace, never the expectation.
    return readScripts()
      .filter((script) => options.xen === REFERENCE_RELEASE || showsChange(script))
      .map((script) => ({
        name: script.name,
        run: () =>
          recordScript(recorder, script, folder, recorder.producer.name === 'xen' && options.xen === REFERENCE_RELEASE, options.xen),
      }));
  if (options.seeds)
    return (await import('../../campaign/seed_recordings.ts')).seedJobs(recorder, options.seeds, options.batch, folder, options.xen);
  const twice = images.find((path, i) => images.findIndex((other) => nameOf(other) === nameOf(path)) < i);
  if (twice !== undefined) throw new BadInput(`${twice}: another image has the same name, and its trace would be overwritten`);
  return images.map((path) => imageJob(recorder, path, folder, options.xen));
};

/** Scripts of 32-bit guests, which no Xen could be asked for: both machines are. */
const recordPv32 = async (json: boolean): Promise<number> => {
  const results = await (await import('../../campaign/pv32/record_scripts.ts')).recordPv32Scripts();
  if (json) process.stdout.write(`${JSON.stringify({ results }, null, 2)}\n`);
  else {
    const rows = results.map(({ name, events, finish, agreed }) => [name, events, agreed ? finish : 'the machines part: left as it was']);
    process.stdout.write(`${table(['script', 'events', 'end'], rows)}\n`);
  }
  return results.every(({ agreed }) => agreed) ? EXIT.ok : EXIT.divergence;
};

export const recordCommand = async (images: readonly string[], options: Options): Promise<number> => {
  if (options.isa !== undefined) {
    if (images.length > 0 || options.conformance || options.pv32) throw new BadInput('--isa goes with --seeds and --json alone');
    return recordIsa(options.isa, options);
  }
  const asked = [images.length > 0, options.seeds !== undefined, options.conformance === true, options.pv32 === true];
  if (asked.filter((given) => given).length !== 1) throw new BadInput('one of images, --seeds, --conformance, --pv32 and --isa is needed');
  if (options.pv32) return recordPv32(options.json === true);
  const recorder = await recorderNamed(options.peer, options.xen);
  const folder = options.out ?? (options.conformance && options.peer === 'xen' ? recordedFolder(options.xen) : 'recordings');
  onFile(folder, () => mkdirSync(folder, { recursive: true }));
  const jobs = await jobsOf(recorder, images, options, folder);
  const progress = new Progress(`record on ${options.peer}`, jobs.length);
  const results: Recorded[] = [];
  const answers = new Answers();
  const waiting = [...jobs.entries()];
  const started = performance.now();
  const serve = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [place, job] = next;
      const seen = await job.run();
      const { reason, why, seconds } = seen;
      const lines = transcript(seen);
      results[place] = { name: job.name, lines: lines.length, reason, why, seconds };
      answers.add(lines.join('\n'));
      progress.step();
    }
  };
  await Promise.all(Array.from({ length: recorder.width }, serve));
  progress.done();
  report(results, (performance.now() - started) / 1000, folder, answers, options);
  return results.some((r) => r.reason === null) ? EXIT.inconclusive : EXIT.ok;
};

const report = (results: readonly Recorded[], seconds: number, folder: string, answers: Answers, options: Options): void => {
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ recorder: options.peer, folder, seconds, results, operations: answers }, null, 2)}\n`);
    return;
  }
  const rows = results.map((r) => [
    r.name,
    r.lines,
    r.reason === null ? (r.why ?? 'no end') : `shutdown ${r.reason}`,
    r.seconds.toFixed(2),
  ]);
  const written = results.filter((r) => r.reason !== null).length;
  process.stdout.write(`${table(['recording', 'lines', 'end', 'seconds'], rows)}\n`);
  if (options.stats) {
    const shares = answers.rows().map((r) => [r.operation, r.calls, r.passed, percent(r.passed, r.calls), r.refusals.join(', ')]);
    process.stdout.write(`${table(['operation', 'calls', 'passed', 'share', 'refusals'], shares)}\n`);
  }
  process.stdout.write(`${written} of ${results.length} recorded on ${options.peer} in ${seconds.toFixed(1)} s, into ${folder}\n`);
};

export const addRecord = (program: Command, done: (code: number) => void): void => {
  program
    .command('record')
    .description('run images, generated programs or the conformance scripts on real Xen, and write down what was seen as traces')
    .argument('[image...]', 'ELF files with Xen notes, each recorded as domain 0')
    .addOption(new Option('--peer <name>', 'who runs them').choices([...PEERS, ...ENGINES]).default('xen'))
    .addOption(new Option('--xen <release>', 'release of Xen').choices([...XEN_RELEASES]).default(REFERENCE_RELEASE))
    .option('--seeds <A..B>', 'generated programs of these seeds', seedRange)
    .option('--batch <programs>', 'generated programs in one boot', wholeNumber(1, 64), 8)
    .option(
      '--conformance',
      'the scripts of traces/conformance, into traces/recorded; on real Xen also their expected lines; with --xen those that show what a release changed',
    )
    .option('--pv32', 'the scripts of 32-bit guests in traces/conformance/pv32, which no Xen could be asked for: what both machines do')
    .option(
      '--isa <name>',
      'the scripts of the processor and of the machine without Xen in traces/conformance/x86 and bare: what QEMU, Bochs and this processor answer; clauses without a script get one, drawn from --seeds (1..4000)',
    )
    .option('--stats', 'how many hypercalls of each operation passed the checks')
    .option('--out <directory>', 'where traces go (default: recordings)')
    .option('--json', 'machine-readable result')
    .addHelpText(
      'after',
      '\nExamples:\n  xenspec record hello.elf --out recordings\n  xenspec record --seeds 1..100 --batch 10\n  xenspec record --conformance\n  xenspec record --pv32\n  xenspec record --isa x86 --seeds 1..4000',
    )
    .action(async (images: string[], options: Options) => done(await recordCommand(images, options)));
};

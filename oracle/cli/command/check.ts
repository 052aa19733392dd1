/** `xenspec check`: the campaign. Recorded traces on both engines, then fresh programs in lockstep, then a verdict. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Boot } from '#spec/engine.ts';
import { REFERENCE_RELEASE, XEN_RELEASES, type XenRelease } from '#spec/releases/release.ts';
import { runCampaign } from '../../campaign/campaign.ts';
import { recordedFolder } from '../../campaign/conformance.ts';
import { writeCounterexample } from '../../campaign/counterexample.ts';
import { ENGINES, loadEngine } from '../../campaign/engines.ts';
import type { Explored } from '../../campaign/exhaustive/slice.ts';
import type { Hunted } from '../../campaign/hunt/slice.ts';
import type { WorldsSlice } from '../../campaign/worlds/slice.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { canPlant, hasLoaderHooks, MACHINE_MUTANTS, plantMutant } from '../mutant.ts';
import { seedRange, wholeNumber } from '../option.ts';
import { Progress } from '../table.ts';
import { version } from '../version.ts';
import { addBareOptions, type BareOptions, checkBare } from './check_bare.ts';
import { addClausesOptions, type ClausesCommandOptions, checkClauses } from './check_clauses.ts';
import { addCrowdOptions, type CrowdCommandOptions, checkCrowdsCommand } from './check_crowds.ts';
import { addDom0Options, checkDom0, type Dom0Options } from './check_dom0.ts';
import { addExhaustiveOptions, checkExhaustive, checkInductive, type ExhaustiveOptions } from './check_exhaustive.ts';
import { addHypercallOptions, checkHypercalls, type HypercallOptions } from './check_hypercalls.ts';
import { addIsaOptions, checkIsa, type IsaOptions } from './check_isa.ts';
import { kindOf, refuseOthers } from './check_kind.ts';
import { addOrderOptions, checkOrderCommand, type OrderOptions } from './check_order.ts';
import { addPeerOptions, checkPeer, type PeerOptions } from './check_peer.ts';
import { addPreemptOptions, checkPreempt, type PreemptOptions } from './check_preempt.ts';
import { addPv32Options, checkPv32Command, type Pv32CommandOptions } from './check_pv32.ts';
import { type Checked, checkJson, checkTable, coverageTable, findings, verdictOf } from './check_report.ts';
import { addWorldsOptions, checkWorldsCommand, type WorldsCommandOptions } from './check_worlds.ts';
import { type Replayed, replayFile } from './replay.ts';

type Options = IsaOptions &
  BareOptions &
  Dom0Options &
  PeerOptions &
  HypercallOptions &
  PreemptOptions &
  Pv32CommandOptions &
  CrowdCommandOptions &
  ClausesCommandOptions &
  OrderOptions &
  WorldsCommandOptions &
  ExhaustiveOptions & {
    xen?: XenRelease;
    seeds?: { readonly first: number; readonly last: number };
    programs?: number;
    peer?: string;
    mutant?: string;
    budget?: number;
    out: string;
    keepGoing?: true;
    traces: boolean;
    coverage?: true;
    json?: true;
  };

/** Fresh programs when nobody says how many, and the seconds after which a slow machine starts no more of them. */
const PROGRAMS = 2000;
const BUDGET_SECONDS = 45;
/** No further small machine is begun after so long. */
const EXPLORE_MS = 4000;
/** The hunt for planted advisories ends by then. */
const HUNT_MS = 6000;
const HUNT_EACH_MS = 3000;

/** Paths of the recorded traces that come with the project. */
export const recordedTraces = (folders: readonly string[] = XEN_RELEASES.map(recordedFolder)): readonly string[] =>
  folders.flatMap((folder) =>
    onFile(folder, () =>
      readdirSync(folder)
        .filter((file) => file.endsWith('.trace.gz'))
        .sort()
        .map((file) => join(folder, file)),
    ),
  );

function* seedsOf(first: number, last: number): Generator<number> {
  for (let seed = first; seed <= last; seed++) yield seed;
}

const replayAll = async (paths: readonly string[]): Promise<readonly Replayed[]> => {
  const progress = new Progress('recorded traces', paths.length * ENGINES.length);
  const results: Replayed[] = [];
  for (const path of paths) {
    results.push(...(await replayFile(path, ENGINES)));
    progress.step(ENGINES.length);
  }
  progress.done();
  return results;
};

/** After a mutant is planted: the model is loaded here. */
const exploreSmallMachines = async (): Promise<Explored> => {
  const { exploreSlice, SLICE } = await import('../../campaign/exhaustive/slice.ts');
  const machines = new Progress('small machines of the model', SLICE.length);
  const explored = await exploreSlice(EXPLORE_MS, () => machines.step());
  machines.done();
  return explored;
};

/** Whether the campaign sees: published defects, planted in a thread of their own. null where sources are not to be had. */
const huntAdvisories = async (first: number): Promise<Hunted | null> => {
  if (!canPlant() || !hasLoaderHooks()) return null;
  const { foundSoon, huntSlice } = await import('../../campaign/hunt/slice.ts');
  const { measured } = await import('../../campaign/hunt/measured.ts');
  const ids = foundSoon(measured());
  const progress = new Progress('planted advisories', ids.length);
  const hunted = await huntSlice(ids, { first, budgetMs: HUNT_MS, eachMs: HUNT_EACH_MS, onHunt: () => progress.step() });
  progress.done();
  return hunted;
};

/** As long as it takes for the pairs of a slice to be over by number or by time. */
const compareWorlds = async (pair: Readonly<Record<'reference' | 'subject', Boot>>, first: number): Promise<WorldsSlice> => {
  const { SLICE, worldsSlice } = await import('../../campaign/worlds/slice.ts');
  const progress = new Progress('pairs of worlds', SLICE.model.runs + SLICE.executor.runs);
  const slice = worldsSlice({ model: pair.reference, executor: pair.subject }, first, () => progress.step());
  progress.done();
  return slice;
};

/** `whole`: the campaign as it is when nobody chooses programs, with small machines, pairs of worlds and planted advisories. */
const checkEngines = async (first: number, programs: number, budget: number | null, whole: boolean, options: Options): Promise<Checked> => {
  const replayed = options.traces ? await replayAll(recordedTraces()) : [];
  const progress = new Progress('programs, model against executor', programs);
  const result = await runCampaign({
    seeds: seedsOf(first, first + programs - 1),
    ...(options.mutant === undefined ? {} : { mutant: options.mutant }),
    ...(options.xen === undefined ? {} : { release: options.xen }),
    stopAtFirst: !options.keepGoing,
    budgetMs: budget === null ? null : budget * 1000,
    onProgram: () => progress.step(),
  });
  progress.done();
  for (const { verdict } of replayed) if (verdict.verdict === 'accepted') for (const c of verdict.clauses) result.clauses.add(c);
  const pair = { reference: await loadEngine('model'), subject: await loadEngine('executor') };
  const explored = whole ? await exploreSmallMachines() : null;
  const worlds = whole ? await compareWorlds(pair, first) : null;
  // Beside another planted bug every program would be found guilty.
  const hunted = whole && options.mutant === undefined ? await huntAdvisories(first) : null;
  const folders = result.counterexamples.map((c) =>
    onFile(options.out, () => writeCounterexample(options.out, pair, c, version(), options.mutant ?? null)),
  );
  return { first, wanted: programs, budget, replayed, result, folders, explored, worlds, hunted };
};

const checkCommand = async (options: Options): Promise<number> => {
  if (options.isa !== undefined) return checkIsa(options);
  if (options.bare !== undefined) return checkBare(options);
  if (options.dom0 !== undefined) return checkDom0(options);
  if (options.order !== undefined) return checkOrderCommand(options);
  // Without --seeds the seeds are fresh: taken from the clock, and printed.
  const first = options.seeds?.first ?? Math.floor(Date.now() / 1000) % 0x3fffffff;
  // Its threads plant the bug, each for itself.
  if (options.worlds !== undefined) return checkWorldsCommand(first, options);
  if (options.mutant !== undefined) await plantMutant(options.mutant);
  if (options.exhaustive) return checkExhaustive(options);
  if (options.inductive) return checkInductive(options);
  const asked = options.seeds ? options.seeds.last - options.seeds.first + 1 : options.programs;
  if (options.clauses) return checkClauses(first, options);
  if (options.pv32 !== undefined) return checkPv32Command(first, options);
  if (options.domains !== undefined) return checkCrowdsCommand(first, options);
  if (options.preempt !== undefined) return checkPreempt(first, options);
  if (options.peer !== undefined) return checkPeer(options.peer, first, asked ?? null, options);
  if (options.hypercalls !== undefined || options.variations !== undefined) return checkHypercalls(first, options);

  const budget = options.budget ?? (asked === undefined ? BUDGET_SECONDS : null);
  const checked = await checkEngines(first, asked ?? PROGRAMS, budget, asked === undefined, options);
  if (options.json) process.stdout.write(`${JSON.stringify(checkJson(checked), null, 2)}\n`);
  else {
    for (const line of findings(checked)) process.stdout.write(`${line}\n`);
    if (options.coverage) process.stdout.write(`${coverageTable(checked)}\n`);
    process.stdout.write(`${checkTable(checked)}\nverdict: ${verdictOf(checked)}\n`);
  }
  return { agreed: EXIT.ok, diverged: EXIT.divergence, bug: EXIT.bug }[verdictOf(checked)];
};

export const addCheck = (program: Command, done: (code: number) => void): void => {
  const command = program
    .command('check')
    .description('the campaign: recorded traces on both engines, then fresh programs in lockstep; or fresh programs against a peer')
    .option('--seeds <A..B>', 'seeds of the generated programs; fresh ones when absent', seedRange)
    .option('--programs <n>', `how many fresh programs (default: ${PROGRAMS})`, wholeNumber(1, 10_000_000))
    .option('--peer <name>', 'compare with a peer (`xenspec peers` lists them) instead of model with executor')
    .addOption(new Option('--xen <release>', `release of Xen (default: ${REFERENCE_RELEASE})`).choices([...XEN_RELEASES]))
    .option('--mutant <id>', `plant a bug first: ${MACHINE_MUTANTS.join(', ')}`)
    .option(
      '--budget <seconds>',
      `start no further program after so long (default: ${BUDGET_SECONDS} when neither --seeds nor --programs is given)`,
      wholeNumber(1),
    )
    .option('--out <directory>', 'where counterexamples go', 'counterexamples')
    .option('--keep-going', 'do not stop at the first divergence')
    .option('--no-traces', 'leave the recorded traces out')
    .option('--coverage', 'print the table of operations and outcomes')
    .option('--json', 'machine-readable result')
    .addHelpText(
      'after',
      '\nExit codes: 0 all agreed, 1 a divergence or a rejected trace, 2 an option that makes no sense, 69 the peer is not on this machine, 70 a bug of ours.' +
        '\n\nExamples:\n  xenspec check\n  xenspec check --seeds 1..2000 --coverage\n  xenspec check --peer xen --programs 200 --as domu\n  xenspec check --mutant executor-close' +
        '\n  xenspec check --hypercalls 5e6\n  xenspec check --order --peer xen\n  xenspec check --preempt 50 --seeds 1..20\n  xenspec check --pv32 500\n  xenspec check --domains 2..4 --hypercalls 1e6\n  xenspec check --variations 2000\n  xenspec check --clauses --budget 300\n  xenspec check --exhaustive --config channels_bits --states 1e6\n  xenspec check --exhaustive --mutant model-close-peer\n  xenspec check --inductive --config grants\n  xenspec check --worlds 1e5 --seeds 1..100000\n  xenspec check --worlds 600 --mutant leak-stale-grant\n  xenspec check --peer xen --hypercalls 5e5' +
        '\n  xenspec check --isa x86 --peer silicon --cases 2000000 --html silicon.html' +
        '\n  xenspec check --bare vmlinux --append "console=ttyS0 pci=off acpi=off" --lenient --memory 256 --steps 1e8' +
        '\n  xenspec check --dom0 /boot/vmlinuz-6.1.0-56-amd64 --steps 5e7\n  xenspec check --dom0 /boot/vmlinuz-6.1.0-56-amd64 --console traces/boots/linux-6.1.0-56-dom0.txt',
    )
    .action(async (options: Options, self: Command) => {
      refuseOthers(
        kindOf(options),
        Object.keys(options).filter((name) => self.getOptionValueSource(name) === 'cli'),
      );
      done(await checkCommand(options));
    });
  addIsaOptions(command);
  addBareOptions(command);
  addDom0Options(command);
  addPeerOptions(command);
  addHypercallOptions(command);
  addOrderOptions(command);
  addPreemptOptions(command);
  addPv32Options(command);
  addCrowdOptions(command);
  addClausesOptions(command);
  addExhaustiveOptions(command);
  addWorldsOptions(command);
};

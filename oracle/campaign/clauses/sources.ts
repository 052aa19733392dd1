/** Where generated programs come from, and what the model cites of the clauses while it runs one of them. */
import fc from 'fast-check';
import type { BootBare } from '#spec/bare/machine.ts';
import type { Boot } from '#spec/engine.ts';
import { NotModelled } from '#spec/failure.ts';
import { barePc, CPUID_BARE_PC } from '#spec/machines/bare_pc.ts';
import { REFERENCE_RELEASE, XEN_RELEASES } from '#spec/releases/release.ts';
import { devicePrograms } from '../../generators/bare/device_program.ts';
import { denseProgram, forRelease, generateProgram } from '../../generators/index.ts';
import { instructionCase } from '../../generators/isa/instruction_case.ts';
import { rowsIn } from '../../generators/isa/rows.ts';
import { operationsFor } from '../../generators/operations/index.ts';
import { type OrderProgram, orderPrograms } from '../../generators/order.ts';
import { systemCase } from '../../generators/system/system_case.ts';
import { buildImages } from '../../image/index.ts';
import { MODES } from '../../image/instruction/case.ts';
import { citedByDevices } from '../bare/device_check.ts';
import { opcodeProgram } from '../bare/opcode_program.ts';
import { caseOf, caseOfSeed } from '../case.ts';
import * as crowd from '../crowd/check.ts';
import { drawCrowd } from '../crowd/draw.ts';
import { loadEngine } from '../engines.ts';
import { DEFAULT_POLICY, type Policy } from '../environment.ts';
import { runOnModel } from '../isa/model_runner.ts';
import { prepare } from '../isa/window_state.ts';
import { policyOf } from '../judge.ts';
import { caseOfPv32 } from '../pv32/check.ts';
import { runEngine } from '../run.ts';
import { machineFor } from '../seed_recordings.ts';
import { advance, engineRunner, loadBare } from '../system/engines.ts';
import { runCases } from '../system/runner.ts';

export type Cite = (clauses: readonly string[]) => void;
export type Source = {
  readonly name: string;
  /** The command that runs the same programs on both machines, or on a peer. */
  readonly command: string;
  /** How many programs there are, when they are a list and have numbers in place of seeds. */
  readonly programs?: () => number;
  /** Runs the program of a seed. */
  readonly run: (seed: number, cite: Cite) => void | Promise<void>;
};

const LIMIT = 2_000_000;
const CROWD_DRAWS = 400;
const DENSE_DRAWS = 1500;
const SYSTEM_CASES = 20;
const OPCODE_STEPS = 400;
const DEVICE_RUNS = 10;

/** Runs to the end, or to what is not modelled: what was cited before that counts. */
const runOn = (
  boot: Boot,
  { config, images }: Pick<ReturnType<typeof caseOf>, 'config' | 'images'>,
  policy: Partial<Policy>,
  cite: Cite,
) => {
  untilNotModelled(() =>
    runEngine(boot({ ...config, lenient: true }, images), { policy: { ...DEFAULT_POLICY, ...policy }, limit: LIMIT, onClauses: cite }),
  );
};
const untilNotModelled = (run: () => unknown): void => {
  try {
    run();
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
  }
};

/** Every third seed has a release of its own, the others the reference. */
const releaseOf = (seed: number) => (seed % 3 === 0 ? XEN_RELEASES[(seed / 3) % XEN_RELEASES.length]! : REFERENCE_RELEASE);

const ofXen = (boot: Boot): readonly Source[] => [
  {
    name: 'programs',
    command: 'check',
    run: (seed, cite) =>
      runOn(
        boot,
        caseOf(forRelease(generateProgram(seed), releaseOf(seed)), seed),
        { seed, slice: 20 + (seed % 400), ...(seed % 3 === 0 ? { preempt: 3 } : {}) },
        cite,
      ),
  },
  {
    name: 'hypercalls',
    command: 'check --hypercalls N',
    run: (seed, cite) => {
      const alone = ([null, 'pv64_dom0', 'pv64_domU'] as const)[seed % 3]!;
      runOn(boot, caseOf(forRelease(denseProgram(seed, { draws: DENSE_DRAWS, alone }), releaseOf(seed)), seed, 'dense'), { seed }, cite);
    },
  },
  {
    name: 'variations of scripts',
    command: 'check --variations N',
    run: (seed, cite) => runOn(boot, caseOfSeed(seed, 'varied', releaseOf(seed)), policyOf(seed, 'varied'), cite),
  },
  {
    name: 'order of checks',
    command: 'check --order',
    programs: () => orders().length,
    run: (number, cite) => {
      const { program } = orders()[number]!;
      runOn(boot, { config: machineFor(program), images: buildImages(program) }, {}, cite);
    },
  },
  {
    name: 'crowds',
    command: 'check --domains 2..4',
    run: (seed, cite) => {
      const drawn = drawCrowd(seed, 2 + (seed % 3), CROWD_DRAWS, releaseOf(seed));
      runOn(boot, crowd.subjectOf(drawn), crowd.policyOf(drawn), cite);
    },
  },
  {
    name: '32-bit guests',
    command: 'check --pv32 N',
    run: (seed, cite) => {
      const { program, subjectOf, options } = caseOfPv32(seed, releaseOf(seed));
      const { config, images } = subjectOf(program);
      untilNotModelled(() => runEngine(boot(config, images), { ...options, onClauses: cite }));
    },
  },
];

/** Made when they are first asked for. */
let made: readonly OrderProgram[] | null = null;
const orders = (): readonly OrderProgram[] => {
  made ??= [...orderPrograms('pv64_dom0'), ...orderPrograms('pv64_domU'), ...orderPrograms('pv64_domU', 1, operationsFor('pv64_domU'))];
  return made;
};

const ofProcessor = (boot: BootBare): readonly Source[] => [
  {
    name: 'instructions',
    command: 'check --isa x86 --peer silicon',
    run: (seed, cite) => {
      for (const mode of MODES) {
        const rows = rowsIn(mode);
        runOnModel(prepare(instructionCase(rows[seed % rows.length]!, seed, mode)), CPUID_BARE_PC, cite);
      }
    },
  },
  {
    name: 'system cases',
    command: 'check --isa x86 --peer qemu',
    run: async (seed, cite) => {
      const cases = Array.from({ length: SYSTEM_CASES }, (_, i) => systemCase(seed * SYSTEM_CASES + i));
      await runCases(engineRunner('model', boot, cite), cases);
    },
  },
  {
    name: 'opcodes',
    command: 'npx vitest run oracle/campaign/bare',
    run: (seed, cite) => void advance(boot(barePc(), opcodeProgram(seed)), OPCODE_STEPS, cite),
  },
  {
    name: 'devices',
    command: 'npx vitest run oracle/campaign/bare',
    run: (seed, cite) => {
      for (const program of fc.sample(devicePrograms, { seed, numRuns: DEVICE_RUNS })) cite(citedByDevices(barePc(), program));
    },
  },
];

export const loadSources = async (): Promise<readonly Source[]> => [
  ...ofXen(await loadEngine('model')),
  ...ofProcessor(await loadBare('model')),
];

/** The conformance scripts of 32-bit guests: their machines, and what an engine does with them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MachineConfig } from '#spec/config.ts';
import type { Boot, Engine } from '#spec/engine.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import { debian } from '#spec/machines/debian.ts';
import { dom0, domU } from '#spec/machines/debian_4_17.ts';
import { withCompat } from '#spec/machines/pv32.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import { type Pv32Script, parsePv32Script } from '#traces/conformance_pv32.ts';
import type { Subject } from '../../compare/lockstep.ts';
import { buildImages } from '../../image/index.ts';
import { DEFAULT_POLICY } from '../environment.ts';
import { runEngine } from '../run.ts';
import { PAGES } from './layout.ts';
import { subjectOf } from './machine.ts';
import { imageOf } from './program.ts';

export const PV32_FOLDER = fileURLToPath(new URL('../../../traces/conformance/pv32/', import.meta.url));
/** How they are named among all scripts. */
export const PV32_PREFIX = 'pv32/';

export type NamedPv32Script = { readonly name: string; readonly path: string; readonly script: Pv32Script };

/** Whether this is a checkout, with scripts. */
export const hasPv32Scripts = (): boolean => existsSync(PV32_FOLDER);

/** All scripts, by name. Throws BadInput for one that is not valid, or when this is no checkout. */
export const readPv32Scripts = (folder = PV32_FOLDER): readonly NamedPv32Script[] => {
  if (!existsSync(folder)) throw new BadInput('conformance scripts are part of a checkout, and there is none here');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      const name = `${PV32_PREFIX}${file.slice(0, -'.json'.length)}`;
      return { name, path, script: parsePv32Script(readFileSync(path, 'utf8'), name) };
    });
};

/** The machine with a domain 0 that carries out the script's own program. */
const besideControl = (): MachineConfig => withCompat(debian(REFERENCE_RELEASE, [dom0(), { ...domU(1), pages: PAGES }]));

/** First frame of the guest's memory beside such a domain 0. */
export const firstFrameBeside = (): number => {
  const { layout, domains } = besideControl();
  return layout.domheap_first + domains[0]!.pages;
};

export const subjectOfScript = ({ role, vcpus, xenStart, control, steps }: Pv32Script): Subject => {
  const coded = steps.map(({ name, code }) => ({ family: name, code: [...Buffer.from(code, 'hex')] }));
  const program = { seed: 0, firstFrame: 0, xenStart, steps: coded };
  if (role === 'beside') {
    if (control === null) throw new BadInput('a guest beside a domain 0 that acts needs `control`');
    return { config: besideControl(), images: [buildImages(control)[0]!, imageOf(program)] };
  }
  const { config, images } = subjectOf(program, role, REFERENCE_RELEASE);
  const guest = config.domains.length - 1;
  return { config: { ...config, domains: config.domains.map((d, i) => (i === guest ? { ...d, vcpus } : d)) }, images };
};

const LIMIT = 400_000;

/** The engine, with some questions whether to stop answered with yes. */
const stopping = (engine: Engine, stops: readonly number[]): Engine =>
  Object.create(engine, {
    apply: {
      value: (input: Input) => engine.apply(input.kind === 'execute' && stops.length > 0 ? { ...input, preempt: [...stops] } : input),
    },
    status: { value: () => engine.status() },
  }) as Engine;

export type Carried = { readonly finish: string; readonly events: readonly string[]; readonly clauses: ReadonlySet<string> };

/** Carry a script out: every event in its order, and how it ended. */
export const carryOutPv32 = (boot: Boot, script: Pv32Script): Carried => {
  const { config, images } = subjectOfScript(script);
  const events: string[] = [];
  const clauses = new Set<string>();
  const engine = boot(config, images);
  let finish: string;
  try {
    finish = runEngine(stopping(engine, script.stops), {
      limit: LIMIT,
      policy: { ...DEFAULT_POLICY, slice: script.slice },
      onEvent: (event) => events.push(JSON.stringify(event)),
      onClauses: (cited) => {
        for (const clause of cited) clauses.add(clause);
      },
    }).finish;
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    finish = error.message;
  }
  engine.dispose?.();
  return { finish, events, clauses };
};

/** Whether it went as both machines went when the script was made. */
export const isAsExpected = ({ expected }: Pv32Script, { finish, events }: Carried): boolean =>
  expected !== null && expected.finish === finish && JSON.stringify(expected.events) === JSON.stringify(events);

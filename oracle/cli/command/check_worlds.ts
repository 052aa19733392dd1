/** `xenspec check --worlds`: pairs of runs that differ only in what one domain may not see, on executor and model. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { BadInput } from '#spec/failure.ts';
import { CHANGING_FLOWS } from '#spec/properties/worlds/index.ts';
import { ENGINES, type EngineName } from '../../campaign/engines.ts';
import type { WorldsLeak } from '../../campaign/worlds/check.ts';
import { worldOf } from '../../campaign/worlds/image.ts';
import { runWorlds, type WorldsRun } from '../../campaign/worlds/run.ts';
import { LEAKS } from '../../mutants/leaks.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { canPlant, MACHINE_MUTANTS } from '../mutant.ts';
import { largeNumber } from '../option.ts';
import { count, Progress, rate, table } from '../table.ts';

export type WorldsCommandOptions = {
  worlds?: number;
  on?: EngineName | 'both';
  seeds?: { readonly first: number; readonly last: number };
  budget?: number;
  workers?: number;
  mutant?: string;
  out: string;
  json?: true;
};

/** With both machines, the executor takes all pairs, and the model, which is slower, the first of so many. */
const MODEL_SHARE = 500;

export const addWorldsOptions = (command: Command): void => {
  command.option(
    '--worlds <pairs>',
    `so many pairs of runs that differ only in what one domain may not see must look the same to it; one in ${MODEL_SHARE} on the model, too`,
    largeNumber,
  );
};

const isPlantable = (id: string): boolean => MACHINE_MUTANTS.includes(id) || LEAKS.some((leak) => leak.id === id);
const refuseUnknown = (id: string): void => {
  if (!isPlantable(id)) throw new BadInput(`mutant ${id}: there are ${[...LEAKS.map((leak) => leak.id), ...MACHINE_MUTANTS].join(', ')}`);
  if (!canPlant()) throw new BadInput(`mutant ${id}: bugs can be planted in a checkout only`);
};

/** Both worlds as images and configurations, what was done to both (by the first one's numbers of domains), and what was seen. */
const keep = (out: string, engine: EngineName, { pair, inputs, ...told }: WorldsLeak): string =>
  onFile(out, () => {
    const folder = join(out, `worlds-${told.seed}-${engine}`);
    const put = (name: string, value: unknown): void => writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
    for (const world of [0, 1] as const) {
      const { config, images } = worldOf(pair, world);
      mkdirSync(join(folder, `world-${world}`), { recursive: true });
      for (const [i, image] of images.entries()) writeFileSync(join(folder, `world-${world}`, `d${config.domains[i]!.domid}.elf`), image);
      put(join(`world-${world}`, 'machine.json'), config);
    }
    put('inputs.json', inputs);
    put('leak.json', { engine, domids: pair.domids, ...told });
    return folder;
  });

type Found = WorldsRun & { readonly engine: EngineName; readonly folder: string | null };

const told = ({ engine, leak, folder }: Found): string => {
  if (leak === null) return '';
  const { seed, condition, what, acts, observer } = leak;
  const lines = acts.map((does, place) => `  domain ${place}: ${does.join('; ') || 'nothing'}\n`);
  return `seed ${seed} on the ${engine}: ${condition === 'total' ? what : `d${observer} sees a difference (${condition}): ${what}`}\n${lines.join('')}  folder: ${folder}\n`;
};

const rowsOf = (found: Found, first: number): readonly (readonly [string, string])[] => {
  const { engine, runs, transitions, hypercalls, seconds, variations, flows, stops } = found;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, n]) => `${name} ${count(n)}`)
      .join(', ') || 'none';
  return [
    [`pairs of worlds on the ${engine}`, `${count(runs)} (seeds ${first}..${first + runs - 1}): ${list(variations)}`],
    ['transitions, hypercalls', `${count(transitions)}, ${count(hypercalls)}`],
    ['pairs with a flow that is allowed', list(flows)],
    ['pairs that ended early', list(stops)],
    ['undeclared flows', found.leak === null ? '0' : '1'],
    ['throughput', `${rate(runs / seconds)} pairs/s`],
  ];
};

export const checkWorldsCommand = async (first: number, options: WorldsCommandOptions): Promise<number> => {
  const { worlds, on = 'both', seeds, budget, workers, mutant, out, json } = options;
  if (mutant !== undefined) refuseUnknown(mutant);
  const runs = worlds ?? 1;
  if (seeds && seeds.last - seeds.first + 1 < runs) throw new BadInput(`--seeds: there are fewer than the ${runs} pairs of --worlds`);
  const found: Found[] = [];
  // The model first: it has few.
  for (const engine of ENGINES.filter((name) => on === 'both' || on === name)) {
    const share = on === 'both' && engine === 'model' ? Math.ceil(runs / MODEL_SHARE) : runs;
    const progress = new Progress(`pairs of worlds on the ${engine}`, share);
    const result = await runWorlds({
      ...{ engine, first, runs: share },
      ...(budget === undefined ? {} : { budgetMs: budget * 1000 }),
      ...(workers === undefined ? {} : { workers }),
      ...(mutant === undefined ? {} : { mutant }),
      onRuns: (n) => progress.step(n),
    });
    progress.done();
    found.push({ ...result, engine, folder: result.leak === null ? null : keep(out, engine, result.leak) });
  }
  const leaks = found.filter(({ leak }) => leak !== null);
  const verdict = leaks.length === 0 ? 'nothing seen that may not be seen' : 'leaks';
  if (json) {
    const engines = found.map(({ leak, ...counts }) => {
      if (leak === null) return { ...counts, leak };
      const { pair: _, ...kept } = leak;
      return { ...counts, leak: kept };
    });
    process.stdout.write(`${JSON.stringify({ verdict, first, allowed: Object.keys(CHANGING_FLOWS), engines }, null, 2)}\n`);
  } else {
    for (const leak of leaks) process.stdout.write(told(leak));
    const rows = found.flatMap((one) => rowsOf(one, first));
    process.stdout.write(`${table(['what', 'result'], rows)}\nverdict: ${verdict}\n`);
  }
  return leaks.length === 0 ? EXIT.ok : EXIT.divergence;
};

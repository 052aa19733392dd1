/** A worker thread that shows what our machines make of a program. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MachineConfig } from '#spec/config.ts';
import type { Boot } from '#spec/engine.ts';
import { type EngineName, loadEngine } from '../engines.ts';
import { type Shown, showDom0, showDomu } from './witness.ts';

export type Task =
  | { readonly role: 'dom0'; readonly machine: MachineConfig; readonly images: readonly Uint8Array[] }
  /** `machine`: the one on which the peer built the domain. */
  | { readonly role: 'domu'; readonly machine: MachineConfig; readonly images: readonly Uint8Array[]; readonly vcpus: number };
export type Answer = { readonly shown: readonly (readonly [EngineName, Shown])[] } | { readonly bug: string };

/** What a worker is started with. `mutant`: bug to plant before the engines are loaded. */
export type CrewData = { readonly engines: readonly EngineName[]; readonly mutant: string | null };

const { engines: names, mutant } = workerData as CrewData;
// Loaded only then: the package starts on a Node that has no loader hooks.
if (mutant !== null) (await import('../../mutants/plant.ts')).plant(mutant);
const engines: (readonly [EngineName, Boot])[] = [];
for (const name of names) engines.push([name, await loadEngine(name)]);

parentPort!.on('message', (task: Task) => {
  let answer: Answer;
  try {
    answer = {
      shown: engines.map(([name, boot]) => [
        name,
        task.role === 'dom0' ? showDom0(boot, task.machine, task.images) : showDomu(boot, task.machine, task.images, task.vcpus),
      ]),
    };
  } catch (error) {
    answer = { bug: String((error as Error).stack ?? error) };
  }
  parentPort!.postMessage(answer);
});

/** Model and executor for a long run of domain 0. */
import type { Machine } from '#model/machine.ts';
import type { Dom0Pair, Kept } from './lockstep.ts';

export const loadDom0Pair = async (): Promise<Dom0Pair> => {
  const [{ engineOn }, { bootMachine }, { keepMachine, machineAgain }, { boot }] = await Promise.all([
    import('#model/engine.ts'),
    import('#model/domain/boot.ts'),
    import('./keep.ts'),
    import('#oracle/executor/engine.ts'),
  ]);
  const kept = (machine: Machine): Kept => {
    const engine = engineOn(machine);
    return { ...engine, fork: () => kept(engine.machine()), save: () => keepMachine(engine.machine()) };
  };
  return {
    reference: (config, image) => kept(bootMachine(config, [image])),
    restore: (saved) => kept(machineAgain(saved)),
    subject: boot,
  };
};

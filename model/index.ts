/** The reference model: a pure machine whose every rule cites the clause that it follows. */
export { bootMachine } from './domain/boot.ts';
export { boot, engineOn, statusOf } from './engine.ts';
export type { Machine } from './machine.ts';
export { observe } from './observe.ts';
export type { Outcome } from './outcome.ts';
export { step } from './step.ts';

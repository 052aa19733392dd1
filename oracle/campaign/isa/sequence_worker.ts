/** A worker thread of the check of model against executor: it runs the programs whose seeds it is sent. */
import { parentPort } from 'node:worker_threads';
import { runSequence } from './sequence_check.ts';
import { READY } from './workers.ts';

parentPort!.on('message', ({ seed, steps }: { readonly seed: number; readonly steps: number }) => {
  parentPort!.postMessage({ seed, ...runSequence(seed, steps) });
});
parentPort!.postMessage(READY);

/** A worker thread of the check against silicon: it judges the chunks that it is sent, with a helper process of its own. */
import { parentPort } from 'node:worker_threads';
import { siliconPeer } from '../../peers/silicon/silicon.ts';
import { type Chunk, SiliconJudge } from './silicon_judge.ts';
import { READY } from './workers.ts';

const silicon = siliconPeer();
if (!silicon.available) throw new Error(silicon.why);
const judge = new SiliconJudge(silicon);

parentPort!.on('message', async (chunks: readonly Chunk[]) => {
  parentPort!.postMessage(await judge.judge(chunks));
});
parentPort!.postMessage(READY);

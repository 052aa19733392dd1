/** Emulators as runners of bare images. */
import type { BarePeer } from '../../peers/bare_peer.ts';
import type { ImageRun, Runner } from './runner.ts';

const TIMEOUT_SECONDS = 12;

export const peerRunner = (peer: BarePeer): Runner => ({
  name: peer.name,
  run: async (payload): Promise<ImageRun> => {
    const { debugcon, end, why } = await peer.run(payload, TIMEOUT_SECONDS);
    if (end === 'exit') return { debugcon, stopped: null };
    if (end === 'timeout') return { debugcon, stopped: { kind: 'hang', why, byClock: true } };
    return { debugcon, stopped: { kind: end, why } };
  },
});

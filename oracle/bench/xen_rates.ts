/**
 * The same guests on real Xen under QEMU, where it is installed: a peer that nobody here wrote, measured in the same run. Rates come from the
 * difference between a long and a short run, so that starting QEMU, Xen and the domain does not count. QEMU is told to count instructions
 * (`-icount`), as the executor does.
 */
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { findPeer } from '../peers/peers.ts';
import { kernelWork } from './executor_mips.ts';
import { kernelImage } from './guest.ts';
import { GUESTS } from './hypercalls.ts';
import { KERNELS } from './kernels.ts';

export type PeerFigure = {
  /** Which figure of the executor it stands beside. */
  readonly beside: string;
  /** Units per second of wall time. */
  readonly perSecond: number;
};

type Guest = {
  readonly beside: string;
  readonly unitsPerRound: number;
  readonly rounds: readonly [short: number, long: number];
  readonly image: (rounds: number) => Uint8Array;
};

const TIMEOUT_SECONDS = 120;
/** What a long run executes: about a second of QEMU's time. */
const INSTRUCTIONS = 600_000_000;
const HYPERCALLS = 400_000;

const guests = (): readonly Guest[] => [
  ...KERNELS.map((kernel): Guest => {
    const unitsPerRound = kernelWork(kernel)();
    return {
      beside: `executor: ${kernel.name}`,
      unitsPerRound,
      rounds: [1, Math.ceil(INSTRUCTIONS / unitsPerRound)],
      image: (rounds) => kernelImage(kernel, rounds),
    };
  }),
  ...GUESTS.map(
    ({ name, calls, image }): Guest => ({
      beside: `executor: hypercalls, ${name}`,
      unitsPerRound: calls,
      rounds: [1, Math.ceil(HYPERCALLS / calls)],
      image,
    }),
  ),
];

export type Measured = { readonly name: string; readonly version: string; readonly figures: readonly PeerFigure[] };

/** Names of what would be measured. */
export const peerNames = (): readonly string[] => [
  ...KERNELS.map(({ name }) => `executor: ${name}`),
  ...GUESTS.map(({ name }) => `executor: hypercalls, ${name}`),
];

/** Measures those guests whose names are wanted; a line that says why when the peer is not here. */
export const xenRates = async (wanted: readonly string[], onGuest: () => void): Promise<Measured | string> => {
  const peer = findPeer('xen');
  if (!peer.available) return peer.why;
  const seconds = async (image: Uint8Array): Promise<number> => {
    const { ended, seconds } = await peer.record([image], debian_4_17(), { timeoutSeconds: TIMEOUT_SECONDS });
    if (ended.kind !== 'shutdown' || ended.reason !== 0)
      throw new Error(`a guest on ${peer.name} did not power off: ${JSON.stringify(ended)}`);
    return seconds;
  };
  const figures: PeerFigure[] = [];
  for (const { beside, unitsPerRound, rounds, image } of guests().filter((guest) => wanted.includes(guest.beside))) {
    const [short, long] = rounds;
    const before = await seconds(image(short));
    const after = await seconds(image(long));
    figures.push({ beside, perSecond: ((long - short) * unitsPerRound) / Math.max(1e-3, after - before) });
    onGuest();
  }
  return { name: peer.name, version: `${peer.version} under QEMU ${peer.details['qemu'] ?? ''}`.trim(), figures };
};

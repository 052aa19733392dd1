/** What comparing with a peer came to, for people. */
import type { PeerCheck } from '../../campaign/peer_check.ts';
import { count, rate, table } from '../table.ts';

const inconclusiveIn = (check: PeerCheck): string =>
  check.inconclusive.length === 0
    ? 'none'
    : `${check.inconclusive.length}: ${[...new Set(check.inconclusive.map((i) => i.why))].join('; ')}`;

export const peerTable = (check: PeerCheck): string => {
  if (check.unavailable !== null) return `skipped: ${check.unavailable}`;
  const { first, last } = check.seeds;
  const differences = check.differences.map(
    (d) => `${d.where}\n  ${check.peer}: ${d.peer}\n  ${d.engine}: ${d.seen}\n  folder: ${d.folder}\n`,
  );
  return `${differences.join('')}${table(
    ['what', 'result'],
    [
      ['peer', `${check.peer} ${check.version}`],
      ['programs', `${count(check.programs)} (seeds ${first}..${last}; ${check.skipped} that the peer cannot run passed over)`],
      ['boots', count(check.boots)],
      ['console lines compared', count(check.lines)],
      ['unexplained differences', count(check.differences.length)],
      ['inconclusive boots', inconclusiveIn(check)],
      ['throughput', `${rate(check.programs / check.seconds)} programs/s`],
    ],
  )}`;
};

/** `xenspec check --order`: calls that are wrong in two ways at once, on model, executor and, when named, a peer. */
import type { Command } from 'commander';
import { BadInput } from '#spec/failure.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { ENGINES } from '../../campaign/engines.ts';
import { checkOrder, type OrderCheck } from '../../campaign/order_check.ts';
import { domuEngineRecorder, domuPeerRecorder } from '../../campaign/peer/domu_recorder.ts';
import { engineRecorder, peerRecorder, type Recorder } from '../../campaign/recorder.ts';
import type { DomainKind } from '../../generators/operations/index.ts';
import { orderPrograms } from '../../generators/order.ts';
import { findPeer } from '../../peers/peers.ts';
import { EXIT } from '../exit_code.ts';
import { count, Progress, table } from '../table.ts';
import { version } from '../version.ts';

export type OrderOptions = { order?: true | string; peer?: string; xen?: XenRelease; json?: true };

export const addOrderOptions = (command: Command): void => {
  command.option(
    '--order [part]',
    'calls that are wrong in two ways at once: which mistake is found first; of the operations with this in their name',
  );
};

/** How many programs there are to run. */
const programsFor = (caller: DomainKind, operations: string): number =>
  orderPrograms(caller).filter(({ asked }) => asked.some(({ operation }) => operation.row.includes(operations))).length;

const tableOf = ({ rows }: OrderCheck): string =>
  table(
    ['operation', 'pairs', 'decided', 'looked at first, then', 'differences'],
    rows.map(({ operation, pairs, decided, order, differences }) => [operation, pairs, decided, order.join(', '), differences.length]),
  );

/** Runs it as domain 0 and inside a fresh domain 1. */
export const checkOrderCommand = async ({ order, peer, xen: release = REFERENCE_RELEASE, json }: OrderOptions): Promise<number> => {
  const operations = typeof order === 'string' ? order : '';
  const programs = programsFor('pv64_dom0', operations) + programsFor('pv64_domU', operations);
  if (programs === 0) throw new BadInput(`--order ${operations}: no operation that is asked for its order has this in its name`);
  const recorders: Record<string, Recorder> = {};
  const inDomains: Record<string, Recorder> = {};
  for (const name of ENGINES) {
    recorders[name] = await engineRecorder(name, version());
    inDomains[name] = await domuEngineRecorder(name, version());
  }
  if (peer !== undefined) {
    if (peer !== 'xen') throw new BadInput(`--order: peer ${peer}: unknown; there is xen`);
    const found = findPeer(peer, release);
    if (!found.available) {
      process.stdout.write(`skipped: ${found.why}\n`);
      return EXIT.unavailable;
    }
    recorders[peer] = peerRecorder(found);
    inDomains[peer] = domuPeerRecorder(found);
  }
  const progress = new Progress('programs that are wrong in two ways', programs);
  const onProgram = (): void => progress.step();
  const checks = [
    await checkOrder('pv64_dom0', recorders, { operations, release, onProgram }),
    await checkOrder('pv64_domU', inDomains, { operations, release, onProgram }),
  ];
  progress.done();
  const differences = checks.flatMap(({ caller, rows }) =>
    rows.flatMap(({ operation, differences }) => differences.map((difference) => ({ caller, operation, ...difference }))),
  );
  const inconclusive = checks.flatMap((check) => check.inconclusive);
  // A program that one of them did not answer shows nothing, so it is no agreement either.
  const verdict = differences.length > 0 ? 'diverged' : inconclusive.length > 0 ? 'inconclusive' : 'agreed';
  if (json) process.stdout.write(`${JSON.stringify({ checks, verdict }, null, 2)}\n`);
  else {
    for (const check of checks) {
      const sum = (of: 'rights' | 'singles' | 'pairs' | 'decided'): string => count(check.rows.reduce((all, row) => all + row[of], 0));
      process.stdout.write(`${check.caller}, answered by ${check.by.join(', ')}\n${tableOf(check)}\n`);
      process.stdout.write(
        `${sum('rights')} right calls that are refused, ${sum('singles')} wrong in one way, ${sum('pairs')} in two; ${sum('decided')} tell an order\n\n`,
      );
    }
    for (const { caller, operation, what, answers } of differences)
      process.stdout.write(
        `${caller} ${operation}, ${what}: ${Object.entries(answers)
          .map(([by, answer]) => `${by} ${answer}`)
          .join(', ')}\n`,
      );
    for (const why of inconclusive) process.stdout.write(`inconclusive: ${why}\n`);
    process.stdout.write(`verdict: ${verdict}\n`);
  }
  return verdict === 'agreed' ? EXIT.ok : EXIT.divergence;
};

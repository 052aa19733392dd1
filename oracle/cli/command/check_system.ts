/** `xenspec check --isa x86 --peer qemu|bochs`: system-level behaviour of both engines and an emulator, in bare images. */
import { writeFileSync } from 'node:fs';
import { checkSystem, type SystemCheck } from '../../campaign/system/check.ts';
import type { PeerName } from '../../campaign/system/repairs.ts';
import {
  findingsUsed,
  privilegedShares,
  SYSTEM_HEAD,
  sharesText,
  systemHtml,
  systemJson,
  systemRow,
  systemTotals,
} from '../../campaign/system/report.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { count, Progress, rate, table } from '../table.ts';
import type { IsaOptions } from './check_isa.ts';

/** Cases when nobody says how many. */
const CASES = 2000;

export const checkOnEmulator = async (peer: PeerName, options: IsaOptions): Promise<number> => {
  const { first, last } = options.seeds ?? { first: 1, last: options.cases ?? CASES };
  const progress = new Progress(`cases on ${peer}`, last - first + 1);
  const check = await checkSystem({ peer, first, last, onCases: (n) => progress.step(n) });
  progress.done();
  const { html } = options;
  if (html !== undefined && check.unavailable === null) onFile(html, () => writeFileSync(html, systemHtml(check)));
  process.stdout.write(options.json ? `${JSON.stringify(systemJson(check), null, 2)}\n` : systemText(check));
  if (check.unavailable !== null) return EXIT.unavailable;
  return systemTotals(check).differences > 0 ? EXIT.divergence : EXIT.ok;
};

const systemText = (check: SystemCheck): string => {
  if (check.unavailable !== null) return `skipped: ${check.unavailable}\n`;
  const totals = systemTotals(check);
  const used = findingsUsed(check);
  const summary = table(
    ['what', 'result'],
    [
      ['peer', check.peer],
      ['rows of the opcode table, by mode and ring', count(totals.rows)],
      ['cases', `${count(totals.cases)} (seeds ${check.seeds.first}..${check.seeds.last})`],
      ['model, executor and peer agree', count(totals.agreed)],
      ['agree but for single words that findings explain', count(totals.butFor)],
      ['went another way, as findings say', count(totals.explained)],
      ['an engine or the peer lacks something', count(totals.lacking)],
      ['unexplained differences', count(totals.differences)],
      ['findings met, a case maybe several', used.map(({ finding, cases, why }) => `${finding} ${cases}: ${why}`).join('\n')],
      ['privileged rows by mode and ring', sharesText(privilegedShares(check))],
      ['throughput', `${rate(totals.cases / check.seconds)} cases/s`],
    ],
  );
  return `${table(SYSTEM_HEAD, check.rows.map(systemRow))}\n${summary}\n`;
};

/** `xenspec explain --between A B`: what changed for a guest from one release of Xen to another, and what real Xen showed of each. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BadInput } from '#spec/failure.ts';
import { CHANGES } from '#spec/releases/changes.ts';
import { XEN_RELEASES, type XenRelease } from '#spec/releases/release.ts';
import { readTrace } from '#traces/file.ts';
import { recordedFolder, recordedPath } from '../../campaign/conformance.ts';

/** One release's side of a change: its way in words, and the lines of its recording that show it. */
type Side = {
  readonly release: XenRelease;
  readonly way: string;
  readonly says: string;
  readonly trace: string;
  readonly lines: readonly string[];
};
export type Difference = {
  readonly change: string;
  readonly clause: string;
  readonly script: string;
  readonly sides: readonly [Side, Side];
};

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const releaseNamed = (text: string | undefined): XenRelease => {
  const known = XEN_RELEASES.find((release) => release === text);
  if (known === undefined) throw new BadInput(`--between takes two of ${XEN_RELEASES.join(', ')}`);
  return known;
};

const LINE = /^0\.(\d+) /;

/** Lines of a recording by step, those of domain 1 behind `1> `. */
const linesOf = async (path: string): Promise<ReadonlyMap<number, string>> => {
  const { header, records } = await readTrace(path);
  const lines = new Map<number, string>();
  for (const { domid } of header.machine.domains) {
    const own = records.flatMap((r) =>
      r.record === 'event' && r.event.kind === 'console' && r.event.domid === domid ? [r.event.bytes] : [],
    );
    for (const line of own.join('').split('\n')) {
      const step = LINE.exec(line)?.[1];
      if (step !== undefined) lines.set(Number(step), domid === 0 ? line : `${domid}> ${line}`);
    }
  }
  return lines;
};

/** The changes between two releases, in the order of their table. Throws BadInput for a release that is none. */
export const between = async (from: string | undefined, to: string | undefined): Promise<readonly Difference[]> => {
  const releases = [releaseNamed(from), releaseNamed(to)] as const;
  const known = new Map<string, ReadonlyMap<number, string>>();
  const side = async (release: XenRelease, change: (typeof CHANGES)[keyof typeof CHANGES]): Promise<Side> => {
    const { script, steps } = change.shown;
    const path = recordedPath(script, recordedFolder(release));
    const lines = known.get(path) ?? (await linesOf(path));
    known.set(path, lines);
    const way: string = change.ways[release];
    const said: Readonly<Record<string, string>> = change.says;
    return { release, way, says: said[way]!, trace: relative(ROOT, path), lines: steps.flatMap((step) => lines.get(step) ?? []) };
  };
  const found: Difference[] = [];
  for (const [name, change] of Object.entries(CHANGES)) {
    if (change.ways[releases[0]] === change.ways[releases[1]]) continue;
    const sides = [await side(releases[0], change), await side(releases[1], change)] as const;
    found.push({ change: name, clause: change.clause, script: join('traces/conformance', `${change.shown.script}.json`), sides });
  }
  return found;
};

export const betweenText = (differences: readonly Difference[]): string =>
  differences
    .flatMap(({ change, clause, script, sides }) => [
      `${change} (clause ${clause})`,
      ...sides.flatMap(({ release, says, lines, trace }) => [
        `  ${release}  ${says}`,
        ...lines.map((line) => `        ${line}`),
        `        recorded: ${trace}`,
      ]),
      `  script ${script}`,
      '',
    ])
    .concat(differences.length === 0 ? ['nothing'] : [`${differences.length} changes`], '')
    .join('\n');

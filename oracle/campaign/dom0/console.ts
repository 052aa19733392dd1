/** What a kernel says as domain 0, beside a recording of real Xen: line by line, without times and addresses. */

/** A difference that has its reason. `real`, `ours`: the lines that it is about, null for a side that says nothing. */
export type Explained = { readonly real: RegExp | null; readonly ours: RegExp | null; readonly because: string };
export type ConsoleDifference = { readonly side: 'real' | 'ours'; readonly line: string; readonly because: string | null };
export type ConsoleComparison = { readonly agreed: number; readonly differences: readonly ConsoleDifference[] };

/** The guest's own lines: Xen's are not its, and a serial line ends with CR. */
export const linesOf = (text: string): readonly string[] =>
  text
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => !line.startsWith('(XEN)'))
    .map((line) =>
      line
        .replace(/^\[ *\d+\.\d+\] /, '')
        .replace(/\b(?:0x)?[0-9a-f]{8,16}\b/g, '#')
        .trimEnd(),
    )
    .filter((line) => line !== '');

/** For each pair of tails, how many lines they share in order. */
const commonLengths = (a: readonly string[], b: readonly string[]): Uint16Array[] => {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      rows[i]![j] = a[i] === b[j] ? rows[i + 1]![j + 1]! + 1 : Math.max(rows[i + 1]![j]!, rows[i]![j + 1]!);
  return rows;
};

const reasonOf = (explained: readonly Explained[], side: 'real' | 'ours', line: string): string | null =>
  explained.find((entry) => entry[side]?.test(line))?.because ?? null;

/** `real` and `ours`: console logs as they came. */
export const compareConsoles = (real: string, ours: string, explained: readonly Explained[]): ConsoleComparison => {
  const [a, b] = [linesOf(real), linesOf(ours)];
  const common = commonLengths(a, b);
  const differences: ConsoleDifference[] = [];
  const differ = (side: 'real' | 'ours', line: string): number =>
    differences.push({ side, line, because: reasonOf(explained, side, line) });
  let agreed = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      agreed++;
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && common[i + 1]![j]! >= common[i]![j + 1]!)) differ('real', a[i++]!);
    else differ('ours', b[j++]!);
  }
  return { agreed, differences };
};

/** Tables and progress for people. Colours only where the terminal wants them. */
import { MultiBar, Presets } from 'cli-progress';
import Table from 'cli-table3';

/** A plain table; numbers are right-aligned. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const numeric = head.map(
    (_, column) =>
      rows.length > 0 && rows.every((r) => typeof r[column] === 'number' || /^[\d,.]*( [kMG]?\S*\/s)?$/.test(String(r[column]))),
  );
  const t = new Table({
    head: [...head],
    colAligns: numeric.map((n) => (n ? 'right' : 'left')),
    style: { head: [], border: [] },
    wordWrap: true,
  });
  for (const row of rows) t.push(row.map((c) => (typeof c === 'number' ? count(c) : c)));
  return t.toString();
};

/** 12345678 → 12,345,678. */
export const count = (n: number): string =>
  Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

/** 12345678 → "12.3 M". */
export const rate = (n: number): string => (n >= 1e6 ? `${(n / 1e6).toFixed(1)} M` : n >= 1e3 ? `${(n / 1e3).toFixed(1)} k` : n.toFixed(1));

export const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`);

/** A progress bar on standard error; on something that is no terminal, a line every few seconds. */
export class Progress {
  private readonly bars: MultiBar | null;
  private readonly bar: ReturnType<MultiBar['create']> | null;
  private readonly label: string;
  private readonly total: number;
  private last = Date.now();
  private value = 0;
  constructor(label: string, total: number) {
    this.label = label;
    this.total = total;
    this.bars = process.stderr.isTTY
      ? new MultiBar(
          { format: '{label} {bar} {value}/{total} · {eta_formatted}', hideCursor: true, clearOnComplete: true, stream: process.stderr },
          Presets.shades_classic,
        )
      : null;
    this.bar = this.bars?.create(total, 0, { label }) ?? null;
  }
  step(by = 1): void {
    this.value += by;
    this.bar?.update(this.value);
    if (this.bar || Date.now() - this.last < 5000) return;
    this.last = Date.now();
    process.stderr.write(`${this.label}: ${this.value}/${this.total}\n`);
  }
  done(): void {
    this.bars?.stop();
  }
}

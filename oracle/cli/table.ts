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

/** Silence after which something long says how far it is, and how often it repeats that. */
const FIRST_WORD_MS = 2000;
const NEXT_WORD_MS = 5000;

/** Says now and then, on standard error, how far something is whose end nobody knows. Nothing for what is over soon. */
export class LongRun {
  private next = performance.now() + FIRST_WORD_MS;
  private calls = 0;
  /** Cheap enough to be called a million times a second. */
  tick(text: () => string): void {
    if ((++this.calls & 63) !== 0) return;
    const now = performance.now();
    if (now < this.next) return;
    this.next = now + NEXT_WORD_MS;
    process.stderr.write(`xenspec: ${text()}\n`);
  }
}

/** A progress bar on standard error; on something that is no terminal, a line after two seconds and then every few. */
export class Progress {
  private readonly bars: MultiBar | null;
  private readonly bar: ReturnType<MultiBar['create']> | null;
  private readonly label: string;
  private readonly total: number;
  private next = performance.now() + FIRST_WORD_MS;
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
    const now = performance.now();
    if (this.bar || now < this.next) return;
    this.next = now + NEXT_WORD_MS;
    process.stderr.write(`${this.label}: ${this.value}/${this.total}\n`);
  }
  done(): void {
    this.bars?.stop();
  }
}

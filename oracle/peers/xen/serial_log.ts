/**
 * Xen's serial console as a recording: the guest's bytes, Xen's own lines, and how domain 0 ended. Pure functions over the log,
 * one character a byte.
 *
 * Xen sends domain 0's bytes to the serial line as they are, but for a carriage return before each line feed. Its own lines start with
 * `(XEN) `, also in the middle of a guest's line. A guest that writes `(XEN) ` itself cannot be told from Xen.
 */
import type { Ended } from '../peer.ts';

/** Xen's last line before it hands the CPU to domain 0. */
const GUEST_STARTS = /\(XEN\) Freed \d+kB init memory\r\n/;
const OWN_LINE = /\(XEN\) ([^\n]*?)(?:\r\n|\n|$)/g;

/** Xen's words for each SHUTDOWN reason of the hardware domain. */
const ENDS: readonly (readonly [RegExp, (match: RegExpExecArray) => number])[] = [
  [/^Hardware Dom\d+ halted: halting machine$/, () => 0],
  [/^Hardware Dom\d+ shutdown: rebooting machine$/, () => 1],
  [/^Hardware Dom\d+ shutdown \(unknown reason (\d+)\): /, (m) => Number(m[1])],
  [/^Hardware Dom\d+ crashed: /, () => 3],
  [/^Hardware Dom\d+ shutdown: watchdog rebooting machine$/, () => 4],
  [/^Hardware domain \d+ did unsupported soft reset, rebooting\.$/, () => 5],
];

export type SerialLog = {
  /** Whether domain 0 got the CPU. */
  readonly started: boolean;
  /** Domain 0's bytes. */
  readonly console: string;
  /** Xen's lines after the start, without their prefix. */
  readonly remarks: readonly string[];
  /** null while neither Xen's last word on domain 0 nor a panic is in the log. */
  readonly ended: Ended | null;
};

/** SHUTDOWN reason that a line of Xen's announces, null for any other line. */
export const shutdownReason = (line: string): number | null => {
  for (const [pattern, reason] of ENDS) {
    const match = pattern.exec(line);
    if (match) return reason(match);
  }
  return null;
};

/** What Xen says before it gives up: its panic, with the line before it that tells why. */
const panicOf = (lines: readonly string[]): string | null => {
  const at = lines.findIndex((line) => /^Panic on CPU \d+:$/.test(line));
  if (at < 0) return null;
  const reason = lines[at + 1] ?? 'panic';
  const before = lines.slice(0, at).findLast((line) => !/^\**$/.test(line.trim()));
  return before === undefined ? reason : `${reason} (${before.trim()})`;
};

/** A whole line that ends the run may be anywhere from here on in a growing log; Xen's lines are shorter than this. */
const LONGEST_LAST_LINE = 256;

/** Whether the part of a growing log from `from` on, and a little before, holds the end of the run. Cheap enough to ask at every change. */
export const mayHaveEnded = (log: string, from: number): boolean =>
  /\(XEN\) (?:Hardware [Dd]om[^\n]*|Reboot in [^\n]*|Manual reset required[^\n]*)\r\n/.test(
    log.slice(Math.max(0, from - LONGEST_LAST_LINE)),
  );

/** Read a log. */
export const readSerialLog = (log: string): SerialLog => {
  const start = GUEST_STARTS.exec(log);
  if (!start) {
    const panic = panicOf(ownLines(log));
    return { started: false, console: '', remarks: [], ended: panic === null ? null : { kind: 'refused', why: panic } };
  }
  const text = log.slice(start.index + start[0].length);
  const remarks = ownLines(text);
  const console = text.replace(OWN_LINE, '').replaceAll('\r\n', '\n');
  for (const line of remarks) {
    const reason = shutdownReason(line);
    if (reason !== null) return { started: true, console, remarks, ended: { kind: 'shutdown', reason } };
  }
  const panic = panicOf(remarks);
  return { started: true, console, remarks, ended: panic === null ? null : { kind: 'stopped', why: `Xen itself failed: ${panic}` } };
};

const ownLines = (text: string): readonly string[] => [...text.matchAll(OWN_LINE)].map((match) => match[1]!.replace(/\r$/, ''));

/** Traces as text: parse and print JSON Lines, without any file access, so that it runs in a browser. */
import { BadInput } from '#spec/failure.ts';
import { firstProblem, type Trace, TraceHeader, TraceRecord } from './format.ts';

const parseLine = (line: string, number: number, where: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    throw new BadInput(`${where}: line ${number}: not JSON`);
  }
};

/** A schema's answer. Values nested so deep that looking at them exhausts the stack are no trace. */
const safely = <T>(parse: () => T, number: number, where: string): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) throw new BadInput(`${where}: line ${number}: nested too deep`);
    throw error;
  }
};

/** Parse the header line. Throws BadInput naming file and line. */
export const parseHeader = (line: string, where: string): TraceHeader => {
  const parsed = safely(() => TraceHeader.safeParse(parseLine(line, 1, where)), 1, where);
  if (!parsed.success) throw new BadInput(`${where}: line 1: ${firstProblem(parsed.error)}`);
  return parsed.data;
};

/** Parse one record after the header. Throws BadInput naming file and line. */
export const parseRecord = (line: string, number: number, where: string): TraceRecord => {
  const parsed = safely(() => TraceRecord.safeParse(parseLine(line, number, where)), number, where);
  if (!parsed.success) throw new BadInput(`${where}: line ${number}: ${firstProblem(parsed.error)}`);
  return parsed.data;
};

/** Parse records one by one; the last must be an `end`, and nothing may follow it. */
export class TraceParser {
  private line = 0;
  private ended = false;
  private readonly where: string;
  header: TraceHeader | null = null;

  constructor(where: string) {
    this.where = where;
  }

  /** Feed one line; returns the record it held, null for the header and for a blank line. */
  push(line: string): TraceRecord | null {
    this.line++;
    if (line.trim() === '') return null;
    if (this.ended) throw new BadInput(`${this.where}: line ${this.line}: a record after the end`);
    if (!this.header) {
      this.header = parseHeader(line, this.where);
      return null;
    }
    const record = parseRecord(line, this.line, this.where);
    if (record.record === 'end') this.ended = true;
    return record;
  }

  /** The text is over: throws BadInput when it stopped before its end record. */
  finish(): TraceHeader {
    if (!this.header) throw new BadInput(`${this.where}: empty, a trace starts with a header`);
    if (!this.ended) throw new BadInput(`${this.where}: truncated after line ${this.line}: no end record`);
    return this.header;
  }
}

/** Parse a whole trace. */
export const parseTrace = (text: string, where: string): Trace => {
  const parser = new TraceParser(where);
  const records: TraceRecord[] = [];
  for (const line of text.split('\n')) {
    const record = parser.push(line);
    if (record) records.push(record);
  }
  return { header: parser.finish(), records };
};

/** Print a whole trace, the header first, one record a line. */
export const printTrace = (trace: Trace): string => `${[trace.header, ...trace.records].map((r) => JSON.stringify(r)).join('\n')}\n`;

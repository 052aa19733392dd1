/** Write a trace record by record, compressed a piece at a time, so that a long run needs little memory. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { TraceHeader, TraceRecord } from './format.ts';

/** Characters that are gathered before they are compressed. Each piece is a gzip member of its own; a file of several is still one gzip file. */
const PIECE = 1 << 20;

export class TraceWriter {
  private readonly file: number;
  private lines: string[] = [];
  private gathered = 0;

  /** Opens the file at once and throws the system's error, so that a name that cannot be written is known before the run. */
  constructor(path: string, header: TraceHeader) {
    this.file = openSync(path, 'w');
    this.put(header);
  }

  write(record: TraceRecord): void {
    this.put(record);
  }

  /** Writes what is left. A trace whose last record is not an `end` reads as truncated. */
  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private put(record: TraceHeader | TraceRecord): void {
    const line = `${JSON.stringify(record)}\n`;
    this.lines.push(line);
    this.gathered += line.length;
    if (this.gathered >= PIECE) this.flush();
  }

  private flush(): void {
    if (this.lines.length === 0) return;
    const bytes = gzipSync(this.lines.join(''), { level: 6 });
    for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at);
    this.lines = [];
    this.gathered = 0;
  }
}

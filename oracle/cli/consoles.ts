/** The consoles of a run as they come: dom0's raw on standard output, the others by whole lines with a prefix, or to files. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '#spec/event.ts';
import { onFile } from './files.ts';
import { writeAll } from './output.ts';

type ConsoleEvent = Extract<Event, { kind: 'console' }>;
/** Characters of a line that never ends which are kept before they are shown. */
const LONGEST_LINE = 64 * 1024;

export class Consoles {
  private readonly partial = new Map<number, string>();
  private readonly files = new Map<number, { readonly fd: number; readonly path: string }>();

  /** @param directory where the other domains' consoles go; null for standard error. Throws BadInput when a file cannot be made. */
  constructor(domids: readonly number[], directory: string | null) {
    if (directory === null) return;
    onFile(directory, () => mkdirSync(directory, { recursive: true }));
    for (const domid of domids) {
      if (domid === 0) continue;
      const path = join(directory, `d${domid}.console`);
      this.files.set(domid, { path, fd: onFile(path, () => openSync(path, 'w')) });
    }
  }

  /** Throws ReaderGone or BadInput as `writeAll` does. */
  write({ domid, bytes }: ConsoleEvent): void {
    const file = this.files.get(domid);
    if (domid === 0) writeAll(1, Buffer.from(bytes, 'latin1'));
    else if (file) writeAll(file.fd, Buffer.from(bytes, 'latin1'), file.path);
    else this.writeLines(domid, bytes);
  }

  close(): void {
    for (const [domid, rest] of this.partial) if (rest !== '') this.writeLine(domid, rest);
    this.partial.clear();
    for (const { fd } of this.files.values()) closeSync(fd);
    this.files.clear();
  }

  private writeLines(domid: number, bytes: string): void {
    const lines = ((this.partial.get(domid) ?? '') + bytes).split('\n');
    const rest = lines.pop()!;
    for (const line of lines) this.writeLine(domid, line);
    if (rest.length > LONGEST_LINE) this.writeLine(domid, rest);
    this.partial.set(domid, rest.length > LONGEST_LINE ? '' : rest);
  }

  private writeLine(domid: number, line: string): void {
    writeAll(2, Buffer.from(`(d${domid}) ${line}\n`, 'latin1'));
  }
}

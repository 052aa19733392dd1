/** QEMU's monitor on its standard input and output: one JSON object a line, answers in the order of the questions. */
import type { Readable, Writable } from 'node:stream';

type Answer = { readonly return?: unknown; readonly error?: { readonly desc: string } };

export class Qmp {
  private readonly input: Writable;
  private readonly waiting: { readonly done: (answer: Answer) => void; readonly failed: (error: Error) => void }[] = [];
  private rest = '';
  private ended = false;

  constructor(input: Writable, output: Readable) {
    this.input = input;
    input.on('error', () => this.end());
    output.setEncoding('utf8').on('data', (text: string) => this.take(text));
    output.on('close', () => this.end());
  }

  /** Throws when QEMU refuses or is gone. */
  async command(execute: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const answer = await new Promise<Answer>((done, failed) => {
      if (this.ended) return failed(new Error('QEMU is gone'));
      this.waiting.push({ done, failed });
      this.input.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
    if (answer.error) throw new Error(`QEMU refuses ${execute}: ${answer.error.desc}`);
    return answer.return;
  }

  /** A command of the monitor for people, which says nothing when all is well. Throws what it says otherwise. */
  async monitor(line: string): Promise<void> {
    const said = String(await this.command('human-monitor-command', { 'command-line': line })).trim();
    if (said !== '') throw new Error(`QEMU refuses ${line}: ${said}`);
  }

  private take(text: string): void {
    this.rest += text;
    for (let end = this.rest.indexOf('\n'); end >= 0; end = this.rest.indexOf('\n')) {
      const message = JSON.parse(this.rest.slice(0, end)) as Answer;
      this.rest = this.rest.slice(end + 1);
      // Greetings and events come in between.
      if ('return' in message || 'error' in message) this.waiting.shift()?.done(message);
    }
  }

  private end(): void {
    this.ended = true;
    for (const { failed } of this.waiting.splice(0)) failed(new Error('QEMU is gone'));
  }
}

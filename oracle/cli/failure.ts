/** How a command fails: one clear line, and the exit code that says what kind of failure it was. */
import { BadInput, NotModelled } from '#spec/failure.ts';
import { EXIT } from './exit_code.ts';
import { ReaderGone } from './output.ts';

/** A failure with an exit code of its own. */
export class CommandFailure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = 'CommandFailure';
    this.code = code;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it removes
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** Text without line breaks or control characters: a hostile name in a message must not forge output. */
export const oneLine = (text: string): string => text.replace(UNPRINTABLE, ' ').trim().slice(0, 2000);

/** Print a failure on standard error; returns the exit code. Only a bug of ours prints a stack. */
export const reportFailure = (error: unknown): number => {
  if (error instanceof ReaderGone) return EXIT.ok;
  const say = (text: string): void => void process.stderr.write(`xenspec: ${oneLine(text)}\n`);
  if (error instanceof CommandFailure) {
    say(error.message);
    return error.code;
  }
  if (error instanceof BadInput) {
    say(error.message);
    return EXIT.badInput;
  }
  if (error instanceof NotModelled) {
    say(error.message);
    return EXIT.notModelled;
  }
  const e = error as Error;
  say(`bug: ${e?.message ?? String(error)}`);
  if (e?.stack) process.stderr.write(`${e.stack}\n`);
  return EXIT.bug;
};

/** What a family of cases is: a name, a weight, and a case from a stream of choices. */
import type { SystemCase } from '#oracle/image/bare/case.ts';
import type { Stream } from '../../isa/stream.ts';

export type Family = {
  readonly name: string;
  readonly weight: number;
  /** Mnemonics of the privileged rows among those that it makes. */
  readonly privileged?: RegExp;
  readonly make: (s: Stream) => SystemCase;
};

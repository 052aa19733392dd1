/** Kinds of failure that are not part of Xen's behaviour. */
import type { BareReport } from './bare/machine.ts';
import type { Report } from './engine.ts';

/** The guest asked for something that the slice does not contain; `what` names it, e.g. `grant_table_op/copy`. */
export class NotModelled extends Error {
  readonly what: string;
  /** What the same `execute` input had brought about by then, in whole steps; the engine fills it in. */
  before: Report | null = null;
  /** The same of a bare machine. */
  bareBefore: BareReport | null = null;
  constructor(what: string) {
    super(`not modelled: ${what}`);
    this.name = 'NotModelled';
    this.what = what;
  }
}

/** A mistake of ours, never the guest's. */
export class ModelBug extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ModelBug';
  }
}

/** The user handed over something unusable: an image, a trace, an option. One line that says what is wrong and where. */
export class BadInput extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadInput';
  }
}

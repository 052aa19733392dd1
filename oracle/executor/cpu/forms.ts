/** Handlers of an operation by the form of its operands: destination first; r register, m memory, i immediate. */
import type { Handler } from './op.ts';

export type Forms = { readonly rr: Handler; readonly ri: Handler; readonly rm: Handler; readonly mr: Handler; readonly mi: Handler };

/** xenoprof_op: profiles by performance counters. Source: Xen public header `xenoprof.h`, x86-64 layout. */
import { layout } from './layout.ts';

export const XENOPROF = { init: 0, enable_virq: 8, disable_virq: 11, get_buffer: 14 } as const;
export const XENOPROF_TYPE_AT = 8;

/** What the reference machine's processor counts with. */
export const XENOPROF_PROCESSOR = { counters: 4, type: 'x86-64/hammer' } as const;

export const xenoprof = {
  /** Behind the two numbers the processor's kind as a text; bytes behind its NUL stay as they were. */
  init: layout(72, { num_events: [0, 4, 'number', 'out'], is_primary: [4, 4, 'number', 'out'] }),
} as const;

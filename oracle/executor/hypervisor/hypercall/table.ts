/** The hypercalls of the slice by number. One line a call; each handler lives in a file of its own. */
import { HYPERCALL, type HypercallName } from '#spec/abi/hypercall.ts';
import { event_channel_op } from '../event_channel/event_channel_op.ts';
import { mmu_update } from '../mm/mmu_update.ts';
import { mmuext_op } from '../mm/mmuext_op.ts';
import { update_va_mapping } from '../mm/update_va_mapping.ts';
import type { Handler } from './dispatch.ts';

const rows: Partial<Record<HypercallName, Handler>> = {
  event_channel_op,
  update_va_mapping,
  mmuext_op,
  mmu_update,
};

/** Handler by number; holes are numbers that the slice lacks. */
export const HANDLERS: readonly (Handler | undefined)[] = Array.from(
  { length: 64 },
  (_, number) => Object.entries(rows).find(([name]) => HYPERCALL[name as HypercallName] === number)?.[1],
);

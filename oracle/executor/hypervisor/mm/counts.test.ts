import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { FrameTable } from '../frame_table.ts';
import { audit } from '../testing/audit.ts';
import { ARGS_AT, ARGUMENTS, L1, L2, L3, L4, TwoDomains } from '../testing/two_domains.ts';
import { mmu_update } from './mmu_update.ts';
import { mmuext_op } from './mmuext_op.ts';
import { update_va_mapping } from './update_va_mapping.ts';

const OP = SUBOPERATIONS.mmuext_op;
/** Pages that begin unmapped, so that they can become tables. */
const POOL = [40, 41, 42, 43, 44, 45, 46, 47];
const TABLES = [L4, L3, L2, L1];

const page = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...POOL) }, { weight: 2, arbitrary: fc.constantFrom(...TABLES, 20, 21) });
const flags = fc.oneof(fc.constantFrom(0, 1, 3, 5, 7, 0x67, 0x27, 0x25, 0x101, 0x83), fc.integer({ min: 0, max: 0xfff }));
/** Slots away from those that the machine runs on. */
const slot = fc.constantFrom(150, 151, 152, 255, 256, 272, 511);
const step = fc.oneof(
  fc.record({ kind: fc.constant('entry' as const), table: page, slot, target: page, flags, cmd: fc.constantFrom(0, 2) }),
  fc.record({ kind: fc.constant('raw' as const), table: fc.constantFrom(...POOL), slot, target: page, flags }),
  fc.record({
    kind: fc.constant('ext' as const),
    cmd: fc.constantFrom(OP.pin_l1_table, OP.pin_l2_table, OP.pin_l3_table, OP.pin_l4_table),
    page,
  }),
  fc.record({ kind: fc.constant('ext' as const), cmd: fc.constantFrom(OP.unpin_table, OP.new_user_baseptr, OP.clear_page), page }),
  fc.record({ kind: fc.constant('va' as const), slot, target: page, flags }),
);

/** The digest of a table that has the same state and no history. */
const digestAnew = (frames: FrameTable): string => {
  const copy = new FrameTable(frames.count);
  for (const field of ['owner', 'refs', 'type', 'typeRefs', 'flags'] as const) copy[field].set(frames[field]);
  return copy.digest();
};

describe('references and type references', () => {
  it('are what the tables in memory justify, after any sequence of operations', () => {
    let done = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const t = new TwoDomains();
        const { memory, frames } = t.machine;
        const entry = (table: number, at: number): number => t.mfn(0, table) * 4096 + 8 * at;
        const update = (at: number, lo: number): number => {
          t.put(0, ARGUMENTS, 0, at, 0, lo, 0);
          return t.call(0, mmu_update, ARGS_AT, 1, 0, DOMID.SELF);
        };
        for (const free of POOL) update(entry(L1, free), 0);
        for (const s of steps) {
          let answer = -1;
          if (s.kind === 'entry') answer = update(entry(s.table, s.slot) | s.cmd, (t.mfn(0, s.target) << 12) | s.flags);
          else if (s.kind === 'va') {
            const args = Int32Array.of(s.slot * 4096, 0, (t.mfn(0, s.target) << 12) | s.flags, 0, 0, 0, 0, 0);
            answer = update_va_mapping(t.machine, t.vcpu(0), args);
          } else if (s.kind === 'ext') {
            t.put(0, ARGUMENTS, 0, s.cmd, 0, t.mfn(0, s.page), 0, 0, 0);
            answer = t.call(0, mmuext_op, ARGS_AT, 1, 0, DOMID.SELF);
          } else if (frames.typeRefs[t.mfn(0, s.table)] === 0)
            memory.writeHalves(entry(s.table, s.slot), (t.mfn(0, s.target) << 12) | s.flags, 0);
          if (answer === 0) done++;
          expect(audit(t.machine)).toEqual([]);
          expect(frames.digest()).toBe(digestAnew(frames));
        }
        expect(t.vcpu(0).oldGuestTable).toBe(-1);
      }),
      { numRuns: 60 },
    );
    expect(done).toBeGreaterThan(100);
  });
});

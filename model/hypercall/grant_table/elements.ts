/** Operations that go through an array: an element is read, carried out, and its status written back; between two Xen asks whether to stop. */
import type { gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import type { VcpuRef } from '#spec/event.ts';
import { arrayOk, copyFromGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { cite, emit } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { addInt, fromNumber, type Word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { bytesOfNumber } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import type { GrantResult } from './status.ts';

type Name = keyof typeof gnttab & keyof typeof SUBOPERATIONS.grant_table_op;
type Element = (machine: Machine, caller: VcpuRef, bytes: Uint8Array) => GrantResult<unknown>;

export const elementwise =
  (name: Name, layout: Layout, element: Element) =>
  (machine: Machine, caller: VcpuRef, uop: Word, count: number): HypercallResult => {
    const status = layout.fields['status']!;
    if (!arrayOk(uop, count, layout.size)) return fail(machine, 'EFAULT', 'gnttab/array');
    let m = machine;
    for (let i = 0; i < count; i++) {
      const at = addInt(uop, i * layout.size);
      if (i > 0) {
        const asked = preemptCheck(m, caller);
        m = asked.machine;
        if (asked.stop) return goOnLater(m, name, at, count - i);
      }
      spend(m, 'entry');
      const read = copyFromGuest(m, caller, at, layout.size);
      if (!read.ok) return fail(read.machine, 'EFAULT', 'gnttab/element-fault');
      const result = element(read.machine, caller, read.bytes);
      const told = emit(result.machine, { kind: 'operation', at: caller, name: `grant_table_op/${name}`, result: result.status });
      const written = copyToGuestUnchecked(told, caller, addInt(at, status.at), bytesOfNumber(result.status, status.size));
      m = written.machine;
      if (!written.ok) return fail(m, 'EFAULT', 'gnttab/element-fault');
    }
    return done(m, 'gnttab/batch-done');
  };

export const goOnLater = (machine: Machine, name: Name, uop: Word, left: number, mark = 0): HypercallResult => ({
  kind: 'preempted',
  machine: cite(machine, 'gnttab/batch-preempted'),
  args: [fromNumber(SUBOPERATIONS.grant_table_op[name] + mark), uop, fromNumber(left)],
});

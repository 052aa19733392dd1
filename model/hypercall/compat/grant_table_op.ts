/** grant_table_op of a 32-bit domain. Chapter: spec/chapters/compat.md, "Hypercalls". */
import { COMPAT } from '#spec/abi/compat.ts';
import { GNTST, gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { bytesOf } from '../../memory/guest.ts';
import { addInt, fromNumber, type Word, word } from '../../word/word.ts';
import { grant_table_op as wideGrantTableOp } from '../grant_table/grant_table_op.ts';
import { fieldOf, fieldsOf, withFields } from '../guest_struct.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';
import { areaAt, laidOut, listOk, putAway, roomFor, widen } from './translation.ts';

const OP = SUBOPERATIONS.grant_table_op;

export const grant_table_op: Perform = (machine, caller, args) => {
  const [cmd, uop, count] = args;
  const rule = RULES.get(cmd.lo);
  if (!rule) return wideGrantTableOp(machine, caller, args);
  if (count.lo < 0) return fail(machine, 'EINVAL', 'compat/grant_table_op-count');
  if (count.lo === 0) return done(machine, 'compat/grant_table_op-count');
  return rule(machine, caller, uop, count.lo);
};

type Rule = (machine: Machine, caller: VcpuRef, uop: Word, count: number) => HypercallResult;

/** A list of frames: the rule fills it in the area. */
const frames =
  (name: 'setup_table' | 'get_status_frames', element: number): Rule =>
  (machine, caller, uop, count) => {
    const [narrow, wide] = [COMPAT[name], gnttab[name]];
    const m = cite(machine, 'compat/grant_table_op-frames');
    if (count !== 1) return fail(m, 'EINVAL', name === 'setup_table' ? 'gnttab/setup_table-count' : 'gnttab/get_status_frames-count');
    const read = copyFromGuest(m, caller, uop, narrow.size);
    const asked = read.ok ? fieldsOf(read.bytes, narrow) : null;
    if (!read.ok || !asked || !listOk(read.machine, caller, word(0, asked.frame_list), asked.nr_frames, element))
      return fail(read.machine, 'EFAULT', 'compat/grant_table_op-frames');

    const structure = widen(read.bytes, narrow, wide);
    structure.set(bytesOf([areaAt(wide.size)]), wide.fields.frame_list.at);
    const { result, area } = putAway(
      wideGrantTableOp(laidOut(read.machine, structure), caller, [fromNumber(OP[name]), areaAt(0), fromNumber(1)]),
    );
    if (result.kind !== 'reply' || result.value.hi < 0) return result;
    let after = result.machine;
    let status = fieldOf(area, wide.fields.status);
    const listed = status === GNTST.okay ? asked.nr_frames : 0;
    for (let i = 0; i < listed; i++) {
      const at = wide.size + 8 * i;
      const told = copyToGuestUnchecked(after, caller, addInt(word(0, asked.frame_list), i * element), area.slice(at, at + element));
      after = told.machine;
      if (!told.ok) status = GNTST.bad_virt_addr;
    }
    const told = copyToGuest(after, caller, uop, withFields(read.bytes, narrow, { status }));
    return told.ok ? { ...result, machine: told.machine } : fail(told.machine, 'EFAULT', 'compat/grant_table_op-frames');
  };

/** As many elements at a time as the area has room for. */
const batch =
  (name: 'transfer' | 'copy'): Rule =>
  (machine, caller, uop, count) => {
    const [narrow, wide] = [COMPAT[name], gnttab[name]];
    let m = cite(machine, 'compat/grant_table_op-batch');
    for (let first = 0; first < count; ) {
      const number = Math.min(roomFor(0, wide.size), count - first);
      const at = addInt(uop, first * narrow.size);
      const read = readElements(m, caller, at, number, name);
      if (!read.elements) return fail(read.machine, 'EFAULT', 'gnttab/element-fault');
      const { result, area } = putAway(
        wideGrantTableOp(laidOut(read.machine, ...read.elements), caller, [fromNumber(OP[name]), areaAt(0), fromNumber(number)]),
      );
      if (result.kind === 'no_reply' || (result.kind === 'reply' && result.value.hi < 0)) return result;
      const through = result.kind === 'preempted' ? number - result.args[2]!.lo : number;
      const told = tellStatuses(result.machine, caller, at, through, name, area);
      m = told.machine;
      if (!told.ok) return fail(m, 'EFAULT', 'compat/grant_table_op-batch');
      first += through;
      if (result.kind === 'preempted')
        return {
          kind: 'preempted',
          machine: m,
          args: [result.args[0]!, word(0, addInt(uop, first * narrow.size).lo), fromNumber(count - first)],
        };
    }
    return done(m, 'gnttab/batch-done');
  };

const readElements = (
  machine: Machine,
  caller: VcpuRef,
  at: Word,
  count: number,
  name: 'transfer' | 'copy',
): { readonly machine: Machine; readonly elements: readonly Uint8Array[] | null } => {
  const { size } = COMPAT[name];
  const elements: Uint8Array[] = [];
  let m = machine;
  for (let i = 0; i < count; i++) {
    const read = copyFromGuest(m, caller, addInt(at, i * size), size);
    m = read.machine;
    if (!read.ok) return { machine: m, elements: null };
    elements.push(widen(read.bytes, COMPAT[name], gnttab[name]));
  }
  return { machine: m, elements };
};

const tellStatuses = (machine: Machine, caller: VcpuRef, at: Word, count: number, name: 'transfer' | 'copy', area: Uint8Array) => {
  const [narrow, wide] = [COMPAT[name], gnttab[name]];
  let m = machine;
  let ok = true;
  for (let i = count - 1; i >= 0; i--) {
    const from = i * wide.size + wide.fields.status.at;
    const place = addInt(at, i * narrow.size + narrow.fields.status.at);
    const told = copyToGuestUnchecked(m, caller, place, area.slice(from, from + wide.fields.status.size));
    m = told.machine;
    ok &&= told.ok;
  }
  return { machine: m, ok };
};

const RULES: ReadonlyMap<number, Rule> = new Map([
  [OP.setup_table, frames('setup_table', 4)],
  [OP.get_status_frames, frames('get_status_frames', 8)],
  [OP.transfer, batch('transfer')],
  [OP.copy, batch('copy')],
]);

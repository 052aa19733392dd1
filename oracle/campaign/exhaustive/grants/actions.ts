/** What can happen to grants: what the granter writes, mappings that begin and end, what both do with their own page tables. */
import { mapGrantRef } from '#model/hypercall/grant_table/map_grant_ref.ts';
import { completeUnmap, unmapGrantRef } from '#model/hypercall/grant_table/unmap_grant_ref.ts';
import { type Place, writeEntry } from '#model/hypercall/mm/guest_l1e.ts';
import { pin, unpin } from '#model/hypercall/mm/pin.ts';
import { ptUpdate } from '#model/hypercall/mm/pt_update.ts';
import type { Machine } from '#model/machine.ts';
import { own } from '#model/page_type/l1_entry.ts';
import type { Verdict } from '#model/page_type/verdict.ts';
import { addInt, fromNumber, shl, type Word, ZERO } from '#model/word/word.ts';
import { GTF } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { Step } from '#spec/program.ts';
import type { Action } from '../core.ts';
import { flagsOf, type GrantScope, type GrantTables, isDevice, isHost, isRead, refOf, upTo, wordOfEntry } from './scope.ts';

/** Pages of programs: the granter's frames, and behind them those at whose entries mappers map. */
export const pageOfFrame = (frame: number): number => frame;
export const pageOfEntry = (entry: number): number => 8 + entry;

const addressOf = ({ mfn, index }: Place): Word => addInt(shl(fromNumber(mfn), 12), index * 8);
const same = (before: Machine, after: Machine): Machine => (after.questions === 0 ? after : { ...after, questions: before.questions });
const made = (before: Machine, { machine }: Verdict): Machine => same(before, machine);

const entryStep = (id: number, domain: number, page: number, value: 0 | 'pte'): Step => ({
  id,
  domain,
  do: 'hypercall',
  call: 'mmu_update',
  args: [
    {
      structs: [{ struct: 'xen.mmu_update', fields: { ptr: { page, as: 'entry_maddr' }, val: value || { page, as: 'pte', flags: 0x67 } } }],
    },
    1,
    0,
    DOMID.SELF,
  ],
});

const update = (domid: number, place: Place, value: Word) => (machine: Machine) =>
  made(machine, ptUpdate(machine, { domid, vcpu: 0 }, { ptr: addressOf(place), val: value, who: own(domid) }, 'replace'));

const granterWrites = ({ granter, grants, mappers, frames, readOnly }: GrantScope, tables: GrantTables): readonly Action[] =>
  upTo(grants).flatMap((grant): Action[] => {
    const place = tables.entryPlace(grant);
    const write = (name: string, word: Word, fields: { flags: number; domid: number; frame: number | null }): Action => ({
      name: `d${granter} ${name}`,
      apply: (machine) => writeEntry(machine, place, word),
      asStep: (_, id) => {
        const frame = fields.frame === null ? 0 : ({ page: pageOfFrame(fields.frame), as: 'mfn' } as const);
        return { id, domain: granter, do: 'grant_entry', ref: refOf(grant), flags: fields.flags, domid: fields.domid, frame };
      },
    });
    return [
      write(`takes grant ${grant} back`, ZERO, { flags: 0, domid: 0, frame: null }),
      ...mappers.flatMap((grantee) =>
        upTo(frames).flatMap((frame) =>
          (readOnly ? [false, true] : [false]).map((isReadOnly) =>
            write(
              `grants frame ${frame} to d${grantee} by grant ${grant}${isReadOnly ? ' for reading' : ''}`,
              wordOfEntry({ grantee, frame, readOnly: isReadOnly, marks: 0 }, (f) => tables.frames[f]!.mfn),
              { flags: GTF.permit_access | (isReadOnly ? GTF.readonly : 0), domid: grantee, frame },
            ),
          ),
        ),
      ),
    ];
  });

const kindText = (kind: number): string => [isHost(kind) ? '' : ' for a device', isRead(kind) ? ' for reading' : ''].join('');

const mapperActs = (scope: GrantScope, tables: GrantTables, m: number): readonly Action[] => {
  const { granter, grants, handles, kinds, entries } = scope;
  const domid = scope.mappers[m]!;
  const caller = { domid, vcpu: 0 };
  const map = (grant: number, kind: number, entry: number | null): Action => {
    const hostAddr = entry === null ? ZERO : addressOf(tables.places[m]![entry]!);
    const request = { hostAddr, flags: flagsOf(kind), ref: refOf(grant), dom: granter };
    return {
      name: `d${domid} maps grant ${grant}${kindText(kind)}${entry === null ? '' : ` at entry ${entry}`}`,
      apply: (machine) => {
        return mapGrantRef(machine, caller, request).machine;
      },
      asStep: (before, id, steps) => {
        const { out } = mapGrantRef(before, caller, request);
        if (out) steps.set(`${domid}:${out.handle}`, { step: id, of: 'handle' });
        const host_addr = entry === null ? 0 : ({ page: pageOfEntry(entry), as: 'entry_maddr' } as const);
        const fields = { host_addr, flags: request.flags, ref: request.ref, dom: granter };
        const args = [SUBOPERATIONS.grant_table_op.map_grant_ref, { struct: 'gnttab.map_grant_ref', fields }, 1] as const;
        return { id, domain: domid, do: 'hypercall', call: 'grant_table_op', args: [...args] };
      },
    };
  };
  const unmap = (handle: number, entry: number | null, frame: number | null): Action => {
    const hostAddr = entry === null ? ZERO : addressOf(tables.places[m]![entry]!);
    const devBusAddr = frame === null ? ZERO : shl(fromNumber(tables.frames[frame]!.mfn), 12);
    return {
      name: `d${domid} unmaps handle ${handle}${entry === null ? '' : ` at entry ${entry}`}${frame === null ? '' : ` for a device, frame ${frame}`}`,
      apply: (machine) => {
        const { machine: after, out } = unmapGrantRef(machine, caller, { hostAddr, devBusAddr, newAddr: ZERO, handle });
        return out ? completeUnmap(after, out) : after;
      },
      asStep: (_, id, steps) => {
        const maker = steps.get(`${domid}:${handle}`);
        // The address of another domain's frame is nothing that a program knows.
        if (frame !== null) return null;
        const host_addr = entry === null ? 0 : ({ page: pageOfEntry(entry), as: 'entry_maddr' } as const);
        const fields = { host_addr, dev_bus_addr: 0, handle: maker ? { ...maker, else: 99 } : 99 };
        const args = [SUBOPERATIONS.grant_table_op.unmap_grant_ref, { struct: 'gnttab.unmap_grant_ref', fields }, 1] as const;
        return { id, domain: domid, do: 'hypercall', call: 'grant_table_op', args: [...args] };
      },
    };
  };
  return [
    ...upTo(grants).flatMap((grant) =>
      kinds.flatMap((kind) => (isHost(kind) ? upTo(entries).map((entry) => map(grant, kind, entry)) : [map(grant, kind, null)])),
    ),
    ...upTo(handles).flatMap((handle) => upTo(entries).map((entry) => unmap(handle, entry, null))),
    ...(kinds.some(isDevice) ? upTo(handles).flatMap((handle) => upTo(scope.frames).map((frame) => unmap(handle, null, frame))) : []),
    ...upTo(entries).map(
      (entry): Action => ({
        name: `d${domid} clears entry ${entry}`,
        apply: update(domid, tables.places[m]![entry]!, ZERO),
        asStep: (_, id) => entryStep(id, domid, pageOfEntry(entry), 0),
      }),
    ),
  ];
};

const granterUses = ({ granter, frames, ownUse }: GrantScope, tables: GrantTables): readonly Action[] =>
  upTo(ownUse ? frames : 0).flatMap((frame): Action[] => {
    const caller = { domid: granter, vcpu: 0 };
    const { mfn, entry } = tables.frames[frame]!;
    const page = pageOfFrame(frame);
    const pinStep = (id: number, cmd: number): Step => ({
      id,
      domain: granter,
      do: 'hypercall',
      call: 'mmuext_op',
      args: [{ structs: [{ struct: 'xen.mmuext_op', fields: { cmd, arg1: { page, as: 'mfn' } } }] }, 1, 0, DOMID.SELF],
    });
    return [
      {
        name: `d${granter} maps its frame ${frame} no more`,
        apply: update(granter, entry, ZERO),
        asStep: (_, id) => entryStep(id, granter, page, 0),
      },
      {
        name: `d${granter} maps its frame ${frame}`,
        apply: update(granter, entry, tables.ownWords[frame]!),
        asStep: (_, id) => entryStep(id, granter, page, 'pte'),
      },
      {
        name: `d${granter} pins frame ${frame} as L1`,
        apply: (machine) => made(machine, pin(machine, caller, granter, mfn, 1)),
        asStep: (_, id) => pinStep(id, SUBOPERATIONS.mmuext_op.pin_l1_table),
      },
      {
        name: `d${granter} unpins frame ${frame}`,
        apply: (machine) => made(machine, unpin(machine, caller, granter, mfn)),
        asStep: (_, id) => pinStep(id, SUBOPERATIONS.mmuext_op.unpin_table),
      },
    ];
  });

export const grantActions = (scope: GrantScope, tables: GrantTables): readonly Action[] => [
  ...granterWrites(scope, tables),
  ...scope.mappers.flatMap((_, m) => mapperActs(scope, tables, m)),
  ...granterUses(scope, tables),
];

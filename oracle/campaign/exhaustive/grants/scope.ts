/** How small the machine is, and what its parts can be: entries, uses of grants, handles, entries of page tables. */
import type { ActiveGrant, Maptrack } from '#model/domain.ts';
import { returnHandle, takeHandle } from '#model/hypercall/grant_table/handles.ts';
import { growTable } from '#model/hypercall/grant_table/setup_table.ts';
import { placeOf } from '#model/hypercall/grant_table/shared_entry.ts';
import { entryAt, type Place, writeEntry } from '#model/hypercall/mm/guest_l1e.ts';
import type { Machine } from '#model/machine.ts';
import { putPageFromL1e } from '#model/page_type/l1_entry.ts';
import { adjusted, entryFor, PTE, PTE_HIGH } from '#model/page_type/pte.ts';
import { Word, ZERO } from '#model/word/word.ts';
import { GNTMAP, GTF } from '#spec/abi/grant_table.ts';
import { bootSmall, sparePage } from '../machine.ts';

export type GrantScope = {
  readonly granter: number;
  readonly mappers: readonly number[];
  /** Grants, and frames that they may name. */
  readonly grants: number;
  readonly frames: number;
  /** Of each mapper: handles, and entries of level 1 that it maps at. */
  readonly handles: number;
  readonly entries: number;
  /** GNTMAP flags of mappings; with host_map they name the entry. */
  readonly kinds: readonly number[];
  /** The granter writes entries that let read only. */
  readonly readOnly: boolean;
  /** The granter takes its own mapping of a frame away, makes it again, and uses the frame as a page table of level 1. */
  readonly ownUse: boolean;
};

/** Those below belong to Xen. */
export const FIRST_REF = 8;
const { host_map, device_map, readonly, contains_pte } = GNTMAP;
export const HOST_WRITE = host_map;
export const HOST_READ = host_map | readonly;
export const DEVICE_WRITE = device_map;

export const isHost = (kind: number): boolean => (kind & host_map) !== 0;
export const isDevice = (kind: number): boolean => (kind & device_map) !== 0;
export const isRead = (kind: number): boolean => (kind & readonly) !== 0;
/** As the handle remembers them. */
export const flagsOf = (kind: number): number => (isHost(kind) ? kind | contains_pte : kind);

export const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
export const refOf = (grant: number): number => FIRST_REF + grant;

/** A grant as its granter writes it; `marks` are Xen's. */
export type EntryValue =
  | { readonly grantee: number; readonly frame: number; readonly readOnly: boolean; readonly marks: number }
  | { readonly marks: number };
/** What maps there: a frame, and whether it may be written. */
export type PteValue = { readonly frame: number; readonly writable: boolean } | null;

export type GrantTables = {
  readonly base: Machine;
  /** Frames that are granted, and the granter's own entries for them. */
  readonly frames: readonly { readonly mfn: number; readonly entry: Place }[];
  /** By mapper, the entries that it maps at. */
  readonly places: readonly (readonly Place[])[];
  /** Of a grant, where its entry is. */
  readonly entryPlace: (grant: number) => Place;
  readonly entryValues: readonly EntryValue[];
  readonly entryWords: readonly Word[];
  readonly pteValues: readonly PteValue[];
  readonly pteWords: readonly Word[];
  /** By frame, the granter's own entry for it. */
  readonly ownWords: readonly Word[];
  readonly activeValues: readonly (ActiveGrant | null)[];
  readonly mappings: readonly Maptrack[];
};

const MARKS = [0, GTF.reading, GTF.writing, GTF.reading | GTF.writing];

export const wordOfEntry = (value: EntryValue, mfnOf: (frame: number) => number): Word =>
  'frame' in value
    ? new Word(mfnOf(value.frame), (value.grantee << 16) | GTF.permit_access | (value.readOnly ? GTF.readonly : 0) | value.marks)
    : new Word(0, value.marks);

/** Every number of uses, none of them all. */
const usesUpTo = (most: number, kinds: readonly number[]) => {
  const counted = (test: (kind: number) => boolean): readonly number[] => (kinds.some(test) ? upTo(most + 1) : [0]);
  return counted((kind) => isHost(kind) && isRead(kind)).flatMap((hostRead) =>
    counted((kind) => isHost(kind) && !isRead(kind)).flatMap((hostWrite) =>
      counted((kind) => isDevice(kind) && !isRead(kind)).flatMap((deviceWrite) => {
        const all = hostRead + hostWrite + deviceWrite;
        const both = kinds.some((kind) => isHost(kind) && isDevice(kind));
        return all > 0 && all <= (both ? 2 : 1) * most ? [{ hostRead, hostWrite, deviceRead: 0, deviceWrite }] : [];
      }),
    ),
  );
};

/** The granter's frames as they are mapped at first, mappers' entries empty, tables of grants and of handles there. */
export const grantTables = (scope: GrantScope, booted = bootSmall([scope.granter, ...scope.mappers], 1)): GrantTables => {
  const { granter, mappers, kinds } = scope;
  let machine = booted;
  machine = growTable(machine, granter, 1)!;
  for (const mapper of mappers) {
    const { machine: taken, handle } = takeHandle(machine, mapper, 0);
    machine = returnHandle(taken, mapper, handle!);
  }
  const frames = upTo(scope.frames).map((f) => sparePage(machine, granter, f));
  const places = mappers.map((mapper) => upTo(scope.entries).map((e) => sparePage(machine, mapper, e).entry));
  for (const place of places.flat()) machine = putPageFromL1e(writeEntry(machine, place, ZERO), entryAt(machine, place));
  const entryValues = MARKS.flatMap((marks): EntryValue[] => [
    { marks },
    ...mappers.flatMap((grantee) =>
      upTo(scope.frames).flatMap((frame) =>
        (scope.readOnly ? [false, true] : [false]).map((readOnly) => ({ grantee, frame, readOnly, marks })),
      ),
    ),
  ]);
  const pteValues: PteValue[] = [null, ...upTo(scope.frames).flatMap((frame) => [true, false].map((writable) => ({ frame, writable })))];
  const mfnOf = (frame: number): number => frames[frame]!.mfn;
  const pteWord = (value: PteValue): Word => {
    if (value === null) return ZERO;
    const low = PTE.P | (value.writable ? PTE.RW : 0) | PTE.A | PTE.D;
    return adjusted(entryFor(mfnOf(value.frame), low, PTE_HIGH.NX), 1);
  };
  return {
    base: { ...machine, journal: { events: null, clauses: [], work: null } },
    frames,
    places,
    entryPlace: (grant) => {
      const { mfn, offset } = placeOf(machine, granter, refOf(grant));
      return { mfn, index: offset / 8 };
    },
    entryValues,
    entryWords: entryValues.map((value) => wordOfEntry(value, mfnOf)),
    pteValues,
    pteWords: pteValues.map(pteWord),
    ownWords: frames.map(({ entry }) => entryAt(machine, entry)),
    activeValues: [
      null,
      ...upTo(scope.frames).flatMap((frame) =>
        mappers.flatMap((domid) => usesUpTo(scope.handles, kinds).map((uses) => ({ mfn: mfnOf(frame), domid, ...uses }))),
      ),
    ],
    mappings: upTo(scope.grants).flatMap((grant) => kinds.map((kind) => ({ domid: granter, ref: refOf(grant), flags: flagsOf(kind) }))),
  };
};

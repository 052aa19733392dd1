/**
 * The statements of spec/properties about references, uses and grants, as they stand for a small machine, by tables of what the slots' values mean: counts
 * are counted anew from entries, handles and pins.
 */
import type { FrameUse } from '../parts/frames.ts';
import type { Values } from '../slots.ts';
import { type GrantScope, type GrantTables, isDevice, isHost, isRead, upTo } from './scope.ts';
import { slotsOf } from './slots.ts';

export const brokenGrants = (scope: GrantScope, tables: GrantTables, uses: readonly FrameUse[]): ((values: Values) => string | null) => {
  const { grants, frames, mappers, entries, handles, kinds } = scope;
  const slots = slotsOf(scope);
  const frameOfMfn = new Map(tables.frames.map(({ mfn }, f) => [mfn, f]));
  const active = tables.activeValues.map((value) =>
    value === null ? null : { ...value, frame: frameOfMfn.get(value.mfn)!, mapper: mappers.indexOf(value.domid) },
  );
  const grantOf = (mapping: number): number => Math.floor(mapping / kinds.length);
  const kindOf = (mapping: number): number => kinds[mapping % kinds.length]!;
  const refs = new Int32Array(frames);
  const writes = new Int32Array(frames);
  const tablesOf = new Int32Array(frames);
  /** By grant and mapper: handles for reading, for writing, for devices. */
  const held = new Int32Array(grants * mappers.length * 3);
  /** By mapper and frame: entries for reading and writing, and grants in use that let it. */
  const mapped = new Int32Array(mappers.length * frames * 2);
  return (values) => {
    refs.fill(1);
    writes.fill(0);
    tablesOf.fill(0);
    held.fill(0);
    mapped.fill(0);
    for (let f = 0; f < frames; f++) {
      if (values[slots.own(f)]) {
        refs[f]!++;
        writes[f]!++;
      }
      if (uses[values[slots.use(f)]!]!.pinned) {
        refs[f]!++;
        tablesOf[f]!++;
      }
    }
    for (let m = 0; m < mappers.length; m++) {
      for (let e = 0; e < entries; e++) {
        const pte = tables.pteValues[values[slots.pte(m, e)]!]!;
        if (pte === null) continue;
        refs[pte.frame]!++;
        if (pte.writable) writes[pte.frame]!++;
        mapped[(m * frames + pte.frame) * 2 + (pte.writable ? 1 : 0)]!++;
      }
      for (let h = 0; h < handles; h++) {
        if (!values[slots.isUsed(m, h)]) continue;
        const mapping = values[slots.mapping(m, h)]!;
        const kind = kindOf(mapping);
        const at = (grantOf(mapping) * mappers.length + m) * 3;
        if (isHost(kind)) held[at + (isRead(kind) ? 0 : 1)]!++;
        if (isDevice(kind)) held[at + 2]!++;
      }
    }
    for (let g = 0; g < grants; g++) {
      const use = active[values[slots.active(g)]!]!;
      for (let m = 0; m < mappers.length; m++) {
        const at = (g * mappers.length + m) * 3;
        const isUser = use !== null && use.mapper === m;
        const counts = [isUser ? use.hostRead : 0, isUser ? use.hostWrite : 0, isUser ? use.deviceWrite : 0];
        for (let n = 0; n < 3; n++)
          if (counts[n] !== held[at + n])
            return `grant ${g} is in use ${counts} times by d${mappers[m]}, which has handles for ${[...held.subarray(at, at + 3)]}`;
      }
      if (use === null) continue;
      refs[use.frame] = refs[use.frame]! + use.deviceWrite;
      writes[use.frame] = writes[use.frame]! + use.deviceWrite;
      const at = (use.mapper * frames + use.frame) * 2;
      mapped[at] = mapped[at]! - use.hostRead;
      mapped[at + 1] = mapped[at + 1]! - use.hostWrite;
    }
    for (let f = 0; f < frames; f++) {
      const { type, typeRefs } = uses[values[slots.use(f)]!]!;
      if (values[slots.refs(f)] !== refs[f]) return `frame ${f} has ${values[slots.refs(f)]} references; found are ${refs[f]}`;
      const used = type === 'writable' ? writes[f]! : type === 'l1' ? tablesOf[f]! : 0;
      const other = writes[f]! + tablesOf[f]! - used;
      if (used !== typeRefs || other !== 0)
        return `frame ${f} has ${typeRefs} uses as ${type}; found are ${writes[f]} writable ones and ${tablesOf[f]} as a table`;
    }
    for (const at of upTo(mapped.length))
      if (mapped[at]! > 0)
        return `d${mappers[Math.floor(at / 2 / frames)]} maps frame ${Math.floor(at / 2) % frames} ${at % 2 ? 'for writing' : 'for reading'} by more entries than grants let it`;
    return null;
  };
};

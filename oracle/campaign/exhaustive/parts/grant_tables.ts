/** Grants in use, and the handles of those who use them. Which handle comes next is left out: handles are names, and here the lowest comes next. */
import type { ActiveGrant, GrantTable, Maptrack } from '#model/domain.ts';
import { grantsOf, updateGrants } from '#model/hypercall/grant_table/handles.ts';
import type { Machine } from '#model/machine.ts';
import { itemAt, itemsOf, withItem } from '#model/numbered.ts';
import { ModelBug } from '#spec/failure.ts';
import { isWatched, watchedArray } from '../watch.ts';
import { outside, type Part } from './part.ts';

const activeKey = ({ mfn, domid, hostRead, hostWrite, deviceRead, deviceWrite }: ActiveGrant): string =>
  [mfn, domid, hostRead, hostWrite, deviceRead, deviceWrite].join();

/** `refs` stand in the first block of the table. `values`: what each of them can be, nothing first. */
export const activePart = (domid: number, refs: readonly number[], values: readonly (ActiveGrant | null)[]): Part => {
  const places = new Map(values.map((value, v) => [value === null ? '' : activeKey(value), v]));
  return {
    slots: refs.map((ref) => ({ name: `d${domid} use of grant ${ref}`, size: values.length })),
    read: (machine, into, first) => {
      const { active } = grantsOf(machine, domid);
      if (itemsOf(active).some(([ref]) => !refs.includes(ref))) throw outside(`the use of another grant of d${domid}`);
      let isWithin = true;
      for (const [r, ref] of refs.entries()) {
        const grant = itemAt(active, ref);
        const value = places.get(grant === null ? '' : activeKey(grant));
        if (value === undefined) isWithin = false;
        into[first + r] = value ?? 0;
      }
      return isWithin;
    },
    write: (machine, chosen, first) => {
      let { active } = grantsOf(machine, domid);
      for (const [r, ref] of refs.entries()) active = withItem(active, ref, values[chosen[first + r]!]!);
      return updateGrants(machine, domid, { active });
    },
    watch: (machine, onTouch) => {
      const block = grantsOf(machine, domid).active[0]!;
      const items = watchedArray(block.items, (number) => {
        const r = refs.indexOf(number);
        if (r >= 0) onTouch(r);
      });
      // How many there are is told by none of them alone: nobody asks for it but those who look at each.
      const watched = Object.assign(Object.create(Object.getPrototypeOf(block)), { items, used: items.length / 2 });
      return {
        machine: updateGrants(machine, domid, { active: [watched] }),
        settle: (after) => {
          const [now] = grantsOf(after, domid).active;
          if (!now || !isWatched(now.items)) for (const r of refs.keys()) onTouch(r);
        },
      };
    },
  };
};

/** For each handle whether it is used, and for what. The table must have its first frame of handles. */
export const handlesPart = (base: Machine, domid: number, handles: number, mappings: readonly Maptrack[]): Part => {
  const all = grantsOf(base, domid).maptrack.length;
  const keyOf = ({ domid: dom, ref, flags }: Maptrack): string => [dom, ref, flags].join();
  const places = new Map(mappings.map((mapping, m) => [keyOf(mapping), m]));
  const checkFree = ({ maptrack, freeHandles }: GrantTable): void => {
    const [free] = freeHandles;
    const names = new Set(free);
    const isRight = maptrack.length === all && freeHandles.length === 1 && names.size === free!.length;
    if (!isRight || maptrack.some((mapping, handle) => (mapping === null) !== names.has(handle)))
      throw new ModelBug(`handles of d${domid} are neither free nor used, or both`);
  };
  return {
    slots: Array.from({ length: handles }, (_, h) => [
      { name: `d${domid} handle ${h} is used`, size: 2 },
      { name: `d${domid} handle ${h}`, size: mappings.length },
    ]).flat(),
    read: (machine, into, first) => {
      const table = grantsOf(machine, domid);
      checkFree(table);
      for (let h = 0; h < handles; h++) {
        const mapping = table.maptrack[h]!;
        const place = mapping === null ? 0 : places.get(keyOf(mapping));
        if (place === undefined) throw outside(`handle ${h} of d${domid} to what it never is: it`);
        into[first + 2 * h] = mapping === null ? 0 : 1;
        into[first + 2 * h + 1] = place;
      }
      return table.maptrack.every((mapping, h) => h < handles || mapping === null);
    },
    write: (machine, values, first) => {
      const maptrack = new Array<Maptrack | null>(all).fill(null);
      for (let h = 0; h < handles; h++) if (values[first + 2 * h]) maptrack[h] = mappings[values[first + 2 * h + 1]!]!;
      const free = [...maptrack.keys()].filter((handle) => maptrack[handle] === null);
      return updateGrants(machine, domid, { maptrack, freeHandles: [free] });
    },
    watch: (machine, onTouch) => {
      const { maptrack, freeHandles } = grantsOf(machine, domid);
      const touchAll = (): void => {
        for (let h = 0; h < handles; h++) onTouch(2 * h);
      };
      const onHandle = (handle: number): void => {
        if (handle >= handles) return;
        onTouch(2 * handle);
        if (maptrack[handle] !== null) onTouch(2 * handle + 1);
      };
      const watched = watchedArray(maptrack, onHandle);
      const free = [watchedArray(freeHandles[0]!, touchAll)];
      return {
        machine: updateGrants(machine, domid, { maptrack: watched, freeHandles: free }),
        settle: (after) => {
          const grants = grantsOf(after, domid);
          if (grants.freeHandles !== free) touchAll();
          if (!isWatched(grants.maptrack)) for (let h = 0; h < handles; h++) onHandle(h);
        },
      };
    },
  };
};

/** What else a domain's grants are stays as it is; `told`: what other parts look after. */
export const otherGrants = (base: Machine, domid: number, told: readonly (keyof GrantTable)[]): Part => {
  const before = grantsOf(base, domid);
  const others = (Object.keys(before) as (keyof GrantTable)[]).filter((key) => !told.includes(key));
  return {
    slots: [],
    read: (machine) => {
      const now = grantsOf(machine, domid);
      for (const key of others) if (now[key] !== before[key]) throw outside(`${key} of d${domid}`);
      if (Object.keys(now).length !== Object.keys(before).length) throw outside(`what d${domid} has of grants`);
      return true;
    },
    write: (machine) => machine,
    watch: (machine) => ({ machine, settle: () => {} }),
  };
};

/** Advisories about grant tables. */
import type { Mutant } from '../catalogue.ts';
import { advisory, hostFault } from './advisory.ts';

export const GRANTS: readonly Mutant[] = [
  advisory(
    '18',
    'grant_table/swap_grant_ref.ts',
    '  if (a >= grants.entries() || b >= grants.entries()) return GNTST.bad_gntref;\n',
    '',
    'references beyond the table are swapped',
  ),
  advisory(
    '24',
    'compat/grants.ts',
    '    given.setInt16(STATUS_OF_STATUS, status, true);\n',
    `    ${hostFault('the same request again and again')}\n`,
    'get_status_frames of a 32-bit guest never ends',
  ),
  advisory(
    '50',
    'grant_table/acquire_for_copy.ts',
    'if (version === 2 && active.transDomid !== granter.domid) {',
    'if (version !== 2) {',
    'a grant that was passed on stays in use after the copy',
  ),
  advisory(
    '224a',
    'grant_table/map_grant_ref.ts',
    'let taken = !device || takeType();',
    'let taken = true;',
    'a device mapping that may write holds no type, and gives one back',
  ),
  advisory(
    '224b',
    'grant_table/unmap_grant_ref.ts',
    'if (device) ended |= GNTMAP.device_map;',
    'if ((flags & GNTMAP.device_map) !== 0) ended |= GNTMAP.device_map;',
    'whoever unmaps the host part ends the device part too',
  ),
  advisory(
    '224d',
    'grant_table/unmap_grant_ref.ts',
    'newHi, flags)) return GNTST.general_error;',
    'newHi, flags)) {\n      doneFlags[slot] = GNTMAP.host_map | (flags & GNTMAP.readonly);\n      doneDomid[slot] = domid;\n      doneRef[slot] = ref;\n      return GNTST.general_error;\n    }',
    'an unmap that fails gives back what the mapping holds',
  ),
  advisory(
    '227',
    'grant_table/pv_mapping.ts',
    'if ((lo & 7) !== 0 || table >= frames.count) return -1;',
    'if (table >= frames.count) return -1;',
    'a mapping is stored across two entries',
  ),
  advisory(
    '232',
    'grant_table/cache_flush.ts',
    '  if (!owner) return -ERRNO.EPERM;\n',
    `  if (!owner && frames.refs[mfn] !== 0) ${hostFault('an owner without a grant table')}\n  if (!owner) return -ERRNO.EPERM;\n`,
    'owners of pages are taken for domains with grant tables',
  ),
  advisory(
    '234',
    'grant_table/pv_mapping.ts',
    'frameOf(entryLo, entryHi) === mfn && ((entryLo ^ entryFlags(flags)) & (PTE.PRESENT | PTE.RW)) === 0;',
    'frameOf(entryLo, entryHi) === mfn;',
    'an unmap does not look whether the entry may write, nor whether it is there',
  ),
  advisory(
    '255',
    'grant_table/status_frames.ts',
    '    if (frames.refs[mfn] !== 0) {\n      frames.touch(mfn);\n      frames.refs[mfn]++;',
    '    if (frames.refs[mfn] < 0) {\n      frames.touch(mfn);\n      frames.refs[mfn]++;',
    'status frames go although the guest maps them',
  ),
  advisory(
    '316',
    'grant_table/map_grant_ref.ts',
    '  if (!active.isPinned()) all.delete(ref);\n  return GNTST.general_error;\n',
    '  if (!active.isPinned()) all.delete(ref);\n  return 1;\n',
    'a mapping that fails answers a positive status',
  ),
  advisory(
    '380',
    'grant_table/release_mappings.ts',
    '      if (shouldPreempt(machine, vcpu)) return -ERRNO.ERESTART;\n',
    '',
    'the mappings of a dying domain are given back in one go',
  ),
];

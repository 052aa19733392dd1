/** What releases changed in grant tables. Chapter: spec/chapters/grant_table.md. */
import { change } from './change.ts';

export const GRANT_CHANGES = {
  'unmap-bus_address': change({
    clause: 'gnttab/unmap-bus_address',
    ways: { '4.14': 'of any mapping', '4.17': 'of device mappings', '4.20': 'of device mappings' },
    says: {
      'of any mapping': "A bus address that is not the frame's is refused for any mapping, with status -1 (general error).",
      'of device mappings':
        "A bus address counts for device mappings alone; one that is not the frame's is status -6 (bad device address).",
    },
    shown: { script: 'release-grants', steps: [4] },
  }),
  'copy-others_frame': change({
    clause: 'gnttab/copy-permission',
    ways: { '4.14': 'with its domain', '4.17': 'where taken', '4.20': 'where taken' },
    says: {
      'with its domain': "Another domain's frame is permission_denied before that side's domain is looked up.",
      'where taken': "Another domain's frame is permission_denied where that side is taken, once both domains are found.",
    },
    shown: { script: 'release-grants', steps: [5] },
  }),
  'copy-no_bytes': change({
    clause: 'gnttab/copy-domain',
    ways: { '4.14': 'looked at', '4.17': 'looked at', '4.20': 'done' },
    says: {
      'looked at': 'A copy of no bytes is looked at as any other.',
      done: 'A copy of no bytes is done before anything of it is looked at.',
    },
    shown: { script: 'release-grants', steps: [7] },
  }),
  'get_status_frames-list_range': change({
    clause: 'gnttab/get_status_frames-argument',
    ways: { '4.14': 'as it is written', '4.17': 'first', '4.20': 'first' },
    says: {
      'as it is written': "A list in Xen's range is noticed when a frame cannot be written to it.",
      first: "A list that begins in Xen's range is EFAULT before anything else.",
    },
    shown: { script: 'release-grants', steps: [8, 11] },
  }),
  'grant-full': change({
    clause: 'gnttab/map-active',
    ways: { '4.14': 'any count', '4.17': 'the counts in question', '4.20': 'the counts in question' },
    says: {
      'any count': 'A grant one of whose four counts has reached 128 takes no further use of any kind.',
      'the counts in question': 'A count that has reached 128 refuses the uses alone that it would count.',
    },
    shown: { script: 'gnttab-map-many', steps: [10] },
  }),
  'copy-kept': change({
    clause: 'gnttab/copy-kept',
    ways: { '4.14': 'by number', '4.17': 'by number and kind', '4.20': 'by number and kind' },
    says: {
      'by number': 'A frame that has the number of the reference held, or of the frame named before it, counts as the same.',
      'by number and kind': 'A reference is the same as a reference alone, a frame as a frame.',
    },
    shown: { script: 'gnttab-copy-kept', steps: [5] },
  }),
  'copy-changed': change({
    clause: 'gnttab/copy-changed',
    ways: { '4.14': 'unnoticed', '4.17': 'general_error', '4.20': 'general_error' },
    says: {
      unnoticed:
        'An entry that names another frame by then is not noticed: the bytes go to the frame of the first use, the reference to the other.',
      general_error: 'An entry that names another frame (or part) by then is general_error.',
    },
    shown: { script: 'gnttab-copy', steps: [84, 88] },
  }),
} as const;

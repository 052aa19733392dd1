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
} as const;

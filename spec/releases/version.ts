/** What releases changed in xen_version. Chapter: spec/chapters/version.md. */
import { change } from './change.ts';

/** Texts of any length, each behind the length of the guest's buffer: numbers of the operations. Source: `version.h` of 4.20. */
export const XENVER_VARBUF = { extraversion2: 11, capabilities2: 12, changeset2: 13, commandline2: 14 } as const;

export const VERSION_CHANGES = {
  'xen_version-varbuf': change({
    clause: 'version/unknown',
    ways: { '4.14': 'absent', '4.17': 'absent', '4.20': 'present' },
    says: {
      absent: 'Operations 11 to 14 are unknown (ENOSYS).',
      present:
        'Operations 11 to 14 tell extraversion, capabilities, changeset and command line whole: their length for a null pointer, ENOBUFS for a buffer that is too small. The command line is for domain 0 (EPERM).',
    },
    shown: { script: 'release-version', steps: [2, 3] },
  }),
  'build_id-no_room': change({
    clause: 'version/build_id-empty',
    ways: { '4.14': 'EINVAL', '4.17': 'EINVAL', '4.20': 'ENOBUFS' },
    says: { EINVAL: 'A buffer of no bytes is EINVAL.', ENOBUFS: 'A buffer of no bytes is too small: ENOBUFS.' },
    shown: { script: 'release-version', steps: [4] },
  }),
} as const;

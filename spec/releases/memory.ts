/** What releases changed in memory_op and mmuext_op. Chapters: spec/chapters/memory_op.md, spec/chapters/memory.md. */
import { change } from './change.ts';

/** Most frames of one acquire_resource, and the answer to who asks how many there are, where no resource has a size of its own. */
export const ACQUIRE_ONCE_MOST = 32;

export const MEMORY_CHANGES = {
  'acquire_resource-sizes': change({
    clause: 'memory/acquire_resource-size',
    ways: { '4.14': 'most 32', '4.17': 'of the resource', '4.20': 'of the resource' },
    says: {
      'most 32':
        'Who asks for the size is told 32 before the domain is looked at; more than 32 frames are E2BIG; nothing is done in parts, and frames are looked up from the last to the first.',
      'of the resource': 'Each resource has a size, that is told; any number of frames is brought in parts.',
    },
    shown: { script: 'release-memory', steps: [1, 2] },
  }),
  'acquire_resource-unknown_type': change({
    clause: 'memory/acquire_resource-type',
    ways: { '4.14': 'EOPNOTSUPP', '4.17': 'EOPNOTSUPP', '4.20': 'EINVAL' },
    says: {
      EOPNOTSUPP: 'A type that Xen does not know is EOPNOTSUPP, once its frames are looked for.',
      EINVAL: 'A type that Xen does not know has no frames: EINVAL.',
    },
    shown: { script: 'release-memory', steps: [8] },
  }),
  'pod_target-pv': change({
    clause: 'memory/pod-refused',
    ways: { '4.14': 'answered', '4.17': 'EINVAL', '4.20': 'EINVAL' },
    says: {
      answered:
        "Domain 0 is told the pages of PV domains too, and others are refused (EPERM); a target above the domain's maximum is EINVAL.",
      EINVAL: 'For PV domains it is EINVAL, whoever asks.',
    },
    shown: { script: 'release-memory', steps: [3, 6] },
  }),
  'paging_op-built': change({
    clause: 'memory/unknown',
    ways: { '4.14': 'built', '4.17': 'absent', '4.20': 'absent' },
    says: {
      built: 'paging_op is built: after argument (EFAULT) and domain (ESRCH, EPERM for oneself and without the right) it is ENODEV.',
      absent: 'paging_op is an operation that Xen does not know.',
    },
    shown: { script: 'release-memory', steps: [4] },
  }),
  'machphys_compat-built': change({
    clause: 'memory/machphys_compat-unsupported',
    ways: { '4.14': 'listed', '4.17': 'EOPNOTSUPP', '4.20': 'EOPNOTSUPP' },
    says: {
      listed: 'The frames of the table for 32-bit domains are listed, one for each 2 MiB of it.',
      EOPNOTSUPP: 'EOPNOTSUPP, before the argument is read.',
    },
    shown: { script: 'release-memory', steps: [5] },
  }),
  'flush_cache_global-errno': change({
    clause: 'mmu/flush_cache-permission',
    ways: { '4.14': 'EINVAL', '4.17': 'EINVAL', '4.20': 'EACCES' },
    says: {
      EINVAL: 'FLUSH_CACHE_GLOBAL without the right is EINVAL.',
      EACCES: 'FLUSH_CACHE_GLOBAL without the right is EACCES, as FLUSH_CACHE is.',
    },
    shown: { script: 'release-memory', steps: [7] },
  }),
} as const;

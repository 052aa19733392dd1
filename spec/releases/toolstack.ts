/** What releases changed in what domain 0's tools are answered. Chapters: spec/chapters/domctl.md, sysctl.md, hypfs.md, privileged.md. */
import { change } from './change.ts';

export const TOOLSTACK_CHANGES = {
  'domctl-unknown': change({
    clause: 'domctl/unknown',
    ways: { '4.14': 'EOPNOTSUPP', '4.17': 'ENOSYS', '4.20': 'ENOSYS' },
    says: {
      EOPNOTSUPP: 'What Xen was built without is EOPNOTSUPP, vmtrace_op among it.',
      ENOSYS: 'What Xen was built without is ENOSYS; vmtrace_op is for HVM guests.',
    },
    shown: { script: 'release-toolstack', steps: [1, 2, 3, 4, 5, 6] },
  }),
  'vm_event_op-paging': change({
    clause: 'domctl/vm_event_op-not_built',
    ways: { '4.14': 'built', '4.17': 'absent', '4.20': 'absent' },
    says: {
      built:
        'The ring of paging is built: no PV domain may have it (ENODEV), there is none to take away (EINVAL), none to go on with (ENODEV).',
      absent: 'Paging has no ring.',
    },
    shown: { script: 'release-toolstack', steps: [7, 8, 9, 10, 11, 12, 13, 14, 15] },
  }),
  'getdomaininfo-record': change({
    clause: 'domctl/getdomaininfo-told',
    ways: { '4.14': '104 bytes', '4.17': '112 bytes', '4.20': '112 bytes' },
    says: {
      '104 bytes':
        'The record has 104 bytes: the bits of an address are not told, what is emulated stands in their place, and what fills the record up is left as it was.',
      '112 bytes': 'The record has 112 bytes.',
    },
    shown: { script: 'release-toolstack', steps: [16, 17, 18] },
  }),
  'setdebugging-traps': change({
    clause: 'domctl/setdebugging-lost',
    ways: { '4.14': "the guest's", '4.17': 'kept', '4.20': 'kept' },
    says: {
      "the guest's": 'Xen is built without what keeps them: the guest meets #BP and #DB as any other.',
      kept: "#BP and #DB of a debugged domain's kernel are kept from it.",
    },
    shown: { script: 'release-toolstack', steps: [36] },
  }),
  'set_vcpu_msrs-errno': change({
    clause: 'domctl/set_vcpu_msrs-done',
    ways: { '4.14': 'EINVAL', '4.17': 'EINVAL', '4.20': 'ENXIO' },
    says: {
      EINVAL: 'A register that is none, or does not take the value, is EINVAL.',
      ENXIO: 'A register that is none, or does not take the value, is ENXIO; one beyond 32 bits stays EINVAL.',
    },
    shown: { script: 'release-toolstack', steps: [40, 41, 42, 43, 44, 45] },
  }),
  'livepatch_op-second_word': change({
    clause: 'sysctl/livepatch_op-unknown',
    ways: { '4.14': 'zero', '4.17': 'zero', '4.20': 'flags' },
    says: {
      zero: 'The second word must be zero.',
      flags: 'The second word is flags, of which bit 0 lets any others pass: EINVAL without it.',
    },
    shown: { script: 'release-toolstack', steps: [46, 47, 48, 49] },
  }),
  'pm_op-states': change({
    clause: 'sysctl/pm_op-cstate',
    ways: { '4.14': 'one', '4.17': 'one', '4.20': 'any' },
    says: { one: 'At first no state of rest beyond the first is allowed.', any: 'At first any state of rest is allowed.' },
    shown: { script: 'release-toolstack', steps: [50, 51] },
  }),
  'kexec_op-unknown': change({
    clause: 'kexec/operation',
    ways: { '4.14': 'nothing', '4.17': 'nothing', '4.20': 'EOPNOTSUPP' },
    says: {
      nothing: 'An operation that Xen does not know does nothing, and answers 0.',
      EOPNOTSUPP: 'An operation that Xen does not know is EOPNOTSUPP.',
    },
    shown: { script: 'release-toolstack', steps: [52, 53] },
  }),
  'get_cpu_featureset-words': change({
    clause: 'sysctl/get_cpu_featureset-told',
    ways: { '4.14': '18', '4.17': '19', '4.20': '19' },
    says: {
      '18': 'There are 18 words; of the sets for hardware and for all that Xen could offer, some bits are others.',
      '19': 'There are 19 words.',
    },
    shown: { script: 'release-toolstack', steps: [54, 55] },
  }),
  'get_cpu_policy-leaves': change({
    clause: 'sysctl/get_cpu_policy-leaves',
    ways: { '4.14': '52', '4.17': '54', '4.20': '54' },
    says: {
      '52': 'The most that a PV guest may have takes 52 leaves: two of leaf 7 less.',
      '54': 'The most that a PV guest may have takes 54 leaves.',
    },
    shown: { script: 'release-toolstack', steps: [56, 57] },
  }),
  'cpupool_op-info_beyond': change({
    clause: 'sysctl/cpupool_op-none',
    ways: { '4.14': 'next', '4.17': 'none', '4.20': 'none' },
    says: {
      next: 'Numbers from 0x80000000 on count as less than zero: the next pool, 0, is told for them.',
      none: 'There is no pool beyond 0.',
    },
    shown: { script: 'release-toolstack', steps: [58, 59, 60, 61] },
  }),
  'cpupool_op-processor_0': change({
    clause: 'sysctl/cpupool_op-remove',
    ways: { '4.14': 'any', '4.17': 'stays', '4.20': 'stays' },
    says: {
      any: 'Any processor may leave a pool that has others; the last is EBUSY.',
      stays: 'Processor 0 stays in pool 0: EINVAL.',
    },
    shown: { script: 'release-toolstack', steps: [62, 63] },
  }),
  'hypfs-pools': change({
    clause: 'hypfs/path-pool',
    ways: { '4.14': 'absent', '4.17': 'listed', '4.20': 'listed' },
    says: {
      absent: 'There is no directory of pools, and no setting says what to do at a crash.',
      listed: 'Pools are a directory, named by their numbers.',
    },
    shown: { script: 'release-toolstack', steps: [64, 65, 66] },
  }),
  'hypfs-loglvl': change({
    clause: 'hypfs/write-levels',
    ways: { '4.14': 'warning/warning', '4.17': 'warning/warning', '4.20': 'info/info' },
    says: {
      'warning/warning': "Xen's own thresholds are at first warning/warning.",
      'info/info': "Xen's own thresholds are at first info/info.",
    },
    shown: { script: 'release-toolstack', steps: [68] },
  }),
  'getdomaininfolist-record': change({
    clause: 'sysctl/getdomaininfolist',
    ways: { '4.14': '104 bytes', '4.17': '112 bytes', '4.20': '112 bytes' },
    says: { '104 bytes': 'Records are 104 bytes apart.', '112 bytes': 'Records are 112 bytes apart.' },
    shown: { script: 'release-toolstack', steps: [19, 20, 21, 22] },
  }),
  'physinfo-record': change({
    clause: 'sysctl/physinfo',
    ways: { '4.14': 'short', '4.17': 'long', '4.20': 'long' },
    says: {
      short:
        'Capabilities of one processor family have no words: what follows them comes 8 bytes earlier. Both versions of grant tables are not told.',
      long: 'Capabilities of the machine have 16 bytes.',
    },
    shown: { script: 'release-toolstack', steps: [24, 25, 26, 29, 30, 31] },
  }),
  'physinfo-features': change({
    clause: 'sysctl/physinfo',
    ways: { '4.14': 'less', '4.17': 'less', '4.20': 'all' },
    says: {
      less: "5-level paging and supervisor keys are taken away from the processor's features.",
      all: "5-level paging and supervisor keys stay among the processor's features.",
    },
    shown: { script: 'release-toolstack', steps: [27, 32] },
  }),
  'hypfs-relative': change({
    clause: 'hypfs/path-text',
    ways: { '4.14': 'ENOENT', '4.17': 'EINVAL', '4.20': 'EINVAL' },
    says: {
      ENOENT: 'A path that does not begin with a slash leads nowhere: ENOENT.',
      EINVAL: 'A path that does not begin with a slash is EINVAL.',
    },
    shown: { script: 'release-toolstack', steps: [67] },
  }),
} as const;

/** What releases changed in vcpu_op and multicall. Chapters: spec/chapters/vcpu.md, spec/chapters/multicall.md. */
import { change } from './change.ts';

/** Numbers of the operations. Source: `vcpu.h` of 4.20. */
export const VCPUOP_PHYS_AREAS = { register_runstate_phys_area: 14, register_vcpu_time_phys_area: 15 } as const;

export const VCPU_CHANGES = {
  'register_vcpu_info-misplaced': change({
    clause: 'vcpu/register_vcpu_info-offset',
    ways: { '4.14': 'EINVAL', '4.17': 'ENXIO', '4.20': 'ENXIO' },
    says: { EINVAL: 'A record that would cross the page or is not aligned is EINVAL.', ENXIO: 'It is ENXIO.' },
    shown: { script: 'release-vcpu', steps: [1] },
  }),
  'register_vcpu_info-checks': change({
    clause: 'vcpu/register_vcpu_info-again',
    ways: { '4.14': 'place first', '4.17': 'place first', '4.20': 'again first' },
    says: {
      'place first':
        'Checked are the place, whether there was a registration before (EINVAL), whether the vCPU is down or the caller (EINVAL), and the frame (EINVAL).',
      'again first':
        'Checked are an offset beyond the page (EINVAL), whether there was a registration before (EBUSY), the rest of the place, the frame (EINVAL) and its type (EACCES). The vCPU need not be down. The time record is renewed on success alone.',
    },
    shown: { script: 'release-vcpu', steps: [2] },
  }),
  'vcpu_op-phys_areas': change({
    clause: 'vcpu/op-unknown',
    ways: { '4.14': 'absent', '4.17': 'absent', '4.20': 'present' },
    says: {
      absent: 'Operations 14 and 15 are unknown (ENOSYS).',
      present:
        "register_runstate_phys_area (14) and register_vcpu_time_phys_area (15) take the records' guest physical address; an argument that cannot be read is EFAULT.",
    },
    shown: { script: 'release-vcpu', steps: [9] },
  }),
  'poll-free_port': change({
    clause: 'sched/poll-port',
    ways: { '4.14': 'waits', '4.17': 'EINVAL', '4.20': 'EINVAL' },
    says: {
      waits: 'A valid port at which no channel is, is never pending: the vCPU may wait for it.',
      EINVAL: 'A port at which no channel is, is EINVAL.',
    },
    shown: { script: 'release-vcpu', steps: [8] },
  }),
  'set_singleshot_timer-future': change({
    clause: 'vcpu/set_singleshot_timer-past',
    ways: { '4.14': 'ETIME', '4.17': 'ignored', '4.20': 'ignored' },
    says: {
      ETIME: 'With VCPU_SSHOTTMR_future a time that is over is ETIME, and the timer stays as it was.',
      ignored: 'VCPU_SSHOTTMR_future changes nothing.',
    },
    shown: { script: 'release-vcpu', steps: [3] },
  }),
  'multicall-count': change({
    clause: 'multicall/list-done',
    ways: { '4.14': '32 bits', '4.17': '32 bits', '4.20': '64 bits' },
    says: {
      '32 bits': 'The number of entries is the low half of its argument.',
      '64 bits': 'The number of entries is the whole argument, until the call is interrupted: what is left then is cut to 32 bits.',
    },
    shown: { script: 'release-vcpu', steps: [7] },
  }),
} as const;

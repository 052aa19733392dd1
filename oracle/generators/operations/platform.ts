/** platform_op, xenpmu_op, and what physdev_op has of interrupts. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { QUIRK, XEN_FW, XENPF_INTERFACE_VERSION } from '#spec/abi/platform.ts';
import { MATRIX } from '#spec/matrix/matrix.ts';
import type { Argument } from '#spec/program.ts';
import { type Args, type Fault, type Operation, operation, POINTERS, struct, wrong, wrongField } from './operation.ts';

const OP = SUBOPERATIONS.platform_op;
const VERSION = wrongField(0, 'interface_version', { older: 0x03000000, none: 0 });
const NO_SUCH_CPU = wrongField(0, 'word0', { absent: 1, far: '0xffffffff' });

/** The operation with its words. */
const call = (name: keyof typeof OP, ...words: readonly Argument[]): Args => [
  struct('platform.call', {
    cmd: OP[name],
    interface_version: XENPF_INTERFACE_VERSION,
    ...Object.fromEntries(words.map((word, i) => [`word${i}`, word])),
  }),
];
const platform = (name: keyof typeof OP, args: Args, faults: readonly Fault[] = [], variants: readonly Args[] = []): Operation =>
  operation(`platform_op/${name}`, args, { faults: [VERSION, wrongField(0, 'cmd', { unknown: 47 }), faults], variants });

const firmware = (type: number, index = 0): Args => call('firmware_info', type, index);

const PLATFORM: readonly Operation[] = [
  platform('firmware_info', firmware(XEN_FW.KBD_SHIFT_FLAGS), wrongField(0, 'word0', { none: 0, unknown: 6 }), [
    firmware(XEN_FW.DISK_INFO),
    firmware(XEN_FW.DISK_MBR_SIGNATURE),
    firmware(XEN_FW.EFI_INFO),
    firmware(XEN_FW.KBD_SHIFT_FLAGS, 1),
  ]),
  platform('get_cpuinfo', call('get_cpuinfo', 0, 7, 7, 7, 7), NO_SUCH_CPU),
  platform('get_cpu_version', call('get_cpu_version', 0), NO_SUCH_CPU),
  platform('platform_quirk', call('platform_quirk', QUIRK.IOAPIC_GOOD_REGSEL), wrongField(0, 'word0', { none: 0, unknown: 4 })),
  platform('cpu_online', call('cpu_online', 0), NO_SUCH_CPU),
  platform('cpu_offline', call('cpu_offline', 0), NO_SUCH_CPU),
  platform('settime64', call('settime64', 1_600_000_000, 0, 5), wrongField(0, 'word3', { reserved: 1 })),
  platform('settime32', call('settime32', 1_600_000_000, 5)),
  platform('read_memtype', call('read_memtype', 0), wrongField(0, 'word0', { empty: 1, beyond: 8 })),
  platform('add_memtype', call('add_memtype', 0x10000, 0, 3, 0), wrongField(0, 'word2', { none: 0 })),
  platform('del_memtype', call('del_memtype', 0, 7), wrongField(0, 'word1', { beyond: 8, far: '0xffffffff' })),
  platform('set_processor_pminfo', call('set_processor_pminfo', 9, 0), wrongField(0, 'word1', { throttling: 2, unknown: 4 })),
  platform('resource_op', call('resource_op', 0), wrongField(0, 'word0', { many: 4, all: '0xffffffff' })),
  platform('change_freq', call('change_freq')),
  platform('getidletime', call('getidletime')),
];

/** The rest; what is refused to others whatever the operation. */
const MANAGEMENT: readonly Operation[] = MATRIX.flatMap(({ call: of, sub }): readonly Operation[] => {
  if (of !== 'platform_op' || sub === null || !(sub in OP) || PLATFORM.some(({ row }) => row === `platform_op/${sub}`)) return [];
  return [platform(sub as keyof typeof OP, call(sub as keyof typeof OP))];
});

const PMU: readonly Operation[] = MATRIX.filter((row) => row.call === 'xenpmu_op' && row.command !== null).map(({ sub, command }) =>
  operation(`xenpmu_op/${sub}`, [command!, 0], {
    faults: [wrong(0, 'command', { unknown: 99 }), wrong(1, 'argument', POINTERS)],
  }),
);

/** The page would be kept for good. */
const eoiMap = (name: 'pirq_eoi_gmfn_v1' | 'pirq_eoi_gmfn_v2'): Operation =>
  operation(`physdev_op/${name}`, [SUBOPERATIONS.physdev_op[name], struct('physdev.pirq_eoi_gmfn', { gmfn: { page: 1, as: 'mfn' } })], {
    onlyWrong: true,
    faults: [wrong(0, 'command', { unknown: 60 })],
  });

export const PLATFORM_OP: readonly Operation[] = [
  ...PLATFORM,
  ...MANAGEMENT,
  ...PMU,
  eoiMap('pirq_eoi_gmfn_v1'),
  eoiMap('pirq_eoi_gmfn_v2'),
];

/** LEA, XLAT, CPUID, hints, fences and what else SDM volume 1, 5.1.13 to 5.1.16, has. */
import { LEGACY, range, row } from './make.ts';

export const MISCELLANEOUS = [
  row('1', 0x8d, 'lea Gv,M', { mod: 'mem' }),
  row('1', 0xd7, 'xlat'),
  // SETALC: AL becomes -CF; in no manual of Intel's before 2018 nor in AMD's, and in every processor.
  row('1', 0xd6, 'salc', LEGACY),
  row('0f', 0xa2, 'cpuid'),
  row('0f', 0x31, 'rdtsc'),
  row('0f', 0x01, 'rdtscp', { modrm: 0xf9, feature: 'rdtscp' }),
  row('0f', 0xae, 'lfence', { ext: 5, mod: 'reg', prefix: 'np', feature: 'sse2' }),
  row('0f', 0xae, 'mfence', { ext: 6, mod: 'reg', prefix: 'np', feature: 'sse2' }),
  row('0f', 0xae, 'sfence', { ext: 7, mod: 'reg', prefix: 'np', feature: 'sse' }),
  row('0f', 0xae, 'clflush M', { ext: 7, mod: 'mem', prefix: 'np', feature: 'clfsh' }),
  row('0f', 0xae, 'clflushopt M', { ext: 7, mod: 'mem', prefix: '66', feature: 'clflushopt' }),
  row('0f', 0xae, 'clwb M', { ext: 6, mod: 'mem', prefix: '66', feature: 'clwb' }),
  // PREFETCHW among them; modrm.reg is a hint.
  row('0f', 0x0d, 'prefetch M', { mod: 'mem' }),
  // `f3 0f 1e fa`, ENDBR64, is such a NOP.
  ...range(8).map((i) => row('0f', 0x18 + i, 'nop Ev')),
  row('0f', 0xc7, 'rdrand Ev', { ext: 6, mod: 'reg', prefix: 'none', feature: 'rdrand' }),
  row('0f', 0xc7, 'rdseed Ev', { ext: 7, mod: 'reg', prefix: 'none', feature: 'rdseed' }),
  row('0f', 0xc7, 'rdpid Eq', { ext: 7, mod: 'reg', prefix: 'f3', feature: 'rdpid' }),
];

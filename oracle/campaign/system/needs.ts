/** Features without which a case means nothing: of its row, and of the control register bits that it begins with. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import type { SystemCase } from '../../image/bare/case.ts';

const CR4_FEATURES: readonly (readonly [bit: number, feature: string])[] = [
  [0x800, 'umip'],
  [0x10000, 'fsgsbase'],
  [0x20000, 'pcid'],
  [0x40000, 'xsave'],
  [0x100000, 'smep'],
  [0x200000, 'smap'],
];

export const needsOf = (c: SystemCase): readonly string[] => {
  const feature = OPCODES[c.row].feature;
  return [
    ...(feature === undefined ? [] : [feature]),
    ...(c.feature === undefined ? [] : [c.feature]),
    ...CR4_FEATURES.filter(([bit]) => ((c.cr4 ?? 0) & bit) !== 0).map(([, name]) => name),
  ];
};

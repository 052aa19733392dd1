/** Leaves of policies that another release of Xen tells otherwise, recorded as the reference's were: by the sysctl's index. */
import type { XenRelease } from '../../releases/release.ts';
import type { PolicyLeaf } from './leaf.ts';

/** `leaves`: in place of those with the same leaf and subleaf. `absent`: leaf and subleaf of those that are not told. */
export type PolicyDifference = {
  readonly leaves: readonly PolicyLeaf[];
  readonly absent: readonly (readonly [leaf: number, subleaf: number])[];
};

const NONE: PolicyDifference = { leaves: [], absent: [] };

export const POLICY_DIFFERENCES: Readonly<Record<XenRelease, readonly PolicyDifference[]>> = {
  '4.14': [
    // raw
    {
      leaves: [[7, 0, 0, 0x1d843a9, 0x8001020c, 0]],
      absent: [],
    },
    NONE,
    // pv_max
    {
      leaves: [
        [1, null, 0x60fb1, 0x800, 0xf6d83203, 0xfc9c3f5],
        [7, 0, 0, 0x1880329, 0x200, 0],
        [0x80000001, null, 0x60fb1, 0, 0x61, 0xe8500800],
        [0x80000021, null, 4, 0, 0, 0],
      ],
      absent: [
        [7, 1],
        [7, 2],
      ],
    },
    // hvm_max
    {
      leaves: [
        [1, null, 0x60fb1, 0x800, 0xf6f83203, 0xfcbfbfd],
        [7, 0, 0, 0x19843a9, 0x20c, 0],
        [0x80000001, null, 0x60fb1, 0, 0x75, 0xec500800],
        [0x80000008, null, 0x3928, 0, 0, 0],
        [0x80000021, null, 4, 0, 0, 0],
      ],
      absent: [
        [7, 1],
        [7, 2],
      ],
    },
    NONE,
    // hvm_default
    {
      leaves: [
        [0x80000001, null, 0x60fb1, 0, 0x75, 0xec500800],
        [0x80000008, null, 0x3928, 0, 0, 0],
      ],
      absent: [],
    },
  ],
  '4.17': [NONE, NONE, NONE, NONE, NONE, NONE],
  '4.20': [
    // raw
    {
      leaves: [
        [1, null, 0x60fb1, 0x800, 0xf6d8320b, 0xfcbfbfd],
        [7, 0, 0, 0x1d843a9, 0x8001020c, 0],
        [0xd, 0, 0x21f, 0, 0xa88, 0],
        [0xd, 1, 5, 0, 0, 0],
      ],
      absent: [],
    },
    // host
    {
      leaves: [
        [7, 0, 0, 0x19843a9, 0x8001020c, 0],
        [0x8000000a, null, 1, 0x10, 0, 0x10010001],
      ],
      absent: [],
    },
    NONE,
    // hvm_max
    {
      leaves: [[0x8000000a, null, 1, 0x10, 0, 0x21]],
      absent: [],
    },
    NONE,
    // hvm_default
    {
      leaves: [[0x8000000a, null, 1, 0x10, 0, 0x21]],
      absent: [],
    },
  ],
};

/** Policies of the reference machine's processor, as get_cpu_policy tells them. */
import { REFERENCE_RELEASE, type XenRelease } from '../../releases/release.ts';
import { HVM_DEFAULT, HVM_MAX } from './hvm.ts';
import type { PolicyLeaf } from './leaf.ts';
import { HOST, RAW } from './processor.ts';
import { PV_DEFAULT, PV_DOMAIN, PV_MAX } from './pv.ts';
import { POLICY_DIFFERENCES, type PolicyDifference } from './releases.ts';

export type { PolicyLeaf } from './leaf.ts';

const REFERENCE_POLICIES: readonly (readonly PolicyLeaf[])[] = [RAW, HOST, PV_MAX, HVM_MAX, PV_DEFAULT, HVM_DEFAULT];

const isSame = (a: readonly (number | null)[], b: readonly (number | null)[]): boolean => a[0] === b[0] && a[1] === b[1];
const otherwise = (policy: readonly PolicyLeaf[], { leaves, absent }: PolicyDifference): readonly PolicyLeaf[] =>
  policy.filter((leaf) => !absent.some((gone) => isSame(gone, leaf))).map((leaf) => leaves.find((other) => isSame(other, leaf)) ?? leaf);

const policiesIn = (release: XenRelease): readonly (readonly PolicyLeaf[])[] =>
  REFERENCE_POLICIES.map((policy, i) => otherwise(policy, POLICY_DIFFERENCES[release][i]));
const POLICIES: Readonly<Record<XenRelease, readonly (readonly PolicyLeaf[])[]>> = {
  '4.14': policiesIn('4.14'),
  '4.17': policiesIn('4.17'),
  '4.20': policiesIn('4.20'),
};

/** By the index that the sysctl takes, in a release. The same object for the same release. */
export const cpuPolicies = (release: XenRelease = REFERENCE_RELEASE): readonly (readonly PolicyLeaf[])[] => POLICIES[release];
/** Of any PV domain, in any release. */
export const DOMAIN_POLICY: readonly PolicyLeaf[] = PV_DOMAIN;
/** Registers of a policy: index and value. 16 bytes each: index, flags (0), value. */
export type PolicyMsrs = readonly (readonly [index: number, value: number])[];
const PV_MSRS: PolicyMsrs = [
  [0xce, 0],
  [0x10a, 0],
];
const HVM_MSRS: PolicyMsrs = [
  [0xce, 0x80000000],
  [0x10a, 0],
];
/** By the index that the sysctl takes; of any PV domain. */
export const POLICY_MSRS: readonly PolicyMsrs[] = [PV_MSRS, PV_MSRS, PV_MSRS, HVM_MSRS, PV_MSRS, HVM_MSRS];
export const DOMAIN_POLICY_MSRS: PolicyMsrs = PV_MSRS;

/** What is told without an address: the most that any policy may have. */
export const MOST_POLICY_LEAVES = 120;
export const MOST_POLICY_MSRS = 2;
export const POLICY_LEAF_BYTES = 24;
export const POLICY_MSR_BYTES = 16;

/** Policies of the reference machine's processor, as get_cpu_policy tells them. */
import { HVM_DEFAULT, HVM_MAX } from './hvm.ts';
import type { PolicyLeaf } from './leaf.ts';
import { HOST, RAW } from './processor.ts';
import { PV_DEFAULT, PV_DOMAIN, PV_MAX } from './pv.ts';

export type { PolicyLeaf } from './leaf.ts';

/** By the index that the sysctl takes. */
export const CPU_POLICIES: readonly (readonly PolicyLeaf[])[] = [RAW, HOST, PV_MAX, HVM_MAX, PV_DEFAULT, HVM_DEFAULT];
/** Of any PV domain. */
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

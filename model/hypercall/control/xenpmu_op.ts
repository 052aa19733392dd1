/** HYPERVISOR_xenpmu_op: performance counters, which Xen was not told to share. Chapter: spec/chapters/host.md. */
import { fail, type Perform } from '../result.ts';

export const xenpmu_op: Perform = (machine) => fail(machine, 'EOPNOTSUPP', 'pmu/off');

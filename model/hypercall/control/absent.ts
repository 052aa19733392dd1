/** Hypercalls that have a name and nothing behind it. Chapter: spec/chapters/privileged.md. */
import { fail, type Perform } from '../result.ts';

export const absent: Perform = (machine) => fail(machine, 'ENOSYS', 'absent/not_built');

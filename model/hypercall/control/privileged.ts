/** Hypercalls that ask for privilege before anything else. Chapter: spec/chapters/privileged.md. */
import { isControlDomain } from '../domids.ts';
import { notModelled } from '../not_modelled.ts';
import { fail, type Perform } from '../result.ts';

const privileged =
  (name: string): Perform =>
  (machine, caller) =>
    isControlDomain(caller) ? notModelled(machine, caller, name) : fail(machine, 'EPERM', 'control/privilege');

export const kexec_op = privileged('kexec_op');

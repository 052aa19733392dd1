/** Handing exceptions and software interrupts to a guest through its virtual IDT. */

import { PF } from '../../cpu/exit.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { infoAddress } from '../vcpu_info.ts';

/** Page-fault error code: the access came from user mode. */
const ERROR_USER = 4;

/** The guest has a handler for the vector: an address, or for a 32-bit guest a code segment. */
export const hasHandler = ({ domain, trapCs, trapLo, trapHi }: Vcpu, vector: number): boolean =>
  domain.compat ? (trapCs[vector] & ~3) !== 0 : (trapLo[vector] | trapHi[vector]) !== 0;

/** The exception gets its frame on the way back to the guest. `error` < 0: the vector has none. */
export const injectException = (vcpu: Vcpu, vector: number, error: number): void => {
  vcpu.pendingVector = vector;
  vcpu.pendingError = error;
};

/** Store CR2 where the guest looks for it. */
export const setCr2 = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): void => {
  vcpu.cr2.set(lo, hi);
  const { cr2, word } = vcpu.domain.info;
  const at = infoAddress(vcpu) + cr2;
  if (word === 8) machine.memory.writeHalves(at, lo, hi);
  else machine.memory.write32(at, lo);
};

/** A page fault: the guest sees "user" by its own mode, because both of its modes run in ring 3. */
export const injectPageFault = (machine: Machine, vcpu: Vcpu, error: number, lo: number, hi: number): void => {
  setCr2(machine, vcpu, lo, hi);
  injectException(vcpu, PF, (error & ~ERROR_USER) | (vcpu.kernelMode ? 0 : ERROR_USER));
};

/** A guest whose exceptions go somewhere. */
import { R11, RCX, RSP } from '../../cpu/interface.ts';
import { infoAddress } from '../vcpu_info.ts';
import { DATA, Guest, STACK } from './guest.ts';

/** Where all handlers lie. */
export const HANDLER = DATA + 0x800;

/** Write the byte by which a vCPU masks events. */
export const masked = (guest: Guest, mask: number): void => guest.machine.memory.write8(infoAddress(guest.vcpu) + 1, mask);

/** A guest with handlers for some vectors, its mask open and its stack at STACK. */
export const ready = (vectors: readonly number[], flags = 0): Guest => {
  const guest = new Guest();
  guest.traps(Object.fromEntries(vectors.map((vector) => [vector, HANDLER])), flags);
  masked(guest, 0);
  guest.set(RSP, STACK - 8);
  guest.set(RCX, 0xcc);
  guest.set(R11, 0x11);
  return guest;
};

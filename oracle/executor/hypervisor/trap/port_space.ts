/** What lies behind the ports. Devices are not modelled: ports that nobody answers, and the debug port of dom0. */
import { NotModelled } from '#spec/failure.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const DEBUG_PORT = 0xe9;
/** Xen keeps these from dom0: interrupt controllers, timer, its own serial line, power management timer. */
const WITHHELD: ReadonlySet<number> = new Set([0x20, 0x21, 0xa0, 0xa1, 0x40, ...range(0x3f8, 8), ...range(0x608, 4)]);
/** Xen answers these itself, for every domain: timer, clock, PCI configuration. */
const VIRTUAL: ReadonlySet<number> = new Set([0x42, 0x43, 0x61, 0x70, 0x71, ...range(0xcf8, 8)]);

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Throws NotModelled for a port behind which there is something. Answers whether it is the debug port. */
const check = (vcpu: Vcpu, port: number, bytes: number): boolean => {
  if (vcpu.domain.privileged && port === DEBUG_PORT && bytes === 1) return true;
  for (const byte of range(port, bytes)) {
    if (VIRTUAL.has(byte) || (vcpu.domain.privileged && !WITHHELD.has(byte))) throw new NotModelled(`port/${byte.toString(16)}`);
  }
  return false;
};

/** 1, 2 or 4 bytes from a port on, which the guest may use; all 32 bits are given. */
export const guestIoRead = (_machine: Machine, vcpu: Vcpu, port: number, bytes: number): number =>
  check(vcpu, port, bytes) ? DEBUG_PORT : -1;

export const guestIoWrite = (_machine: Machine, vcpu: Vcpu, port: number, bytes: number, _value: number): void => {
  check(vcpu, port, bytes);
};

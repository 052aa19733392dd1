/**
 * What lies behind the ports: what Xen answers itself, what it keeps from a domain, and the host. A PC's devices are not modelled; a
 * host that is configured as empty has none.
 */
import { NotModelled } from '#spec/failure.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const DEBUG_PORT = 0xe9;
const PIT_CH2 = 0x42;
const PIT_MODE = 0x43;
const SPEAKER = 0x61;
const RTC_INDEX = 0x70;
const RTC_DATA = 0x71;
const CONFIG_ADDRESS = 0xcf8;
/** Four ports of PCI configuration data. */
const isConfigData = (port: number): boolean => (port & 0xfffc) === 0xcfc;
const isPit = (port: number): boolean => port === PIT_CH2 || port === PIT_MODE || port === SPEAKER;

const permitted = (vcpu: Vcpu, port: number, bytes: number): boolean => vcpu.domain.ioPorts.contains(port, port + bytes - 1);
/** The clock's byte and its index go together. */
const hasClock = (vcpu: Vcpu): boolean => permitted(vcpu, RTC_INDEX, 2);

/** The access goes to the host as it is. */
const isDirect = (vcpu: Vcpu, port: number, bytes: number): boolean =>
  !(port === CONFIG_ADDRESS && bytes === 4) && !(port <= RTC_DATA && port + bytes > RTC_INDEX) && permitted(vcpu, port, bytes);

/** Throws NotModelled when a device may be there. */
const host = (machine: Machine, port: number, bytes: number): number => {
  if (port === DEBUG_PORT && bytes === 1) return 0xff;
  if (machine.config.host !== 'empty') throw new NotModelled(`port/${port.toString(16)}`);
  return 0xff;
};

/** Xen's imitation of a timer serves what is not the host's channel 2. */
const pit = (machine: Machine, vcpu: Vcpu, port: number, command: number): void => {
  const ours = port !== PIT_MODE || command >>> 6 === 2 || (command >>> 6 === 3 && (command & 6) === 0);
  if (!vcpu.domain.privileged || !ours) throw new NotModelled(`port/${port.toString(16)}`);
  host(machine, port, 1);
};

/** 1, 2 or 4 bytes from a port on, which the guest may use; all 32 bits are given. */
export const guestIoRead = (machine: Machine, vcpu: Vcpu, port: number, bytes: number): number => {
  if (isDirect(vcpu, port, bytes)) return host(machine, port, bytes) | (bytes === 1 ? 0 : -1);
  const { domain } = vcpu;
  if (port === CONFIG_ADDRESS && bytes === 4) return domain.pciAddress;
  let data = 0;
  for (let i = 0; i < bytes; i++) {
    const at = port + i;
    let value = 0xff;
    if (isPit(at)) pit(machine, vcpu, at, 0);
    else if (at === RTC_INDEX) value = domain.cmosIndex;
    else if (at === RTC_DATA || isConfigData(at)) {
      if (at === RTC_DATA ? hasClock(vcpu) : domain.privileged) host(machine, at, bytes);
    } else if (permitted(vcpu, at, 1)) value = host(machine, at, bytes);
    data |= value << (8 * i);
  }
  return data;
};

export const guestIoWrite = (machine: Machine, vcpu: Vcpu, port: number, bytes: number, value: number): void => {
  if (isDirect(vcpu, port, bytes)) {
    host(machine, port, bytes);
    return;
  }
  const { domain } = vcpu;
  if (port === CONFIG_ADDRESS && bytes === 4) {
    domain.pciAddress = value | 0;
    return;
  }
  for (let i = 0; i < bytes; i++) {
    const at = port + i;
    const byte = (value >>> (8 * i)) & 0xff;
    if (isPit(at)) pit(machine, vcpu, at, byte);
    else if (at === RTC_INDEX) domain.cmosIndex = byte;
    else if (at === RTC_DATA ? hasClock(vcpu) : isConfigData(at) ? domain.privileged : permitted(vcpu, at, 1)) host(machine, at, bytes);
  }
};

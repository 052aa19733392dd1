import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { control } from '#spec/abi/control.ts';
import { domctl } from '#spec/abi/domctl.ts';
import { mayMapIo, mayUseDevices, mayUsePorts } from '../../../domain/io_caps.ts';
import { domainOf } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { preparedGuest } from '../../../testing/fresh.ts';
import { ARGUMENTS, DOM0 } from '../../../testing/guest.ts';
import { fromNumber, toBigInt } from '../../../word/word.ts';
import { withFields } from '../../guest_struct.ts';
import type { HypercallResult } from '../../result.ts';
import { iomemPermission, ioportPermission } from './permissions.ts';

const booted = preparedGuest(ONE_PAGE_KERNEL);

const answered = (result: HypercallResult): { rc: number; machine: Machine } => {
  if (result.kind !== 'reply') return { rc: Number.NaN, machine: result.machine };
  return { rc: Number(BigInt.asIntN(64, toBigInt(result.value))), machine: result.machine };
};
const asked = (machine: Machine, domid: number, bytes: Uint8Array) => ({
  caller: DOM0,
  at: fromNumber(ARGUMENTS),
  bytes,
  target: domainOf(machine, domid),
});
const ports = (machine: Machine, domid: number, first_port: number, nr_ports: number, allow_access: number) => {
  const bytes = withFields(new Uint8Array(144), control.ioport_permission, { first_port, nr_ports, allow_access });
  return answered(ioportPermission(machine, asked(machine, domid, bytes)));
};
const frames = (machine: Machine, domid: number, first_mfn: number, nr_mfns: number, allow_access: number) => {
  const bytes = withFields(new Uint8Array(144), domctl.iomem_permission, { first_mfn, nr_mfns, allow_access });
  return answered(iomemPermission(machine, asked(machine, domid, bytes)));
};

describe('ports', () => {
  it('are given by who has them all, and taken away', () => {
    const given = ports(booted, 1, 0x300, 8, 0x80);
    expect([given.rc, mayUsePorts(given.machine, 1, 0x300, 0x307), mayUsePorts(given.machine, 1, 0x307, 0x308)]).toEqual([0, true, false]);
    const taken = ports(given.machine, 1, 0x304, 1, 0);
    expect([mayUsePorts(taken.machine, 1, 0x300, 0x303), mayUsePorts(taken.machine, 1, 0x304, 0x304)]).toEqual([true, false]);
    expect([ports(booted, 1, 0x3f7, 2, 1).rc, ports(booted, 1, 0x61, 1, 0).rc]).toEqual([-1, -1]);
  });
  it('that domain 0 gave up do not come back', () => {
    const gone = ports(booted, 0, 0x300, 8, 0);
    expect([gone.rc, ports(gone.machine, 0, 0x300, 8, 1).rc, ports(gone.machine, 1, 0x307, 1, 0).rc]).toEqual([0, -1, -1]);
  });
});

describe('frames', () => {
  it('make caches a matter of the domain', () => {
    const given = frames(booted, 1, 0xa0, 2, 1);
    expect([given.rc, mayMapIo(given.machine, 1, 0xa1), mayMapIo(given.machine, 1, 0xa2)]).toEqual([0, true, false]);
    expect([mayUseDevices(booted, 1), mayUseDevices(given.machine, 1)]).toEqual([false, true]);
    const taken = frames(given.machine, 1, 0xa0, 2, 0);
    expect([taken.rc, mayUseDevices(taken.machine, 1)]).toEqual([0, false]);
  });
  it('are given by who has them all', () => {
    expect([frames(booted, 1, 0xfee00, 1, 1).rc, frames(booted, 1, 0xfedff, 2, 0).rc, frames(booted, 1, 2 ** 28 - 1, 1, 1).rc]).toEqual([
      -1, -1, -1,
    ]);
    expect(frames(booted, 1, 0xfec00, 1, 1).rc).toBe(0);
  });
});

/** grant_table_op of 32-bit guests: most structures are those of 64-bit ones. */
import { gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { grant_table_op } from '../grant_table/grant_table_op.ts';
import { copyFromGuest, copyToGuest, putGuest } from '../guest_access.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import { minus } from '../result.ts';
import { compatCopy, compatTransfer } from './grant_batches.ts';
import { isBelowXen, layOut, type Structure, scratchCopy } from './structure.ts';
import { narrow, pointed, withXlat, XLAT_BYTES } from './xlat.ts';

const OP = SUBOPERATIONS.grant_table_op;
/** GNTST values that matter here. */
const OKAY = 0;
const GENERAL_ERROR = -1;
const BAD_VIRT_ADDR = -5;

const { setup_table } = gnttab;
const SETUP: Structure = {
  size: 16,
  rows: [
    [0, 2, setup_table.fields.dom.at, 2],
    [4, 4, setup_table.fields.nr_frames.at, 4],
  ],
};
const STATUS = 8;
const LIST = 12;
const MOST_FRAMES = (XLAT_BYTES - setup_table.size) / 8;

/** The list of frames is made in Xen's area, and then copied word by word. */
const setupTable: Handler = (machine, vcpu, args) => {
  const [cmd, at, count] = [args[0], args[2], args[4] >>> 0];
  if (count > 0x7fffffff) return minus('EINVAL');
  if (count === 0) return 0;
  if (count > 1) return minus('EINVAL');
  if (!copyFromGuest(machine, vcpu, at, 0, SETUP.size)) return minus('EFAULT');
  const given = scratchCopy(SETUP.size);
  const list = given.getUint32(LIST, true);
  const wanted = given.getUint32(4, true);
  if (!isBelowXen(vcpu, list, 4 * wanted)) return minus('EFAULT');
  return withXlat(machine, (xlat) => {
    layOut(xlat, SETUP);
    xlat.putOwn(setup_table.fields.frame_list.at, setup_table.size);
    const answer = grant_table_op(machine, vcpu, pointed(1, cmd, 0, 1));
    if (answer < 0) return answer;
    let status = (xlat.half(setup_table.fields.status.at) << 16) >> 16;
    // Xen's own limit of the list comes with an error that it has no other word for.
    if (status === OKAY && wanted > MOST_FRAMES) status = GENERAL_ERROR;
    const told = status === OKAY;
    for (let i = 0; told && i < wanted; i++) {
      const to = list + 4 * i;
      if (!putGuest(machine, vcpu, to | 0, to > 0xffffffff ? 1 : 0, 4, xlat.word(setup_table.size + 8 * i))) status = BAD_VIRT_ADDR;
    }
    given.setInt16(STATUS, status, true);
    return copyToGuest(machine, vcpu, at, 0, SETUP.size, new Uint8Array(given.buffer)) ? 0 : minus('EFAULT');
  });
};

const { get_status_frames } = gnttab;
const STATUS_FRAMES: Structure = {
  size: 12,
  rows: [
    [0, 4, get_status_frames.fields.nr_frames.at, 4],
    [4, 2, get_status_frames.fields.dom.at, 2],
  ],
};
const STATUS_LIST = 8;
const STATUS_OF_STATUS = 6;
const MOST_STATUS_FRAMES = (XLAT_BYTES - get_status_frames.size) / 8;

/** The same; but the list has frames of eight bytes in the guest, too, and no elements are in order. */
const getStatusFrames: Handler = (machine, vcpu, args) => {
  const [cmd, at, count] = [args[0], args[2], args[4] >>> 0];
  if (count === 0) return 0;
  if (count !== 1) return minus('EINVAL');
  if (!copyFromGuest(machine, vcpu, at, 0, STATUS_FRAMES.size)) return minus('EFAULT');
  const given = scratchCopy(STATUS_FRAMES.size);
  const list = given.getUint32(STATUS_LIST, true);
  const wanted = given.getUint32(0, true);
  if (!isBelowXen(vcpu, list, 8 * wanted)) return minus('EFAULT');
  return withXlat(machine, (xlat) => {
    layOut(xlat, STATUS_FRAMES);
    xlat.putOwn(get_status_frames.fields.frame_list.at, get_status_frames.size);
    const answer = grant_table_op(machine, vcpu, pointed(1, cmd, 0, 1));
    if (answer < 0) return answer;
    let status = (xlat.half(get_status_frames.fields.status.at) << 16) >> 16;
    if (status === OKAY && wanted > MOST_STATUS_FRAMES) status = GENERAL_ERROR;
    const told = status === OKAY;
    for (let i = 0; told && i < wanted; i++) {
      const to = list + 8 * i;
      if (!putGuest(machine, vcpu, to | 0, to > 0xffffffff ? 1 : 0, 8, xlat.word(get_status_frames.size + 8 * i))) status = BAD_VIRT_ADDR;
    }
    given.setInt16(STATUS_OF_STATUS, status, true);
    return copyToGuest(machine, vcpu, at, 0, STATUS_FRAMES.size, new Uint8Array(given.buffer)) ? 0 : minus('EFAULT');
  });
};

const OWN: ReadonlyMap<number, Handler> = new Map([
  [OP.setup_table, setupTable],
  [OP.transfer, compatTransfer],
  [OP.copy, compatCopy],
  [OP.get_status_frames, getStatusFrames],
]);

export const compat_grant_table_op: Handler = (machine, vcpu, args) => {
  const own = OWN.get(args[0]);
  return own ? own(machine, vcpu, args) : grant_table_op(machine, vcpu, narrow(args[0], args[2], args[4]));
};

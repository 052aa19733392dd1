/** An empty disk image in which QEMU keeps what it remembers of a machine. */

const CLUSTER_BITS = 16;
const CLUSTER = 1 << CLUSTER_BITS;
/** Clusters: header, table of reference counts, counts, map of the (unused) disk. */
const COUNT_TABLE = CLUSTER;
const COUNTS = 2 * CLUSTER;
const MAP = 3 * CLUSTER;
const CLUSTERS = 4;
const DISK_BYTES = 1 << 20;

/** A file in format qcow2, version 2, without data. */
export const emptyQcow2 = (): Uint8Array => {
  const bytes = new Uint8Array(CLUSTERS * CLUSTER);
  const view = new DataView(bytes.buffer);
  bytes.set([0x51, 0x46, 0x49, 0xfb]);
  view.setUint32(4, 2);
  view.setUint32(20, CLUSTER_BITS);
  view.setBigUint64(24, BigInt(DISK_BYTES));
  view.setUint32(36, 1);
  view.setBigUint64(40, BigInt(MAP));
  view.setBigUint64(48, BigInt(COUNT_TABLE));
  view.setUint32(56, 1);
  view.setBigUint64(COUNT_TABLE, BigInt(COUNTS));
  for (let i = 0; i < CLUSTERS; i++) view.setUint16(COUNTS + 2 * i, 1);
  return bytes;
};

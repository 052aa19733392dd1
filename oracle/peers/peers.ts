/** All peers that this project knows, whether they are on this machine or not. */

import { REFERENCE_RELEASE, XEN_RELEASES, type XenRelease } from '#spec/releases/release.ts';
import { bochsPeer } from './bochs/bochs.ts';
import { objdumpPeer } from './objdump/objdump.ts';
import type { Peer, Unavailable } from './peer.ts';
import { qemuPeer } from './qemu/qemu.ts';
import { siliconPeer } from './silicon/silicon.ts';
import { findPackages } from './xen/packages.ts';
import { xenPeer } from './xen/xen.ts';

export const PEERS = ['xen'] as const;
export type PeerName = (typeof PEERS)[number];

/** A peer of a release. */
export const findPeer = (name: PeerName, release: XenRelease = REFERENCE_RELEASE): Peer | Unavailable => {
  switch (name) {
    case 'xen':
      return xenPeer(findPackages(release));
  }
};

export const listPeers = (): readonly (Peer | Unavailable)[] =>
  PEERS.flatMap((name) => XEN_RELEASES.map((release) => findPeer(name, release)));

/** What is known of a peer that does not record: it answers questions about single instructions (`check --isa`). */
export type InstructionPeer = {
  readonly available: true;
  readonly name: string;
  readonly version: string;
  readonly details: Readonly<Record<string, string>>;
};

/** The processor of this machine, a disassembler, and emulators of a whole PC. */
export const listInstructionPeers = (): readonly (InstructionPeer | Unavailable)[] => {
  const silicon = siliconPeer();
  const objdump = objdumpPeer();
  return [
    silicon.available ? { ...known(silicon), details: { features: [...silicon.features].join(' ') } } : silicon,
    objdump.available ? { ...known(objdump), details: {} } : objdump,
    ...[qemuPeer(), bochsPeer()].map((peer) => (peer.available ? { ...known(peer), details: peer.details } : peer)),
  ];
};

const known = ({ name, version }: { readonly name: string; readonly version: string }) => ({ available: true, name, version }) as const;

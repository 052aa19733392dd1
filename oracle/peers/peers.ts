/** All peers that this project knows, whether they are on this machine or not. */
import type { Peer, Unavailable } from './peer.ts';
import { xenPeer } from './xen/xen.ts';

export const PEERS = ['xen'] as const;
export type PeerName = (typeof PEERS)[number];

export const findPeer = (name: PeerName): Peer | Unavailable => {
  switch (name) {
    case 'xen':
      return xenPeer();
  }
};

export const listPeers = (): readonly (Peer | Unavailable)[] => PEERS.map(findPeer);

/** What a domain may have at most. */
import type { Invariant } from './view.ts';

const PORTS = { two_level: 4096, fifo: 131_072 } as const;
const MAPTRACK_PER_FRAME = 512;

export const quotas: Invariant = {
  property: 'QUOTA',
  states: 'No domain has more ports, grant frames or handles than it may have, and what is claimed for domains is not more than is free.',
  *violations({ config, frames, observation }) {
    const { max_grant_frames, max_maptrack_frames } = config.xen;
    for (const { domid, ports, fifo, grant_frames, maptrack } of observation.domains) {
      const last = ports.at(-1)?.port ?? 0;
      if (last >= (fifo ? PORTS.fifo : PORTS.two_level)) yield `d${domid} has port ${last}`;
      if (grant_frames.length > max_grant_frames) yield `d${domid} has ${grant_frames.length} grant frames`;
      if (maptrack.length > max_maptrack_frames * MAPTRACK_PER_FRAME) yield `d${domid} has ${maptrack.length} handles`;
    }
    const claimed = observation.domains.reduce((sum, domain) => sum + domain.claimed, 0);
    if (claimed > config.frames - frames.size) yield `${claimed} pages are claimed, and ${config.frames - frames.size} frames free`;
  },
};

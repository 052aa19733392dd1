/** A new channel: its state, and what the ABI gives it to begin with. */
import type { Channel } from '../../domain.ts';
import type { Machine } from '../../machine.ts';
import { changeChannel, type MADE_BY } from './lifecycle.ts';
import { portOps } from './port_ops.ts';

/** Put a channel at a port that was chosen for it. */
export const openChannel = (machine: Machine, domid: number, port: number, operation: keyof typeof MADE_BY, channel: Channel): Machine =>
  portOps(machine, domid).init(changeChannel(machine, domid, port, operation, channel), domid, port);

/** What two domains do to each other: ports, grants, and the end of one of them. */
import type { Step } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';

const event = (g: Generation, command: number, struct: string, fields: Readonly<Record<string, unknown>>, id = g.id()): Step =>
  g.step({ do: 'hypercall', call: 'event_channel_op', args: [command, { struct, fields }] } as never, id);

/** Make the steps of the other domain for a while. */
const elsewhere = <T>(g: Generation, make: () => T): T => {
  g.domain = 1 - g.domain;
  const made = make();
  g.domain = 1 - g.domain;
  return made;
};

/** One side offers a port, the other binds to it. */
const connect: Family = {
  weight: 10,
  make: (g) => {
    if (!g.peer) return [];
    const id = g.id();
    const offered = g.state.addPort(id, 'port', 'interdomain');
    const { domid } = g.state;
    const offer = event(g, 6, 'evtchn.alloc_unbound', { dom: SELF, remote_dom: g.peer.domid }, id);
    const bind = elsewhere(g, () => {
      const other = g.id();
      g.state.addPort(other, 'local_port', 'interdomain');
      return event(g, 0, 'evtchn.bind_interdomain', { remote_dom: domid, remote_port: offered.value }, other);
    });
    return [offer, bind];
  },
};

/** Send on a pair, and look on the other side. */
const signal: Family = {
  weight: 8,
  make: (g) => {
    if (!g.peer) return [];
    const joined = g.state.ports.filter((p) => p.kind === 'interdomain');
    if (joined.length === 0) return [];
    const send = event(g, 4, 'evtchn.send', { port: g.r.pick(joined).value });
    return [send, elsewhere(g, () => g.step((g.r.one(2) ? { do: 'events' } : { do: 'upcalls', on: true }) as never))];
  },
};

/** Domain 0 may look into other domains' ports; the other may not. */
const spy: Family = {
  weight: 3,
  make: (g) => {
    if (!g.peer) return [];
    const ports = g.peer.ports;
    const which = ports.length > 0 ? g.r.pick(ports).value : 1;
    return [event(g, 5, 'evtchn.status', { dom: g.peer.domid, port: which })];
  },
};

/** What one domain may do to the other, and what it may not: domain 0 is let through to the next check. */
const meddle: Family = {
  weight: 5,
  make: (g) => {
    if (!g.peer) return [];
    const { r } = g;
    const { domid } = g.peer;
    const call = (name: string, ...args: readonly unknown[]): Step => g.step({ do: 'hypercall', call: name, args } as never);
    switch (r.int(0, 7)) {
      case 0:
        return [event(g, 10, 'evtchn.reset', { dom: domid })];
      case 1: {
        // Ports that domain 0 makes in domain 1 stay there.
        const id = g.id();
        if (g.domain === 0) g.peer.addPort(id, 'port', 'unbound');
        return [event(g, 6, 'evtchn.alloc_unbound', { dom: domid, remote_dom: g.state.domid }, id)];
      }
      case 2:
        return [call('grant_table_op', 6, { structs: [{ struct: 'gnttab.query_size', fields: { dom: domid } }] }, 1)];
      case 3:
        return [
          call(
            'grant_table_op',
            2,
            {
              structs: [
                { struct: 'gnttab.setup_table', fields: { dom: domid, nr_frames: 1, frame_list: { buffer: 16, show: 'nothing' } } },
              ],
            },
            1,
          ),
        ];
      case 4:
        return [
          call(
            'mmuext_op',
            { structs: [{ struct: 'xen.mmuext_op', fields: { cmd: r.pick([0, 4, 6, 16]), arg1: { page: 6, as: 'mfn' } } }] },
            1,
            0,
            domid,
          ),
        ];
      case 5: {
        const fields = {
          ptr: { page: r.pick(PAGES.windows), as: 'entry_maddr' },
          val: { page: r.pick(PAGES.data), as: 'pte', flags: '0x63' },
        };
        return [call('mmu_update', { structs: [{ struct: 'xen.mmu_update', fields }] }, 1, 0, domid)];
      }
      case 6:
        return g.domain === 0 ? [] : [call('sched_op', 4, { struct: 'sched.remote_shutdown', fields: { domain_id: domid, reason: 1 } })];
      default:
        return g.domain === 0
          ? []
          : [
              r.one(2)
                ? call('sched_op', 7, { struct: 'sched.pin_override', fields: { pcpu: 0 } })
                : call('xen_version', 9, { buffer: 1024, show: 'nothing' }),
            ];
    }
  },
};

/** A page of the other domain: granted, mapped, read and written, and taken back. */
const share: Family = {
  weight: 9,
  make: (g) => {
    if (!g.peer) return [];
    const { r } = g;
    // Domain 1's table is mapped from the start; domain 0 maps its own first.
    const owner = r.one(3) ? g.domain : 1;
    const user = 1 - owner;
    const page = r.pick(PAGES.data);
    const window = r.pick(PAGES.windows);
    const ref = 9 + r.int(0, 20);
    const readonly = r.one(2);
    const at = g.domain;
    const steps: Step[] = [];
    g.domain = owner;
    if (!g.state.grantTable) {
      g.state.grantTable = true;
      steps.push(g.step({ do: 'grant_setup', frames: 1 } as never));
    }
    steps.push(g.step({ do: 'access', how: 'write', at: { page, as: 'va', plus: 16 }, size: 8, value: r.word() } as never));
    steps.push(g.step({ do: 'grant_entry', ref, flags: r.one(3) ? 5 : 1, domid: user, frame: { page, as: 'mfn' } } as never));
    g.state.entries.push({ ref, readonly, dom: user, page });
    g.domain = user;
    const id = g.id();
    const handle = { step: id, of: 'handle', else: 1 };
    g.state.mappings.push({ handle, page: window, readonly, byEntry: false });
    const fields = { host_addr: { page: window, as: 'va' }, flags: readonly ? 6 : 2, ref, dom: owner };
    steps.push(
      g.step(
        { do: 'hypercall', call: 'grant_table_op', args: [0, { structs: [{ struct: 'gnttab.map_grant_ref', fields }] }, 1] } as never,
        id,
      ),
    );
    steps.push(g.step({ do: 'access', how: 'read', at: { page: window, as: 'va', plus: 16 }, size: 8 } as never));
    steps.push(g.step({ do: 'access', how: 'write', at: { page: window, as: 'va', plus: 24 }, size: 4, value: r.dword() } as never));
    g.domain = owner;
    steps.push(g.step({ do: 'access', how: 'read', at: { page, as: 'va', plus: 24 }, size: 4 } as never));
    steps.push(g.step({ do: 'access', how: 'read', at: { page: 'grant0', as: 'va', plus: 8 * ref }, size: 4 } as never));
    if (r.one(2)) {
      g.domain = user;
      const undo = { host_addr: { page: window, as: 'va' }, dev_bus_addr: 0, handle };
      steps.push(
        g.step({
          do: 'hypercall',
          call: 'grant_table_op',
          args: [1, { structs: [{ struct: 'gnttab.unmap_grant_ref', fields: undo }] }, 1],
        } as never),
      );
    }
    g.domain = at;
    return steps;
  },
};

/** Give the word to the other domain. */
const turn: Family = {
  weight: 6,
  make: (g) => {
    if (g.peer) g.domain = 1 - g.domain;
    return [];
  },
};

export const PEERS: readonly Family[] = [connect, signal, spy, meddle, share, turn];

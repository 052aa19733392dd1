/** A vCPU's whole context, which domain 0 asks for: of its other vCPU, of another domain's, and of such as there are none. */
import { XEN_DOMCTL_INTERFACE_VERSION } from '#spec/abi/control.ts';
import { XEN_DOMCTL_TOOLS } from '#spec/abi/domctl.ts';
import { vcpu_guest_context } from '#spec/abi/sched.ts';
import type { Step } from '#spec/program.ts';
import type { Family, Generation } from '../state.ts';
import { BAD_POINTERS } from '../values.ts';

const AREA = { buffer: vcpu_guest_context.size, show: 'nothing' } as const;

const ask = (g: Generation, domain: number, by: 0 | 1): Step => {
  const { r } = g;
  const vcpu = r.one(6) ? r.pick([2, 8192, '0xffffffff' as const]) : r.int(0, 1);
  const ctxt = r.one(8) ? r.pick(BAD_POINTERS) : AREA;
  const head = { cmd: XEN_DOMCTL_TOOLS.getvcpucontext, interface_version: XEN_DOMCTL_INTERFACE_VERSION, domain };
  return g.step({
    ...{ do: 'hypercall', call: 'domctl', args: [{ struct: 'domctl.vcpucontext', fields: { ...head, vcpu, ctxt } }] },
    ...(by === 1 ? { vcpu: 1 } : {}),
  } as never);
};

/** By either vCPU of domain 0, of the other one. */
export const ownContext: Family = { weight: 3, make: (g) => [ask(g, 0, g.r.one(2) ? 1 : 0)] };

/** By domain 0, of domain 1, whoever's turn it is. */
export const othersContext: Family = {
  weight: 2,
  make: (g) => {
    if (!g.peer) return [];
    const { domain } = g;
    g.domain = 0;
    const asked = ask(g, g.r.one(8) ? 0x7fe0 : 1, 0);
    g.domain = domain;
    return [asked];
  },
};

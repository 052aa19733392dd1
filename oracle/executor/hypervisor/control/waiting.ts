/**
 * Operations of domain 0 that this machine has and the specification's model is about to have, by the matrix's names: until then they stop as
 * not modelled.
 */
export const WAITING: ReadonlySet<string> = new Set(['call_gate']);

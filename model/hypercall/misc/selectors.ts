/** Selectors that a guest hands to Xen: a 64-bit guest kernel runs in ring 3, so the requested privilege is raised to 3. */
const RPL = 3;

export const fixStackSelector = (selector: number): number => selector | RPL;
export const fixCodeSelector = (selector: number): number => selector | RPL;

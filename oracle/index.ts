/** The judge: executor, generators, comparison, peers, campaigns. */
export {};

/** The trace format, and what reads and writes it. */
export {};

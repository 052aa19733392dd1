/** The reference model: a pure machine whose every rule cites the clause that it follows. */
export {};

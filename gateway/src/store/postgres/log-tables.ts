/** The tables of the decision log in PostgreSQL. */
export const logTables: readonly string[] = []

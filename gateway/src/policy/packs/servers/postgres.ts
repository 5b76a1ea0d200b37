/** Postgres MCP Pro, `postgres-mcp`. */
import type { ContractPack } from '../pack.ts'
import { changesOthers, each, readsOthers, readsOwn } from './kinds.ts'

export const postgres: ContractPack = {
  name: 'postgres',
  version: 1,
  of: 'PyPI postgres-mcp',
  contracts: {
    ...each(
      ['list_schemas', 'list_objects', 'get_object_details', 'analyze_db_health'],
      readsOwn('Names and shapes of tables, and how the database fares, are its administrators’ own.'),
    ),
    ...each(
      ['get_top_queries', 'analyze_workload_indexes', 'analyze_query_indexes'],
      readsOthers('Queries that ran, and values in plans, may hold what users of the application typed.'),
    ),
    execute_sql: changesOthers(
      'Rows hold what users of the application typed, and SQL can change anything the role may (the tool has the same name in restricted mode): untrusted after it, and not allowed once the session is.',
    ),
    explain_query: changesOthers('With `analyze` the statement runs, whatever it is, and plans hold values of rows.'),
  },
}

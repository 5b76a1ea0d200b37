/** The reference server for a SQLite file, `mcp-server-sqlite`. */
import type { ContractPack } from '../pack.ts'
import { changesOthers, changesOwn, each, keptWords, readsOthers, readsOwn, withRoles } from './kinds.ts'

export const sqlite: ContractPack = {
  name: 'sqlite',
  version: 2,
  of: 'PyPI mcp-server-sqlite',
  contracts: {
    ...each(['list_tables', 'describe_table'], readsOwn('Names and shapes of tables are the principal’s own.')),
    read_query: readsOthers('Rows may hold what others typed into an application.'),
    write_query: changesOthers('Changes rows and cannot be taken back, so it needs a session that has read nothing untrusted.'),
    create_table: changesOwn('Changes the file, so it needs a session that has read nothing untrusted.'),
    append_insight: withRoles(
      changesOwn(
        'The memo is read later, by a session that does not know what this one has read: after untrusted reads only words that have a source no stranger writes.',
      ),
      { insight: keptWords },
    ),
  },
}

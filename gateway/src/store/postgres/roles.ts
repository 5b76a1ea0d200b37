/**
 * Two roles of a database: the owner of the schema, who migrates it, and the gateway, which may add to the decision log and
 * read it and can never change or delete what it holds.
 */

import type { StoreTables } from '../tables.ts'

/** Tables of the store that the gateway changes as it works: all of them, or it does not compile. */
const changing = Object.keys({
  virtual_keys: true,
  entries: true,
  tool_listings: true,
  tool_pins: true,
  held_tools: true,
  server_restarts: true,
  restart_outcomes: true,
  settings: true,
  kept_files: true,
  file_parts: true,
  approvals: true,
  kept_batches: true,
  batch_lines: true,
  people: true,
  person_groups: true,
  directory_users: true,
  directory_groups: true,
  revocations: true,
  stops: true,
  config_revisions: true,
  noted_acts: true,
  remembered: true,
  summaries: true,
  summary_facts: true,
  summary_positions: true,
  usage_hours: true,
  sealed_secrets: true,
  oauth_keys: true,
  accounts: true,
  account_links: true,
} satisfies Record<keyof StoreTables, true>)
/** Tables of the decision log: evidence, which only grows. */
const growing = ['records', 'checkpoints', 'writers'] as const

export interface DatabaseRoles {
  /** Owns the schema. It runs migrations and nothing else. */
  readonly owner: string
  /** What the gateways connect as. */
  readonly gateway: string
  readonly database: string
  /** Default: `public`. */
  readonly schema?: string | undefined
}

/** Makes the two roles, without passwords. To be run once by an administrator inside the database, before the first migration. */
export function rolesText(roles: DatabaseRoles): string {
  const [owner, gateway, database, schema] = [roles.owner, roles.gateway, roles.database, roles.schema ?? 'public'].map(quoted)
  return `-- The owner of the schema, who migrates it, and the gateway, which cannot change or delete what it has decided.
-- Give both a password with \\password, or let them in by certificate.
create role ${owner} login nosuperuser nocreatedb nocreaterole;
create role ${gateway} login nosuperuser nocreatedb nocreaterole;
revoke all on database ${database} from public;
grant connect on database ${database} to ${owner}, ${gateway};
create schema if not exists ${schema};
alter schema ${schema} owner to ${owner};
revoke all on schema ${schema} from public;
grant usage on schema ${schema} to ${gateway};
`
}

/** What the gateway may do. To be run by the owner after each migration: it says the whole of it again. */
export function grantsText(roles: DatabaseRoles): string {
  const [gateway, schema] = [roles.gateway, roles.schema ?? 'public'].map(quoted)
  const named = (tables: readonly string[]): string => tables.map((table) => `${schema}.${table}`).join(', ')
  return `revoke all on all tables in schema ${schema} from ${gateway};
grant select, insert, update, delete on ${named(changing)} to ${gateway};
grant select, insert on ${named(growing)} to ${gateway};
grant select on ${schema}.kysely_migration to ${gateway};
`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

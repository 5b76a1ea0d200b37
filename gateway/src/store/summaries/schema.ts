/** The tables of summaries of the decision log. */
import { sql, type Kysely } from 'kysely'

/** `long`: the type of a number that may need eight bytes. */
export async function createSummaryTables(database: Kysely<unknown>, long: 'bigint' | 'integer'): Promise<void> {
  await database.schema
    .createTable('summaries')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('placed', long, (column) => column.notNull())
    .addColumn('turns', 'integer', (column) => column.notNull())
    .addColumn('part', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('summaries_primary_key', ['kind', 'id'])
    .execute()
  await database.schema.createIndex('summaries_placed').on('summaries').columns(['kind', 'placed', 'id']).execute()
  await database.schema
    .createTable('summary_facts')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('fact', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('placed', long, (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('summary_facts_primary_key', ['kind', 'fact', 'value', 'placed', 'id'])
    .execute()
  await database.schema
    .createTable('summary_positions')
    .addColumn('chain', 'text', (column) => column.primaryKey())
    .addColumn('seq', long, (column) => column.notNull())
    .execute()
  // Whoever counts holds this row.
  await sql`insert into summary_positions (chain, seq) values ('', 0)`.execute(database)
  await database.schema
    .createTable('usage_hours')
    .addColumn('hour', long, (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('member_of', 'text', (column) => column.notNull())
    .addColumn('credential', 'text', (column) => column.notNull())
    .addColumn('consumer', 'text', (column) => column.notNull())
    .addColumn('agent', 'text', (column) => column.notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('upstream', 'text', (column) => column.notNull())
    .addColumn('calls', long, (column) => column.notNull())
    .addColumn('failures', long, (column) => column.notNull())
    .addColumn('input_tokens', long, (column) => column.notNull())
    .addColumn('output_tokens', long, (column) => column.notNull())
    .addColumn('cost', 'double precision', (column) => column.notNull())
    .addColumn('unpriced', long, (column) => column.notNull())
    .addPrimaryKeyConstraint('usage_hours_primary_key', ['hour', 'scope'])
    .execute()
}

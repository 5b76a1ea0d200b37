/** `turnward store`: the database of an installation: its roles, its schema, and moving into it from one folder. */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { copyLog, type CopyReport } from '../../audit/copy.ts'
import { signingKey } from '../../audit/checkpoint.ts'
import { logFiles } from '../../audit/log-files.ts'
import { readOpeningSettings } from '../../config/opening-settings.ts'
import { TurnwardError } from '../../core/error.ts'
import { copyStore, type CopiedCounts } from '../../store/copying.ts'
import { postgresPlace, type PostgresPlace } from '../../store/postgres/connecting.ts'
import { migratePostgres } from '../../store/postgres/migrating.ts'
import { hashSecretName, openPostgresStore } from '../../store/postgres/postgres-store.ts'
import { rolesText } from '../../store/postgres/roles.ts'
import { openStore } from '../../store/store.ts'
import { fail, print } from '../output.ts'
import { checkpointKeyName } from '../places.ts'
import { resolveText } from '../resolving-text.ts'
import { configOption, jsonOption } from '../shared-options.ts'

const ownerRole = 'turnward_owner'
const gatewayRole = 'turnward_gateway'
const shortestSecret = 32

export function addStore(program: Command): void {
  const store = program.command('store').description('the database of an installation')
  store
    .command('roles')
    .description('print the SQL that makes the two roles: one owns the tables, one runs the gateway')
    .requiredOption('--database <name>', 'the database they are for')
    .option('--owner <name>', 'role that owns the schema', ownerRole)
    .option('--gateway <name>', 'role the gateway runs as', gatewayRole)
    .addHelpText('after', '\nExample:\n  $ turnward store roles --database turnward | psql turnward')
    .action(({ owner, gateway, database }: { owner: string; gateway: string; database: string }) => {
      print({}, undefined, rolesText({ owner, gateway, database }))
    })
  store
    .command('migrate')
    .description('bring the schema up to date, as its owner, and say what the role of the gateway may do')
    .option('--gateway <name>', 'role the gateway runs as', gatewayRole)
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ DATABASE_URL=postgres://turnward_owner:…@db/turnward turnward store migrate')
    .action(migrate)
  store
    .command('copy')
    .description(
      'copy an embedded installation into PostgreSQL: keys, people and their accounts, what directories said, what is stopped, secrets, the whole decision log; may be repeated',
    )
    .requiredOption('--to <url>', "address of the database; '${DATABASE_URL}' is read from the environment")
    .option('--cluster-secret <secret>', '`cluster.secret` of the new installation', '${CLUSTER_SECRET}')
    .option('--ca <file>', 'certificate authority of the database, PEM')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', "\nExample:\n  $ turnward store copy --config turnward.yaml --to '${DATABASE_URL}'")
    .action(copy)
}

interface MigrateOptions {
  readonly config: string
  readonly gateway: string
  readonly json?: boolean
}

async function migrate(options: MigrateOptions): Promise<void> {
  try {
    const { store, dataDir } = await readOpeningSettings(options.config, process.env)
    if (store.kind === 'sqlite') {
      await (await openStore({ kind: 'sqlite', dataDir })).close()
      print(options, { kind: 'sqlite' }, 'The embedded store is up to date; it migrates itself at every start.')
      return
    }
    const done = await migratePostgres(postgresPlace(store), options.gateway)
    const grants = done.granted
      ? `\`${options.gateway}\` may add to the decision log and read it, and not change it.`
      : `There is no role \`${options.gateway}\` to grant anything to; \`turnward store roles\` makes one.`
    print(options, { kind: 'postgres', ...done }, `The schema is at ${done.schema}. ${grants}`)
  } catch (error) {
    fail(options, error)
  }
}

interface CopyOptions {
  readonly config: string
  readonly to: string
  readonly clusterSecret: string
  readonly ca?: string
  readonly json?: boolean
}

async function copy(options: CopyOptions): Promise<void> {
  try {
    const { store, dataDir } = await readOpeningSettings(options.config, process.env)
    if (store.kind !== 'sqlite')
      throw new TurnwardError('config.invalid', {
        subject: 'store.kind',
        why: 'an embedded installation is copied, and this one is in PostgreSQL',
      })
    const target = await targetOf(options)
    const secret = await resolveText('--cluster-secret', options.clusterSecret)
    if (secret.length < shortestSecret)
      throw new TurnwardError('request.invalid', { subject: '--cluster-secret', why: `it must have at least ${shortestSecret} characters` })
    const from = await openStore({ kind: 'sqlite', dataDir })
    try {
      const privateKey = Buffer.from(signingKey(logFiles(dataDir)).export({ type: 'pkcs8', format: 'pem' }))
      const to = await openPostgresStore({
        kind: 'postgres',
        database: target,
        pool: 2,
        secrets: { current: secret, previous: [] },
        adopt: new Map([
          [hashSecretName, from.secret],
          [checkpointKeyName, privateKey],
        ]),
      })
      try {
        const copied = await copyStore(from, to)
        const log = await copyLog({ fromDataDir: dataDir, to: target, privateKey: privateKey.toString() })
        print(options, { ...copied, log }, report(copied, log))
      } finally {
        await to.close()
      }
    } finally {
      await from.close()
    }
  } catch (error) {
    fail(options, error)
  }
}

function report(copied: CopiedCounts, log: CopyReport): string {
  return [
    `keys: ${copied.keys} new, ${copied.revoked} revoked since; listings of MCP servers: ${copied.listings} new; approvals of their tools: ${copied.pins} new`,
    `local accounts: ${copied.accounts} new; records of directories: ${copied.directories} new; stops: ${copied.stops} new`,
    `decision log: ${log.copiedRecords} records new, ${log.records} in all; ${log.copiedCheckpoints} checkpoints new, ${log.checkpoints} in all`,
    'Sessions are not moved: conversations that go on count as unknown.',
    'May be repeated until the old gateway has stopped; then `turnward audit verify` on the new configuration.',
  ].join('\n')
}

async function targetOf({ to, ca }: CopyOptions): Promise<PostgresPlace> {
  const url = await resolveText('--to', to)
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol))
    throw new TurnwardError('request.invalid', { subject: '--to', why: 'it must be `postgres://user:password@host:port/database`' })
  return {
    url,
    ...(ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }),
    connectTimeoutMs: 10_000,
    // A batch of the log may be large, and its target far away.
    statementTimeoutMs: 120_000,
  }
}

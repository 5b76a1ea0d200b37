/** The command line: one file a verb, loaded when it is asked for. The only room that reads the environment. */
import { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { version } from './version.ts'

/** Every verb in the order of the help. A gateway that runs for months must not hold what only the other verbs need. */
const verbs: ReadonlyMap<string, () => Promise<(program: Command) => void>> = new Map([
  ['start', async () => (await import('./verbs/start.ts')).addStart],
  ['demo', async () => (await import('./verbs/demo.ts')).addDemo],
  ['init', async () => (await import('./verbs/init.ts')).addInit],
  ['connect', async () => (await import('./verbs/connect.ts')).addConnect],
  ['check', async () => (await import('./verbs/check.ts')).addCheck],
  ['config', async () => (await import('./verbs/config.ts')).addConfig],
  ['schema', async () => (await import('./verbs/schema.ts')).addSchema],
  ['upstreams', async () => (await import('./verbs/upstreams.ts')).addUpstreams],
  ['limits', async () => (await import('./verbs/limits.ts')).addLimits],
  ['keys', async () => (await import('./verbs/keys.ts')).addKeys],
  ['links', async () => (await import('./verbs/links.ts')).addLinks],
  ['accounts', async () => (await import('./verbs/accounts.ts')).addAccounts],
  ['credentials', async () => (await import('./verbs/credentials.ts')).addCredentials],
  ['access', async () => (await import('./verbs/access.ts')).addAccess],
  ['oauth', async () => (await import('./verbs/oauth.ts')).addOAuth],
  ['servers', async () => (await import('./verbs/servers.ts')).addServers],
  ['import', async () => (await import('./verbs/import.ts')).addImport],
  ['tools', async () => (await import('./verbs/tools.ts')).addTools],
  ['approvals', async () => (await import('./verbs/approvals.ts')).addApprovals],
  ['policy', async () => (await import('./verbs/policy.ts')).addPolicy],
  ['turns', async () => (await import('./verbs/turns.ts')).addTurns],
  ['usage', async () => (await import('./verbs/usage.ts')).addUsage],
  ['audit', async () => (await import('./verbs/audit.ts')).addAudit],
  ['store', async () => (await import('./verbs/store.ts')).addStore],
  ['people', async () => (await import('./verbs/people.ts')).addPeople],
  ['stop', async () => (await import('./verbs/stop.ts')).addStop],
  ['doctor', async () => (await import('./verbs/doctor.ts')).addDoctor],
  ['cluster', async () => (await import('./verbs/cluster.ts')).addCluster],
  ['version', async () => (await import('./verbs/version.ts')).addVersion],
])

const program = new Command('turnward')
  .description('Turnward: the gateway that terminates agent turns.')
  .version(version, '-V, --version')
  // What stands behind a verb is an option of the verb: `servers update NAME --version 1.2.3`.
  .enablePositionalOptions()
  .showHelpAfterError('(add --help for the options of a command)')
  .configureHelp({ sortSubcommands: false })
  .addHelpText(
    'after',
    `
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 configuration not valid, 4 not reachable, 5 negative result.

Start here:
  $ turnward demo                       one governed turn, offline, no keys needed
  $ turnward init && turnward start     your own gateway`,
  )

const asked = verbs.get(process.argv[2] ?? '')
// Help and suggestions for a mistyped verb need all of them.
for (const load of asked === undefined ? verbs.values() : [asked]) (await load())(program)

// Commander exits with 1 on wrong usage; ours is 2, like other command line tools.
exitWithUsageCode(program)

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})

await program.parseAsync(process.argv)

function exitWithUsageCode(command: Command): void {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage))
  for (const child of command.commands) exitWithUsageCode(child)
}
